/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/stations.h"
#include "policy/services.h"

#define UNNAMED_PORT 9999 /* from here on, the first port that no rule names */

const char *lab_outcome_word(enum lab_outcome outcome)
{
	static const char *const words[] = {
#define X(id, word) [LAB_##id] = (word),
		LAB_OUTCOMES(X)
#undef X
	};

	return words[outcome];
}

bool lab_service_is_of(const struct lab_service *s, enum lab_family family)
{
	if (s->table == BH_SERVICE_ICMP)
		return family == LAB_V4;
	return s->table != BH_SERVICE_ICMP6 || family == LAB_V6;
}

bool lab_probe_expects_answer(const struct lab_probe *p)
{
	return BH_VERDICT_PASSES(p->expected.verdict);
}

bool lab_probe_is_as_expected(const struct lab_probe *p)
{
	if (p->expected.verdict == BH_VERDICT_REJECT)
		return p->seen == LAB_REFUSED || p->seen == LAB_UNREACHABLE ||
		       p->seen == LAB_SILENT;
	return p->seen == (lab_probe_expects_answer(p) ? LAB_ANSWERED : LAB_SILENT);
}

static bool has_ports(enum bh_service_table table)
{
	return table == BH_SERVICE_TCP || table == BH_SERVICE_UDP;
}

static bool is_whole_table(const struct service_range *r)
{
	return r->lo == 0 && r->hi >= (r->table == BH_SERVICE_PROTO ? 255 : UINT16_MAX);
}

static bool is_echo(const struct service_range *r)
{
	uint16_t echo = r->table == BH_SERVICE_ICMP ? LAB_ECHO : LAB_ECHO6;

	return (r->table == BH_SERVICE_ICMP || r->table == BH_SERVICE_ICMP6) && r->lo == echo &&
	       r->hi <= (echo | 0xff);
}

static void add_port(struct lab_plan *plan, enum bh_service_table table, uint16_t port)
{
	vec_foreach (s, &plan->services)
		if (s->table == table && s->number == port)
			return;
	vec_push(&plan->services, (struct lab_service){table, port});
}

/* Nobody can listen on port 0, so its neighbour in the range stands for it. */
static void add_ends(struct lab_plan *plan, const struct service_range *r)
{
	if (r->lo)
		add_port(plan, r->table, r->lo);
	else if (r->hi)
		add_port(plan, r->table, 1);
	else
		vec_push(&plan->not_probed, *r);
	if (r->hi > r->lo)
		add_port(plan, r->table, r->hi);
}

static bool is_any(const services *s)
{
	_text_ struct text list = TEXT_INIT;

	services_format(s, &list);
	return !strcmp(list.buf, "any");
}

static void add_named_of(struct lab_plan *plan, const services *list)
{
	vec_foreach (r, list) {
		if (is_whole_table(r) || is_echo(r))
			continue;
		if (has_ports(r->table))
			add_ends(plan, r);
		else
			vec_push(&plan->not_probed, *r);
	}
}

static void add_named(const struct compiled *c, struct lab_plan *plan)
{
	vec_foreach (rule, &c->policy->rules)
		if (!is_any(&rule->services))
			add_named_of(plan, &rule->services);
	services_normalise(&plan->not_probed);
}

static bool is_named(const struct policy *p, enum bh_service_table table, uint16_t port)
{
	vec_foreach (rule, &p->rules)
		vec_foreach (r, &rule->services)
			if (r->table == table && !is_whole_table(r) && port >= r->lo &&
			    port <= r->hi)
				return true;
	return false;
}

static void add_unnamed(const struct compiled *c, struct lab_plan *plan,
			enum bh_service_table table)
{
	for (uint32_t port = UNNAMED_PORT; port <= UINT16_MAX; port++)
		if (!is_named(c->policy, table, port)) {
			add_port(plan, table, port);
			return;
		}
}

