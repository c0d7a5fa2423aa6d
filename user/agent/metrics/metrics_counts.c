/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The families that tell what was counted: packets by reason, rule and zone, events, connections.
 */
#include <assert.h>
#include <string.h>

#include "agent/control/words.h"
#include "agent/metrics/metrics.h"
#include "agent/metrics/metrics_view.h"
#include "util/mem.h"

/* --- by reason --- */

static void add_drop_packets(const struct metrics_view *v, const char *name, struct text *out)
{
	for (unsigned int r = BH_REASON_NONE + 1; r < BH_REASON_COUNT; r++)
		exposition_number(out, name, LABELS({"reason", reason_word(r)}),
				  v->drops[r].packets);
}

static void add_drop_bytes(const struct metrics_view *v, const char *name, struct text *out)
{
	for (unsigned int r = BH_REASON_NONE + 1; r < BH_REASON_COUNT; r++)
		exposition_number(out, name, LABELS({"reason", reason_word(r)}), v->drops[r].bytes);
}

/* --- by rule --- */

struct rule_total {
	const char *name;
	const char *action; /* NULL: of several */
	struct bh_count count;
};

/* No sample may come twice: rules of one name are one. */
struct rule_totals {
	struct map places;
	VEC(struct rule_total) list;
};

static void release_totals(struct rule_totals *totals)
{
	map_release(&totals->places);
	vec_release(&totals->list);
}

static void add_total(struct rule_totals *totals, const char *name, const char *action,
		      struct rule_count count)
{
	bool is_full = totals->list.count >= METRICS_RULES_MAX;
	struct rule_total *total;
	uint64_t place;
	bool is_new;

	if (is_full && !map_get(&totals->places, name, strlen(name))) {
		name = ZONE_PAIRS_OTHER;
		action = NULL;
	}
	place = *map_put(&totals->places, name, strlen(name), totals->list.count, &is_new);
	if (is_new)
		vec_push(&totals->list, (struct rule_total){.name = name, .action = action});
	assert(place < totals->list.count);
	total = &totals->list.items[place];
	total->count.packets += count.packets;
	total->count.bytes += count.bytes;
}

static const char *builtin_action(uint32_t rule)
{
	return action_word(rule == BH_BUILTIN_DEFAULT ? ACTION_DENY : ACTION_ALLOW);
}

/* As of the last sample: counters aren't read again. */
static void find_totals(const struct metrics_view *v, struct rule_totals *ret)
{
	const struct rule_stats *stats = &v->agent->policies.stats;
	const struct policy *policy = v->loaded->policy;

	for (uint32_t i = 0; i < BH_BUILTIN_COUNT; i++)
		add_total(ret, naming_rule(&v->agent->naming, 0, i), builtin_action(i),
			  rule_stats_total(stats, i));
	for (size_t i = 0; i < policy->rules.count; i++) {
		const struct rule *rule = &policy->rules.items[i];

		/* These are counted as the built-in 'failsafe'. */
		if (rule->tier != TIER_FAILSAFE)
			add_total(ret, rule->name, action_word(rule->action),
				  rule_stats_total(stats, (uint32_t)(BH_RULE_FIRST + i)));
	}
}

static void add_rules(const struct metrics_view *v, const char *name, struct text *out,
		      bool is_bytes)
{
	_cleanup_(release_totals)
	struct rule_totals totals = {};

	find_totals(v, &totals);
	vec_foreach (total, &totals.list)
		exposition_number(out, name,
				  LABELS({"rule", total->name}, {"action", total->action}),
				  is_bytes ? total->count.bytes : total->count.packets);
}

static void add_rule_packets(const struct metrics_view *v, const char *name, struct text *out)
{
	add_rules(v, name, out, false);
}

static void add_rule_bytes(const struct metrics_view *v, const char *name, struct text *out)
{
	add_rules(v, name, out, true);
}

/* --- by zone --- */

static void add_zone_sample(const struct zone_total *total, const char *name, struct text *out,
			    unsigned int direction, bool is_bytes)
{
	const struct bh_count *counts[] = {&total->count.passed[direction],
					   &total->count.dropped[direction]};
	static const char *const results[] = {"passed", "dropped"};

	for (size_t i = 0; i < COUNT(counts); i++)
		exposition_number(
			out, name,
			LABELS({"zone", total->zone},
			       {"kind", total->kind == BH_ENDPOINT_IS_HOST ? "host" : "workload"},
			       {"direction", direction_word(direction)}, {"result", results[i]}),
			is_bytes ? counts[i]->bytes : counts[i]->packets);
}

