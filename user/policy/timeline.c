/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/timeline.h"

#include <assert.h>

void timelines_init(struct timelines *t, const struct policy *p, int64_t now, later_list *later)
{
	*t = (struct timelines){.later = later};
	match_table_init(&t->table, p);
	vec_foreach (rule, &p->rules)
		t->is_timed |= later && rule->expires > now;
}

void timelines_release(struct timelines *t)
{
	match_table_release(&t->table);
	map_release(&t->numbers);
	map_release(&t->places);
	vec_release(&t->runs);
	vec_release(&t->list);
	vec_release(&t->old);
	vec_release(&t->new);
}

static size_t rule_count(const struct timelines *t)
{
	return t->table.policy->rules.count;
}

/* When a rule ends. */
static int64_t end_of(const struct timelines *t, size_t rule)
{
	int64_t expires = t->table.policy->rules.items[rule].expires;

	return expires ? expires : TIMELINE_END;
}

/* Appends a run; one that goes on as the run before makes that longer. */
static void push_run(timeline_runs *runs, int64_t until, uint64_t matches)
{
	if (runs->count && runs->items[runs->count - 1].matches == matches)
		runs->items[runs->count - 1].until = until;
	else
		vec_push(runs, (struct timeline_run){until, matches});
}

/* Replaces @ret by the runs of the timeline with this number. */
static void expand(const struct timelines *t, uint32_t timeline, timeline_runs *ret)
{
	const struct timeline_span *span;

	ret->count = 0;
	if (timeline > rule_count(t)) {
		span = &t->list.items[timeline - 1 - rule_count(t)];
		for (uint32_t i = 0; i < span->count; i++)
			vec_push(ret, t->runs.items[span->first + i]);
		return;
	}
	if (timeline)
		push_run(ret, end_of(t, timeline - 1), timeline);
	if (!timeline || end_of(t, timeline - 1) != TIMELINE_END)
		push_run(ret, TIMELINE_END, 0);
}

/* The number of the timeline of these runs. */
static uint32_t number_of(struct timelines *t, const timeline_runs *runs)
{
	uint64_t matches = runs->items[0].matches, number;
	bool is_new;

	if (runs->count == 1 && matches <= rule_count(t) &&
	    (!matches || end_of(t, matches - 1) == TIMELINE_END))
		return (uint32_t)matches;
	number = *map_put(&t->numbers, runs->items, runs->count * sizeof(*runs->items),
			  t->list.count, &is_new);
	if (is_new) {
		struct timeline_span span = {(uint32_t)t->runs.count, (uint32_t)runs->count};

		vec_push(&t->list, span);
		for (size_t i = 0; i < runs->count; i++)
			vec_push(&t->runs, runs->items[i]);
	}
	return (uint32_t)(number + 1 + rule_count(t));
}

uint32_t timelines_add(struct timelines *t, uint32_t timeline, uint32_t rule)
{
	int64_t start = INT64_MIN, end;

	if (!t->is_timed)
		return match_table_add(&t->table, timeline, rule);
	end = end_of(t, rule);
	expand(t, timeline, &t->old);
	t->new.count = 0;
	vec_foreach (run, &t->old) {
		uint32_t before = (uint32_t)run->matches;

		if (start < end)
			push_run(&t->new, run->until < end ? run->until : end,
				 match_table_add(&t->table, before, rule));
		if (run->until > end)
			push_run(&t->new, run->until, before);
		start = run->until;
	}
	return number_of(t, &t->new);
}

/* Turns the matches of runs into cells. */
static void to_cells(struct timelines *t, posture ends, timeline_runs *runs)
{
	size_t count = runs->count;

	runs->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct timeline_run run = runs->items[i];

		push_run(runs, run.until, match_table_cell(&t->table, (uint32_t)run.matches, ends));
	}
}

/* What all that comes after too many changes is taken for: a denial, if there is any. */
static void cut(timeline_runs *runs)
{
	uint64_t last;

	if (runs->count <= BH_LATER_MAX + 1)
		return;
	last = runs->items[runs->count - 1].matches;
	for (size_t i = runs->count - 1; i >= BH_LATER_MAX; i--) {
		if (!BH_VERDICT_PASSES(BH_CELL_VERDICT(runs->items[i].matches)))
			last = runs->items[i].matches;
	}
	runs->count = BH_LATER_MAX;
	push_run(runs, TIMELINE_END, last);
}

static uint32_t place_of(struct timelines *t, const struct bh_later *later)
{
	bool is_new;
	uint64_t place = *map_put(&t->places, later, sizeof(*later), t->later->count, &is_new);

	if (is_new)
		vec_push(t->later, *later);
	return (uint32_t)place;
}

uint32_t timelines_cell(struct timelines *t, uint32_t timeline, posture ends)
{
	timeline_runs *runs = &t->old;
	uint32_t cell;

	if (!t->is_timed)
		return match_table_cell(&t->table, timeline, ends);
	expand(t, timeline, runs);
	to_cells(t, ends, runs);
	cut(runs);
	assert(runs->items[runs->count - 1].until == TIMELINE_END);
	cell = (uint32_t)runs->items[runs->count - 1].matches;
	for (size_t i = runs->count - 1; i > 0; i--) {
		const struct timeline_run *run = &runs->items[i - 1];
		const struct bh_later later = {(uint64_t)run->until, (uint32_t)run->matches, cell};

		cell = place_of(t, &later) | BH_CELL_LATER;
	}
	return cell;
}
