/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/lab_output.h"

#include <inttypes.h>

#include "cli/output.h"
#include "policy/services.h"

#define MAX_NEAR   2 /* nearest rules that a line of drops names */
#define FEW_OTHERS 3 /* services that are named as what a line of drops doesn't hold */

static const char *station_name(const struct lab_plan *plan, uint16_t station)
{
	return plan->stations.items[station].name;
}

static void add_ok(struct table *t, bool is_ok)
{
	table_add_colour(t, is_ok ? COLOUR_GREEN : COLOUR_RED, is_ok ? "ok" : "MISMATCH");
}

static void print_stations(const struct lab_result *r)
{
	static const struct column columns[] = {
		{"STATION", false}, {"ZONE", false}, {"IPV4", false}, {"IPV6", false}, {"", false}};
	_table_ struct table t = {.columns = columns, .count = COUNT(columns)};
	char address[ADDRESS_STRLEN];

	vec_foreach (s, &r->plan->stations) {
		table_add(&t, s->name);
		table_add(&t, s->zone);
		table_add(&t, s->has[LAB_V4] ? addr_format(&s->addr[LAB_V4], address) : NULL);
		table_add(&t, s->has[LAB_V6] ? addr_format(&s->addr[LAB_V6], address) : NULL);
		table_add(&t, s->is_stand_in ? "stand-in" : "workload");
	}
	printf("topology %s\n\n", lab_topology_word(r->config->topology));
	table_print(&t);
}

static void print_rows(const struct lab_result *r)
{
	static const struct column columns[] = {{"FROM", false},
						{"TO", false},
						{"GETS THROUGH, EXPECTED", false},
						{"SEEN", false},
						{"", false}};
	_table_ struct table t = {.columns = columns, .count = COUNT(columns)};

	vec_foreach (row, &r->truth->rows) {
		table_add(&t, station_name(r->plan, row->from));
		table_add(&t, station_name(r->plan, row->to));
		table_add(&t, row->expected);
		table_add(&t, row->seen);
		add_ok(&t, row->is_ok);
	}
	putchar('\n');
	table_print(&t);
}

static void print_probes(const struct lab_result *r)
{
	static const struct column columns[] = {
		{"FROM", false},    {"TO", false},       {"FAMILY", false},
		{"SERVICE", false}, {"EXPECTED", false}, {"RULE", false},
		{"SEEN", false},    {"DROPS", true},     {"", false}};
	_table_ struct table t = {.columns = columns, .count = COUNT(columns)};

	vec_foreach (p, &r->plan->probes) {
		const struct lab_service *s = &r->plan->services.items[p->service];
		_text_ struct text service = TEXT_INIT;

		service_format(s->table, s->number, &service);
		table_add(&t, station_name(r->plan, p->from));
		table_add(&t, station_name(r->plan, p->to));
		table_add(&t, p->family == LAB_V4 ? "v4" : "v6");
		table_add(&t, service.buf);
		table_add(&t, verdict_word(p->expected.verdict));
		table_add(&t, compiled_rule_name(r->config->compiled, p->expected.rule));
		table_add(&t, lab_outcome_word(p->seen));
		table_addf(&t, "%" PRIu64, p->drops);
		add_ok(&t, truth_is_ok(p));
	}
	putchar('\n');
	table_print(&t);
}

static void add_nears(struct table *t, const struct truth_drops *d)
{
	_text_ struct text nears = TEXT_INIT;

	for (size_t i = 0; i < d->near.count && i < MAX_NEAR; i++)
		text_addf(&nears, "%s%s", i ? "; " : "", d->near.items[i]);
	if (d->near.count > MAX_NEAR)
		text_addf(&nears, "; %zu more", d->near.count - MAX_NEAR);
	table_add(t, nears.buf);
}

/* "tcp/22, tcp/80", or where that is shorter "all but tcp/5432". */
static void add_services(struct table *t, const struct truth_drops *d)
{
	_text_ struct text spoken = TEXT_INIT;

	if (d->others.count <= FEW_OTHERS && d->others.count < d->services.count) {
		text_add(&spoken, d->others.count ? "all but " : "all");
		if (d->others.count)
			services_format(&d->others, &spoken);
	} else {
		services_format(&d->services, &spoken);
	}
	if (d->is_surprise)
		text_add(&spoken, " (though it is allowed)");
	table_add(t, spoken.buf);
}