static bool has_class(const struct compiled *c, const struct lab_plan *plan,
		      enum bh_service_table table, uint32_t class)
{
	vec_foreach (s, &plan->services)
		if (s->table == table && image_service_class(&c->image, table, s->number) == class)
			return true;
	return false;
}

/* Every class that has ports, whatever made the compiler tell it apart. */
static void add_classes(const struct compiled *c, struct lab_plan *plan)
{
	for (uint32_t class = 0; class < c->service_classes.count; class ++)
		vec_foreach (r, &c->service_classes.items[class])
			if (has_ports(r->table) && r->hi && !has_class(c, plan, r->table, class))
				add_port(plan, r->table, r->lo ? r->lo : 1);
}

static int compare_services(const void *a, const void *b)
{
	const struct lab_service *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void add_services(const struct compiled *c, struct lab_plan *plan)
{
	add_named(c, plan);
	add_unnamed(c, plan, BH_SERVICE_TCP);
	add_unnamed(c, plan, BH_SERVICE_UDP);
	add_classes(c, plan);
	vec_push(&plan->services, (struct lab_service){BH_SERVICE_ICMP, LAB_ECHO});
	vec_push(&plan->services, (struct lab_service){BH_SERVICE_ICMP6, LAB_ECHO6});
	qsort(plan->services.items, plan->services.count, sizeof(*plan->services.items),
	      compare_services);
}

/* A node and a pod on it are two stations: what is built in for them can't be seen. */
static void add_probes_of_pair(const struct compiled *c, struct lab_plan *plan, uint16_t from,
			       uint16_t to)
{
	const struct lab_station *src = &plan->stations.items[from];
	const struct lab_station *dst = &plan->stations.items[to];

	for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++) {
		if (!src->has[f] || !dst->has[f] ||
		    compiled_builtin(c, src->workload, dst->workload))
			continue;
		for (size_t i = 0; i < plan->services.count; i++) {
			const struct lab_service *s = &plan->services.items[i];
			struct lab_probe probe = {
				.from = from, .to = to, .service = i, .family = f};

			if (!lab_service_is_of(s, f))
				continue;
			probe.expected = decision_of_cell(image_decide(
				&c->image, &src->addr[f], &dst->addr[f], s->table, s->number));
			vec_push(&plan->probes, probe);
		}
	}
}

static int add_probes(const struct compiled *c, struct lab_plan *plan, struct text *reterr)
{
	size_t n = plan->stations.count;

	if (n * n * plan->services.count * LAB_FAMILIES > LAB_MAX_PROBES) {
		text_addf(reterr,
			  "a lab of %zu stations and %zu services needs too many probes; "
			  "at most %d",
			  n, plan->services.count, LAB_MAX_PROBES);
		return -E2BIG;
	}
	for (size_t from = 0; from < n; from++)
		for (size_t to = 0; to < n; to++)
			if (from != to)
				add_probes_of_pair(c, plan, from, to);
	return 0;
}

int lab_plan(const struct compiled *c, struct lab_plan *ret, struct text *reterr)
{
	struct lab_plan plan = {};
	int err;

	lab_add_stations(c, &plan);
	add_services(c, &plan);
	if (plan.stations.count > LAB_MAX_STATIONS) {
		text_addf(reterr,
			  "the policy has more addresses than a lab has stations: at most %d",
			  LAB_MAX_STATIONS);
		err = -E2BIG;
	} else {
		err = add_probes(c, &plan, reterr);
	}
	if (!err && !plan.probes.count) {
		text_add(reterr, "no two workloads or zones of the policy have addresses of one "
				 "family; nothing to probe");
		err = -ENOENT;
	}
	if (err) {
		lab_plan_release(&plan);
		return err;
	}
	*ret = plan;
	return 0;
}

void lab_plan_release(struct lab_plan *plan)
{
	vec_foreach (s, &plan->stations) {
		free(s->name);
		free(s->netns);
	}
	vec_release(&plan->stations);
	vec_release(&plan->services);
	vec_release(&plan->probes);
	vec_release(&plan->not_probed);
}
