/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/truth.h"

#include <stdlib.h>
#include <string.h>

#include "lab/truth_text.h"
#include "policy/services.h"
#include "util/map.h"

/* What a probe and the events about it have in common.  No holes: it is a map's key. */
struct probe_key {
	struct bh_addr src, dst;
	uint32_t table;
	uint32_t number;
};

static void count_drops_of(const struct map *probes, struct lab_plan *plan,
			   const struct lab_event *e)
{
	struct probe_key key = {e->src, e->dst, e->service.table, e->service.number};
	uint64_t *at = map_get(probes, &key, sizeof(key));

	if (at && lab_event_verdict_drops(e->verdict))
		plan->probes.items[*at].drops += e->count;
}

void truth_count_drops(struct lab_plan *plan, const struct lab_events *events)
{
	struct map probes = {};

	vec_foreach (p, &plan->probes) {
		const struct lab_service *s = &plan->services.items[p->service];
		struct probe_key key = {plan->stations.items[p->from].addr[p->family],
					plan->stations.items[p->to].addr[p->family], s->table,
					s->number};

		p->drops = 0;
		map_put(&probes, &key, sizeof(key), p - plan->probes.items, NULL);
	}
	vec_foreach (e, &events->list)
		count_drops_of(&probes, plan, e);
	map_release(&probes);
}

bool truth_is_ok(const struct lab_probe *p)
{
	return lab_probe_is_as_expected(p) && (lab_probe_expects_answer(p) || p->drops);
}

static const struct lab_station *station_of(const struct lab_plan *plan, const struct bh_addr *a)
{
	vec_foreach (s, &plan->stations)
		for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++)
			if (s->has[f] && !addr_cmp(&s->addr[f], a))
				return s;
	return NULL;
}

static struct truth_drops *find_drops(struct truth *t, const struct truth_drops *like)
{
	vec_foreach (d, &t->drops)
		if (d->from == like->from && d->to == like->to &&
		    d->is_surprise == like->is_surprise && !strcmp(d->verdict, like->verdict) &&
		    !strcmp(d->rule, like->rule) && !strcmp(d->reason, like->reason))
			return d;
	vec_push(&t->drops, *like);
	return &t->drops.items[t->drops.count - 1];
}

static void add_near(struct truth_drops *d, const char *near)
{
	vec_foreach (n, &d->near)
		if (!strcmp(*n, near))
			return;
	vec_push(&d->near, near);
}

/* A ping has code 0 and speaks for the type, which is what people know by name. */
static struct service_range spoken_of(const struct lab_service *s)
{
	struct service_range r = {s->table, s->number, s->number};

	if ((s->table == BH_SERVICE_ICMP && s->number == LAB_ECHO) ||
	    (s->table == BH_SERVICE_ICMP6 && s->number == LAB_ECHO6))
		r.hi |= UINT8_MAX;
	return r;
}

static bool is_surprise(const struct compiled *c, const struct lab_event *e)
{
	uint32_t cell = image_decide(&c->image, &e->src, &e->dst, e->service.table,
				     e->service.number);

	return lab_event_verdict_drops(e->verdict) && BH_VERDICT_PASSES(BH_CELL_VERDICT(cell));
}

static void add_event(const struct compiled *c, const struct lab_plan *plan,
		      const struct lab_event *e, struct truth *t)
{
	const struct lab_station *from = station_of(plan, &e->src);
	const struct lab_station *to = station_of(plan, &e->dst);
	struct service_range spoken = spoken_of(&e->service);
	struct truth_drops *d;

	if (!from || !to) {
		t->foreign += e->count;
		return;
	}
	d = find_drops(t, &(struct truth_drops){.from = from->name,
						.to = to->name,
						.verdict = e->verdict,
						.rule = e->rule,
						.reason = e->reason,
						.is_surprise = is_surprise(c, e)});
	vec_push(&d->services, spoken);
	if (e->near)
		add_near(d, e->near);
	d->count += e->count;
}

/* Probes of one (from, to) are neighbours in the plan. */
static size_t pair_length(const struct lab_plan *plan, size_t first)
{
	const struct lab_probe *p = &plan->probes.items[first];
	size_t n = 1;

	while (first + n < plan->probes.count && p[n].from == p->from && p[n].to == p->to)
		n++;
	return n;
}

static void add_row(const struct compiled *c, const struct lab_plan *plan, size_t first,
		    size_t count, struct truth *t)
{
	const struct lab_probe *p = &plan->probes.items[first];
	struct truth_row row = {.from = p->from, .to = p->to, .is_ok = true};

	for (size_t i = 0; i < count; i++)
		row.is_ok &= truth_is_ok(&p[i]);
	row.expected = truth_text(c, plan, p, count, TRUTH_EXPECTED);
	row.seen = truth_text(c, plan, p, count, TRUTH_SEEN);
	vec_push(&t->rows, row);
}

/* Services are normalised: none is cut in two. */
static bool is_dropped(const struct truth_drops *d, const struct service_range *range)
{
	vec_foreach (dropped, &d->services) {
		if (dropped->table == range->table && dropped->lo <= range->lo &&
		    dropped->hi >= range->hi)
			return true;
	}
	return false;
}

static void finish_drops(const struct lab_plan *plan, struct truth_drops *d)
{
	services_normalise(&d->services);
	vec_foreach (service, &plan->services) {
		struct service_range spoken = spoken_of(service);

		if (!is_dropped(d, &spoken))
			vec_push(&d->others, spoken);
	}
	services_normalise(&d->others);
}

static int drops_cmp(const void *left, const void *right)
{
	const struct truth_drops *a = left, *b = right;
	int order = strcmp(a->from, b->from);

	order = order ? order : strcmp(a->to, b->to);
	return order ? order : (a->count < b->count) - (a->count > b->count);
}

void truth_make(const struct compiled *c, const struct lab_plan *plan,
		const struct lab_events *events, size_t repetitions, struct truth *ret)
{
	struct truth t = {.probes = plan->probes.count * repetitions};
	size_t n;

	for (size_t i = 0; i < plan->probes.count; i += n) {
		n = pair_length(plan, i);
		add_row(c, plan, i, n, &t);
	}
	vec_foreach (p, &plan->probes) {
		*(p->seen == LAB_ANSWERED ? &t.allowed : &t.denied) += repetitions;
		t.mismatches += !truth_is_ok(p);
	}
	vec_foreach (e, &events->list)
		add_event(c, plan, e, &t);
	vec_foreach (d, &t.drops)
		finish_drops(plan, d);
	if (t.drops.count)
		qsort(t.drops.items, t.drops.count, sizeof(*t.drops.items), drops_cmp);
	*ret = t;
}

void truth_release(struct truth *t)
{
	vec_foreach (row, &t->rows) {
		free(row->expected);
		free(row->seen);
	}
	vec_foreach (d, &t->drops) {
		vec_release(&d->services);
		vec_release(&d->others);
		vec_release(&d->near);
	}
	vec_release(&t->rows);
	vec_release(&t->drops);
}