static void print_drops(const struct lab_result *r)
{
	static const struct column columns[] = {
		{"FROM", false},   {"TO", false},   {"VERDICT", false},  {"RULE", false},
		{"REASON", false}, {"COUNT", true}, {"SERVICES", false}, {"NEAR", false}};
	_table_ struct table t = {.columns = columns, .count = COUNT(columns)};

	vec_foreach (d, &r->truth->drops) {
		table_add(&t, d->from);
		table_add(&t, d->to);
		table_add_colour(&t, colour_of_verdict(d->verdict), d->verdict);
		table_add(&t, d->rule);
		table_add(&t, d->reason);
		table_addf(&t, "%" PRIu64, d->count);
		add_services(&t, d);
		add_nears(&t, d);
	}
	puts("\ndrop events");
	if (r->truth->drops.count)
		table_print(&t);
	else
		puts("none");
	if (r->truth->foreign)
		printf("and %" PRIu64 " of packets that were not from one station to another\n",
		       r->truth->foreign);
}

void lab_print(const struct lab_result *r, bool is_verbose)
{
	const struct truth *t = r->truth;
	_text_ struct text not_probed = TEXT_INIT;

	print_stations(r);
	print_rows(r);
	if (is_verbose)
		print_probes(r);
	print_drops(r);
	putchar('\n');
	services_format(&r->plan->not_probed, &not_probed);
	if (r->plan->not_probed.count)
		printf("not probed: %s\n", not_probed.buf);
	printf("%zu pairs, %zu probes, %zu allowed, %zu denied, %zu mismatches: %s\n",
	       t->rows.count, t->probes, t->allowed, t->denied, t->mismatches,
	       t->mismatches ? "failed" : "ok");
	printf("took %.1f s\n", r->took_ns / 1e9);
}

static void json_stations(const struct lab_plan *plan, struct json *j)
{
	char address[ADDRESS_STRLEN];

	json_array(j, "stations");
	vec_foreach (s, &plan->stations) {
		json_object(j, NULL);
		json_string(j, "name", s->name);
		json_string(j, "netns", s->netns);
		json_string(j, "zone", s->zone);
		json_bool(j, "stand_in", s->is_stand_in);
		json_array(j, "addresses");
		for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++)
			if (s->has[f])
				json_string(j, NULL, addr_format(&s->addr[f], address));
		json_end(j, ']');
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void json_probes(const struct lab_result *r, struct json *j)
{
	json_array(j, "probes");
	vec_foreach (p, &r->plan->probes) {
		const struct lab_service *s = &r->plan->services.items[p->service];
		_text_ struct text service = TEXT_INIT;

		service_format(s->table, s->number, &service);
		json_object(j, NULL);
		json_string(j, "from", station_name(r->plan, p->from));
		json_string(j, "to", station_name(r->plan, p->to));
		json_number(j, "family", p->family == LAB_V4 ? 4 : 6);
		json_string(j, "service", service.buf);
		json_string(j, "expected", verdict_word(p->expected.verdict));
		json_string(j, "rule", compiled_rule_name(r->config->compiled, p->expected.rule));
		json_string(j, "seen", lab_outcome_word(p->seen));
		json_number(j, "drops", p->drops);
		json_bool(j, "ok", truth_is_ok(p));
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void json_drops(const struct truth *t, struct json *j)
{
	json_array(j, "events");
	vec_foreach (d, &t->drops) {
		_text_ struct text spoken = TEXT_INIT;

		services_format(&d->services, &spoken);
		json_object(j, NULL);
		json_string(j, "from", d->from);
		json_string(j, "to", d->to);
		json_string(j, "verdict", d->verdict);
		json_string(j, "rule", d->rule);
		json_string(j, "reason", d->reason);
		json_string(j, "services", spoken.buf);
		json_number(j, "count", d->count);
		json_array(j, "near");
		vec_foreach (near, &d->near)
			json_string(j, NULL, *near);
		json_end(j, ']');
		json_bool(j, "surprise", d->is_surprise);
		json_end(j, '}');
	}
	json_end(j, ']');
}

void lab_json(const struct lab_result *r, struct json *j)
{
	_text_ struct text not_probed = TEXT_INIT;

	services_format(&r->plan->not_probed, &not_probed);
	json_object(j, NULL);
	json_string(j, "topology", lab_topology_word(r->config->topology));
	json_stations(r->plan, j);
	json_probes(r, j);
	json_drops(r->truth, j);
	json_number(j, "foreign_events", r->truth->foreign);
	json_string(j, "not_probed", r->plan->not_probed.count ? not_probed.buf : NULL);
	json_object(j, "totals");
	json_number(j, "pairs", r->truth->rows.count);
	json_number(j, "probes", r->truth->probes);
	json_number(j, "allowed", r->truth->allowed);
	json_number(j, "denied", r->truth->denied);
	json_number(j, "mismatches", r->truth->mismatches);
	json_end(j, '}');
	json_number(j, "took_ms", r->took_ns / 1000000);
	json_end(j, '}');
}
