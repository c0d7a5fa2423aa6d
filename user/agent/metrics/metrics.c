/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/metrics.h"

#include "agent/metrics/metrics_view.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

struct metrics *metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	zone_pairs_release(&m->pairs);
	zone_traffic_release(&m->traffic);
	free(m);
}

void metrics_event(struct metrics *m, const struct bh_event *event, const struct event_names *names)
{
	if (m)
		zone_pairs_add(&m->pairs, names->src.zone, names->dst.zone, event->verdict);
}

uint64_t metrics_sampled_ns(const struct metrics *m)
{
	return m ? m->sampled_ns : 0;
}

/* --- traffic of zones --- */

/* All NICs have one id and one count. */
static const char *zone_of(const struct agent *a, const struct endpoint *e)
{
	struct event_end names;

	if (e->kind == BH_ENDPOINT_IS_HOST)
		return "host";
	if (!e->sources.count)
		return "";
	naming_end(&a->naming, datapath_generation(a->dp), 0, &e->sources.items[0].addr, &names);
	return names.zone ? names.zone : "";
}

static size_t id_bound(const struct endpoints *es)
{
	size_t bound = 0;

	vec_foreach (e, &es->list) {
		if (e->id >= bound)
			bound = (size_t)e->id + 1;
	}
	return bound;
}

static void sample_traffic(struct agent *a)
{
	size_t count = id_bound(&a->endpoints);
	_free_ struct bh_endpoint_count *counts = xcalloc(count, sizeof(*counts));

	if (!count || datapath_read_endpoints(a->dp, count, counts))
		return;
	vec_foreach (e, &a->endpoints.list)
		zone_traffic_add(&a->metrics->traffic, e->id, e->kind, zone_of(a, e),
				 &counts[e->id]);
}

void metrics_sample(struct agent *a)
{
	if (!a->metrics)
		return;
	a->metrics->sampled_ns = clock_monotonic_ns();
	a->metrics->sampled_wall_ns = clock_wall_ns();
	sample_traffic(a);
}

/* --- the text --- */

/* Of one reading: so what was dropped is what became of the events about it. */
static void read_books(struct agent *a, struct metrics_view *v)
{
	struct accounts accounts;

	if (datapath_read_accounts(a->dp, &accounts, NULL))
		return;
	for (unsigned int i = 0; i < BH_VERDICT_COUNT; i++)
		v->books[i] = accounts_of_verdict(&accounts, i);
	for (unsigned int i = 0; i < BH_REASON_COUNT; i++)
		v->drops[i] = accounts_drops(&accounts, i);
}

static void read_view(struct agent *a, struct metrics_view *v)
{
	*v = (struct metrics_view){
		.agent = a,
		.metrics = a->metrics,
		.loaded = a->policies.current->loaded,
	};
	read_books(a, v);
	datapath_read_rejects(a->dp, &v->rejects);
	v->table_count = datapath_tables(a->dp, v->tables, METRICS_TABLES_MAX);
	endpoint_groups_find(&a->endpoints, &v->groups);
	process_usage_read(&v->usage);
}

static void add_families(const struct metrics_view *v, const struct family *families, size_t count,
			 struct text *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct family *f = &families[i];

		exposition_family(out, f->name, f->type, f->help);
		f->add(v, f->name, out);
	}
}

void metrics_text(struct agent *a, struct text *out)
{
	struct metrics_view v;

	read_view(a, &v);
	add_families(&v, state_families, state_family_count, out);
	add_families(&v, count_families, count_family_count, out);
	vec_release(&v.groups);
}