static void add_zones(const struct metrics_view *v, const char *name, struct text *out,
		      bool is_bytes)
{
	vec_foreach (total, &v->metrics->traffic.list) {
		for (unsigned int d = 0; d < COUNT(total->count.passed); d++)
			add_zone_sample(total, name, out, d, is_bytes);
	}
}

static void add_zone_packets(const struct metrics_view *v, const char *name, struct text *out)
{
	add_zones(v, name, out, false);
}

static void add_zone_bytes(const struct metrics_view *v, const char *name, struct text *out)
{
	add_zones(v, name, out, true);
}

static void add_pairs(const struct metrics_view *v, const char *name, struct text *out)
{
	vec_foreach (pair, &v->metrics->pairs.list) {
		for (unsigned int verdict = 0; verdict < BH_VERDICT_COUNT; verdict++) {
			if (pair->events[verdict])
				exposition_number(out, name,
						  LABELS({"from_zone", pair->from},
							 {"to_zone", pair->to},
							 {"verdict", verdict_word(verdict)}),
						  pair->events[verdict]);
		}
	}
}

/* --- events --- */

static void add_produced(const struct metrics_view *v, const char *name, struct text *out)
{
	for (unsigned int i = 0; i < BH_VERDICT_COUNT; i++)
		exposition_number(out, name, LABELS({"verdict", verdict_word(i)}),
				  v->books[i].produced);
}

static void add_outcome(struct text *out, const char *name, unsigned int verdict,
			const char *outcome, uint64_t value)
{
	exposition_number(out, name,
			  LABELS({"verdict", verdict_word(verdict)}, {"outcome", outcome}), value);
}

static void add_outcomes(const struct metrics_view *v, const char *name, struct text *out)
{
	for (unsigned int i = 0; i < BH_VERDICT_COUNT; i++) {
		add_outcome(out, name, i, "delivered", v->books[i].delivered);
		add_outcome(out, name, i, "suppressed", v->books[i].suppressed);
		add_outcome(out, name, i, "lost", v->books[i].lost);
	}
}

static void add_rejects(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, LABELS({"outcome", "answered"}), v->rejects.answered);
	exposition_number(out, name, LABELS({"outcome", "suppressed"}), v->rejects.suppressed);
	exposition_number(out, name, LABELS({"outcome", "silent"}), v->rejects.silent);
}

/* --- connections --- */

static void add_connections(const struct metrics_view *v, const char *name, struct text *out)
{
	static const struct {
		const char *table;
		const char *state;
	} states[] = {{"bh_conns", "settled"}, {"bh_embryonic", "embryonic"}};

	for (size_t t = 0; t < v->table_count; t++) {
		for (size_t i = 0; i < COUNT(states); i++) {
			if (!strcmp(v->tables[t].name, states[i].table))
				exposition_number(out, name, LABELS({"state", states[i].state}),
						  v->tables[t].used);
		}
	}
}

/* clang-format off */
const struct family count_families[] = {
	{ "bulkhead_drop_packets_total", METRIC_COUNTER, add_drop_packets,
	  "Packets that were dropped, by reason." },
	{ "bulkhead_drop_bytes_total", METRIC_COUNTER, add_drop_bytes,
	  "Bytes of frames that were dropped, by reason." },
	{ "bulkhead_rule_packets_total", METRIC_COUNTER, add_rule_packets,
	  "Packets that a rule decided, since the agent started." },
	{ "bulkhead_rule_bytes_total", METRIC_COUNTER, add_rule_bytes,
	  "Bytes of frames that a rule decided, since the agent started." },
	{ "bulkhead_zone_packets_total", METRIC_COUNTER, add_zone_packets,
	  "Packets at the endpoints of a zone; direction is as the endpoint's end sees it." },
	{ "bulkhead_zone_bytes_total", METRIC_COUNTER, add_zone_bytes,
	  "Bytes of frames at the endpoints of a zone." },
	{ "bulkhead_zone_pair_events_total", METRIC_COUNTER, add_pairs,
	  "Events that were delivered, by the zones of both ends, since the agent started." },
	{ "bulkhead_events_produced_total", METRIC_COUNTER, add_produced,
	  "Drops, audited connections and logged allows: the sum of what became of them." },
	{ "bulkhead_events_total", METRIC_COUNTER, add_outcomes,
	  "What became of events: delivered, suppressed (rate limit), lost (no room)." },
	{ "bulkhead_rejects_total", METRIC_COUNTER, add_rejects,
	  "Rejected packets: answered, suppressed (rate limit), silent (never to be answered)." },
	{ "bulkhead_connections", METRIC_GAUGE, add_connections,
	  "Connections at the last sweep; settled: both ends took part." },
};
/* clang-format on */
const size_t count_family_count = COUNT(count_families);
