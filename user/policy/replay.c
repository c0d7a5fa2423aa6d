/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/replay.h"

#include <inttypes.h>
#include <string.h>

#include "policy/services.h"
#include "util/json.h"

/* No holes: it is compared as bytes. */
struct row_key {
	struct party src, dst;
	uint32_t service;
	uint32_t now, now_rule;
	uint32_t was, was_rule;
};

static struct party end_of(const struct compiled *c, const struct recording *r,
			   const struct bh_addr *addr, uint32_t word)
{
	struct recorded_who who = recorded_who(c, r, addr, word);

	return party_of_who(c, &who, addr);
}

static void add_change(struct replay *replay, struct map *places, const struct replay_row *change)
{
	const struct row_key key = {
		.src = change->src,
		.dst = change->dst,
		.service = (uint32_t)change->table << 16 | change->number,
		.now = change->now.verdict,
		.now_rule = change->now.rule,
		.was = change->was,
		.was_rule = change->was_rule,
	};
	struct replay_row *row;
	bool is_new;
	size_t place = map_put(places, &key, sizeof(key), replay->rows.count, &is_new)[0];

	if (is_new)
		vec_push(&replay->rows, *change);
	row = &replay->rows.items[place];
	if (!is_new)
		row->events += change->events;
	row->connections++;
	*(BH_VERDICT_PASSES(change->now.verdict) ? &replay->allowed : &replay->denied) += 1;
}

static int row_cmp(const void *left, const void *right)
{
	const struct replay_row *a = left, *b = right;
	unsigned int passes_a = BH_VERDICT_PASSES(a->now.verdict);
	unsigned int passes_b = BH_VERDICT_PASSES(b->now.verdict);
	int order;

	if (passes_a != passes_b)
		return passes_a < passes_b ? -1 : 1;
	if (a->events != b->events)
		return a->events > b->events ? -1 : 1;
	order = memcmp(&a->src, &b->src, sizeof(a->src));
	if (!order)
		order = memcmp(&a->dst, &b->dst, sizeof(a->dst));
	if (!order)
		order = (int)a->table - (int)b->table;
	if (!order)
		order = (int)a->number - (int)b->number;
	return order ? order : (int)a->was_rule - (int)b->was_rule;
}

void replay_run(const struct compiled *c, const struct recording *r, struct replay *ret)
{
	struct map places = {};

	*ret = (struct replay){.events = r->events, .connections = r->connections.count};
	vec_foreach (k, &r->connections) {
		struct replay_row change = {
			.now = recorded_decide(c, r, k),
			.was = (enum bh_verdict)k->verdict,
		};

		if (BH_VERDICT_PASSES(change.now.verdict) == BH_VERDICT_PASSES(k->verdict))
			continue;
		change.src = end_of(c, r, &k->src, k->src_word);
		change.dst = end_of(c, r, &k->dst, k->dst_word);
		change.table = (enum bh_service_table)k->table;
		change.number = k->number;
		change.was_rule = k->rule;
		change.events = k->events;
		add_change(ret, &places, &change);
	}
	if (ret->rows.count)
		qsort(ret->rows.items, ret->rows.count, sizeof(*ret->rows.items), row_cmp);
	map_release(&places);
}

void replay_release(struct replay *r)
{
	vec_release(&r->rows);
}

/* The place of the rule that decides now, "FILE:LINE:COLUMN"; nothing for what is built in. */
static void add_place(const struct compiled *c, uint32_t rule, struct text *out)
{
	const struct span *at;

	if (rule < BH_RULE_FIRST)
		return;
	at = &c->policy->rules.items[rule - BH_RULE_FIRST].at;
	if (at->source)
		text_addf(out, "%s:%u:%u", at->source->name, at->line, at->column);
}

static void add_row(const struct compiled *c, const struct recording *recording,
		    const struct replay_row *row, struct text *out)
{
	const char *was_rule = recording_word(recording, row->was_rule);
	_text_ struct text place = TEXT_INIT;

	text_addc(out, BH_VERDICT_PASSES(row->now.verdict) ? '+' : '-');
	text_addc(out, ' ');
	party_format(c->policy, &row->src, out);
	text_add(out, " -> ");
	party_format(c->policy, &row->dst, out);
	text_addc(out, ' ');
	service_format(row->table, row->number, out);
	text_addf(out, ": %" PRIu64 " events, %" PRIu64 " connections, %s %s", row->events,
		  row->connections, verdict_word(row->now.verdict),
		  compiled_rule_name(c, row->now.rule));
	add_place(c, row->now.rule, &place);
	if (place.len) {
		text_add(out, " at ");
		text_add_plain(out, place.buf, place.len);
	}
	text_addf(out, ", was %s", verdict_word(row->was));
	if (was_rule) {
		text_addc(out, ' ');
		text_add_plain(out, was_rule, strlen(was_rule));
	}
	text_addc(out, '\n');
}

void replay_text(const struct compiled *c, const struct recording *recording,
		 const struct replay *replay, struct text *out)
{
	vec_foreach (row, &replay->rows)
		add_row(c, recording, row, out);
	text_addf(out,
		  "%" PRIu64 " events, %" PRIu64 " connections, %" PRIu64 " newly allowed, %" PRIu64
		  " newly denied\n",
		  replay->events, replay->connections, replay->allowed, replay->denied);
}

static void row_json(const struct compiled *c, const struct recording *recording,
		     const struct replay_row *row, struct json *json)
{
	_text_ struct text from = TEXT_INIT;
	_text_ struct text to = TEXT_INIT;
	_text_ struct text service = TEXT_INIT;
	_text_ struct text place = TEXT_INIT;

	party_format(c->policy, &row->src, &from);
	party_format(c->policy, &row->dst, &to);
	service_format(row->table, row->number, &service);
	add_place(c, row->now.rule, &place);
	json_object(json, NULL);
	json_string(json, "change",
		    BH_VERDICT_PASSES(row->now.verdict) ? "newly-allowed" : "newly-denied");
	json_string(json, "from", from.buf);
	json_string(json, "to", to.buf);
	json_string(json, "service", service.buf);
	json_number(json, "events", row->events);
	json_number(json, "connections", row->connections);
	json_string(json, "verdict", verdict_word(row->now.verdict));
	json_string(json, "rule", compiled_rule_name(c, row->now.rule));
	json_string(json, "rule_at", place.len ? place.buf : NULL);
	json_string(json, "was_verdict", verdict_word(row->was));
	json_string(json, "was_rule", recording_word(recording, row->was_rule));
	json_end(json, '}');
}

void replay_json(const struct compiled *c, const struct recording *recording,
		 const struct replay *replay, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_array(&json, "changes");
	vec_foreach (row, &replay->rows)
		row_json(c, recording, row, &json);
	json_end(&json, ']');
	json_number(&json, "events", replay->events);
	json_number(&json, "connections", replay->connections);
	json_number(&json, "newly_allowed", replay->allowed);
	json_number(&json, "newly_denied", replay->denied);
	json_end(&json, '}');
	text_addc(out, '\n');
}
