/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What rules decided, and what became of the events of that. */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/event_places.h"
#include "datapath/internal.h"
#include "datapath/table_view.h"
#include "util/mem.h"

/* Of @count rules of a slot, from @first on: which pages those are on, over both slots. */
struct page_span {
	uint32_t first, count;
	uint32_t skipped; /* rules of the first page before them */
};

static int span_of(const struct datapath *dp, uint32_t slot, size_t first, size_t count,
		   struct page_span *ret)
{
	uint32_t half = dp->tables.rule_entries / BH_SLOTS;

	if (slot >= BH_SLOTS || first > half || count > half - first)
		return -EINVAL;
	ret->first = (slot * half + (uint32_t)first) / BH_RULE_PAGE;
	ret->skipped = first % BH_RULE_PAGE;
	ret->count = event_places_pages(ret->skipped + (uint32_t)count);
	return 0;
}

int datapath_read_rules(struct datapath *dp, uint32_t slot, size_t first, size_t count,
			struct bh_count *ret)
{
	_free_ struct bh_count_page *sums = NULL;
	struct page_span span;
	int err = span_of(dp, slot, first, count, &span);

	if (err)
		return err;
	sums = xcalloc(span.count + 1, sizeof(*sums));
	err = counters_read(dp, dp->skel->maps.bh_rule_counts, span.first, span.count, sums);
	if (!err)
		memcpy(ret, sums->of + span.skipped, count * sizeof(*ret));
	return err;
}

/* --- what became of rules' events --- */

/* Those of rules that have places, onto the pages that the rules are on. */
static int read_placed(struct datapath *dp, const struct bh_event_places *places, size_t count,
		       struct bh_tally_page *ret)
{
	uint32_t first = UINT32_MAX, end = 0, page;
	_free_ struct bh_tally_page *sums = NULL;
	int err;

	for (size_t i = 0; i < count; i++) {
		uint32_t used = (uint32_t)__builtin_popcountll(places[i].rules);

		if (used && places[i].first < first)
			first = places[i].first;
		if (used && places[i].first + used > end)
			end = places[i].first + used;
	}
	if (first >= end)
		return 0;
	page = first / BH_RULE_PAGE;
	sums = xcalloc(event_places_pages(end) - page, sizeof(*sums));
	err = counters_read(dp, dp->skel->maps.bh_rule_events, page, event_places_pages(end) - page,
			    sums);
	for (size_t i = 0; !err && i < count; i++) {
		const struct bh_tally *from = sums->of + places[i].first - page * BH_RULE_PAGE;

		for (uint64_t left = places[i].rules; left; left &= left - 1)
			ret[i].of[__builtin_ctzll(left)] = *from++;
	}
	return err;
}

/* Pages that there are of those that have none. */
static int read_rare(struct datapath *dp, const struct page_span *span, struct bh_tally_page *ret)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_rare_events);
	_keys_ struct keys keys = {};
	int err = keys_read(fd, sizeof(uint32_t), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		uint32_t page = *(const uint32_t *)KEY_AT(&keys, i);
		struct bh_tally_page rare;

		if (page - span->first >= span->count || bpf_map_lookup_elem(fd, &page, &rare))
			continue;
		for (size_t rule = 0; rule < BH_RULE_PAGE; rule++)
			tally_add(&ret[page - span->first].of[rule], &rare.of[rule]);
	}
	return err;
}

int datapath_read_rule_events(struct datapath *dp, uint32_t slot, size_t first, size_t count,
			      struct bh_tally *ret)
{
	_free_ struct bh_tally_page *sums = NULL;
	_table_view_ struct table_view places = {};
	struct page_span span;
	int err = span_of(dp, slot, first, count, &span);

	if (err)
		return err;
	sums = xcalloc(span.count + 1, sizeof(*sums));
	err = table_view_open(&dp->tables.of[TABLE_EVENT_PLACES], span.first,
			      span.count * sizeof(struct bh_event_places), &places);
	if (!err)
		err = read_placed(dp, places.bytes, span.count, sums);
	if (!err)
		err = read_rare(dp, &span, sums);
	if (!err)
		memcpy(ret, sums->of + span.skipped, count * sizeof(*ret));
	return err;
}

/* No rule's place comes later among the slot's than the rule does among its rules. */
static int clear_placed(struct datapath *dp, uint32_t slot, uint32_t page, uint32_t pages)
{
	uint32_t half = dp->tables.event_entries / BH_SLOTS / BH_RULE_PAGE;

	if (page >= half)
		return 0;
	return counters_clear(dp, dp->skel->maps.bh_rule_events, slot * half + page,
			      pages < half - page ? pages : half - page);
}

static int drop_rare(struct datapath *dp, const struct page_span *span)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_rare_events);
	_keys_ struct keys keys = {};
	int err = keys_read(fd, sizeof(uint32_t), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		const uint32_t *page = KEY_AT(&keys, i);
		const struct entries one = {page, sizeof(*page), NULL, 0, 1};

		if (*page - span->first < span->count)
			err = entries_drop(fd, &one);
	}
	return err;
}

int counters_clear_rules(struct datapath *dp, uint32_t slot, uint32_t first, uint32_t count)
{
	uint32_t half = dp->tables.rule_entries / BH_SLOTS;
	struct page_span span;
	int err;

	if (first > half)
		first = half;
	if (count > half - first)
		count = half - first;
	if (!count)
		return 0;
	err = span_of(dp, slot, first, count, &span);
	if (!err)
		err = counters_clear(dp, dp->skel->maps.bh_rule_counts, span.first, span.count);
	if (!err)
		err = clear_placed(dp, slot, first / BH_RULE_PAGE, span.count);
	return err ? err : drop_rare(dp, &span);
}
