/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/rule_stats.h"

#include <string.h>

#include <bulkhead/limits.h>

#include "util/map.h"
#include "util/mem.h"

#define PAGE_RULES 64

/* Most of many rules never decide anything: only pages on which one has are there. */
struct rule_stat_page {
	struct rule_stat of[PAGE_RULES];
};

static struct rule_stat *find(const struct rule_stats *rs, size_t rule)
{
	struct rule_stat_page *page = rule < rs->count ? rs->pages[rule / PAGE_RULES] : NULL;

	return page ? &page->of[rule % PAGE_RULES] : NULL;
}

static struct rule_stat *make(struct rule_stats *rs, size_t rule)
{
	struct rule_stat_page **page = &rs->pages[rule / PAGE_RULES];

	if (!*page)
		*page = xcalloc(1, sizeof(**page));
	return &(*page)->of[rule % PAGE_RULES];
}

static struct rule_count plus(const struct rule_count *a, const struct rule_count *b)
{
	return (struct rule_count){
		.packets = a->packets + b->packets,
		.bytes = a->bytes + b->bytes,
		.delivered = a->delivered + b->delivered,
		.suppressed = a->suppressed + b->suppressed,
		.lost = a->lost + b->lost,
	};
}

static struct rule_count minus(const struct rule_count *a, const struct rule_count *b)
{
	return (struct rule_count){
		.packets = a->packets - b->packets,
		.bytes = a->bytes - b->bytes,
		.delivered = a->delivered - b->delivered,
		.suppressed = a->suppressed - b->suppressed,
		.lost = a->lost - b->lost,
	};
}

static bool is_nothing(const struct rule_count *count)
{
	return !(count->packets | count->bytes | count->delivered | count->suppressed |
		 count->lost);
}

void rule_stats_sample(struct rule_stats *rs, size_t first, const struct rule_count *counts,
		       size_t count, uint64_t now_ns)
{
	for (size_t i = 0; i < count && first + i < rs->count; i++) {
		struct rule_stat *stat = find(rs, first + i);

		if (!stat && is_nothing(&counts[i]))
			continue;
		if (!stat)
			stat = make(rs, first + i);
		if (counts[i].packets != stat->seen.packets)
			stat->last_hit_ns = now_ns;
		stat->seen = counts[i];
	}
}

static void index_rules(const struct policy *policy, struct map *numbers)
{
	for (size_t i = 0; policy && i < policy->rules.count; i++) {
		const char *name = policy->rules.items[i].name;

		map_put(numbers, name, strlen(name), BH_RULE_FIRST + i, NULL);
	}
}

static void rule_stats_init(struct rule_stats *rs, size_t count)
{
	rs->count = count;
	rs->pages = xcalloc((count + PAGE_RULES - 1) / PAGE_RULES, sizeof(*rs->pages));
}

void rule_stats_move(struct rule_stats *rs, const struct policy *from, const struct policy *to)
{
	_cleanup_(map_release)
	struct map numbers = {};
	struct rule_stats moved;

	rule_stats_init(&moved, BH_RULE_FIRST + to->rules.count);
	index_rules(from, &numbers);
	for (size_t i = 0; i < moved.count; i++) {
		const struct rule_stat *stat;
		uint64_t number = i, *found;

		if (i >= BH_RULE_FIRST) {
			const char *name = to->rules.items[i - BH_RULE_FIRST].name;

			found = map_get(&numbers, name, strlen(name));
			number = found ? *found : rs->count;
		}
		stat = find(rs, number);
		if (!stat || (is_nothing(&stat->carried) && is_nothing(&stat->seen)))
			continue;
		*make(&moved, i) = (struct rule_stat){
			.carried = plus(&stat->carried, &stat->seen),
			.last_hit_ns = stat->last_hit_ns,
		};
	}
	rule_stats_release(rs);
	*rs = moved;
}

struct rule_count rule_stats_seen(const struct rule_stats *rs, uint32_t rule)
{
	const struct rule_stat *stat = find(rs, rule);

	return stat ? stat->seen : (struct rule_count){};
}

void rule_stats_resume(struct rule_stats *rs, const struct rule_count *counts, size_t count)
{
	for (size_t i = 0; i < count && i < rs->count; i++) {
		struct rule_stat *stat = find(rs, i);

		if (!stat && is_nothing(&counts[i]))
			continue;
		if (!stat)
			stat = make(rs, i);
		stat->carried = minus(&stat->carried, &counts[i]);
		stat->seen = counts[i];
	}
}

void rule_stats_add(struct rule_stats *rs, uint32_t rule, const struct rule_count *count)
{
	struct rule_stat *stat;

	if (rule >= rs->count)
		return;
	stat = make(rs, rule);
	stat->carried = plus(&stat->carried, count);
}

struct rule_count rule_stats_total(const struct rule_stats *rs, uint32_t rule)
{
	const struct rule_stat *stat = find(rs, rule);

	return stat ? plus(&stat->carried, &stat->seen) : (struct rule_count){};
}

uint64_t rule_stats_last_hit(const struct rule_stats *rs, uint32_t rule)
{
	const struct rule_stat *stat = find(rs, rule);

	return stat ? stat->last_hit_ns : 0;
}

void rule_stats_release(struct rule_stats *rs)
{
	for (size_t i = 0; i * PAGE_RULES < rs->count; i++)
		free(rs->pages[i]);
	free(rs->pages);
	*rs = (struct rule_stats){};
}
