/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/rule_stats.h"

#include <string.h>

#include <bulkhead/limits.h>

#include "util/map.h"
#include "util/mem.h"

void rule_stats_sample(struct rule_stats *rs, const struct rule_count *counts, size_t count,
		       uint64_t now_ns)
{
	for (size_t i = 0; i < count && i < rs->list.count; i++) {
		struct rule_stat *stat = &rs->list.items[i];

		if (counts[i].packets != stat->seen.packets)
			stat->last_hit_ns = now_ns;
		stat->seen = counts[i];
	}
}

static void add_since(struct rule_count *sum, const struct rule_count *now,
		      const struct rule_count *then)
{
	sum->packets += now->packets - then->packets;
	sum->bytes += now->bytes - then->bytes;
	sum->delivered += now->delivered - then->delivered;
	sum->suppressed += now->suppressed - then->suppressed;
	sum->lost += now->lost - then->lost;
}

static struct rule_stat retire(const struct rule_stat *old)
{
	struct rule_stat stat = *old;

	add_since(&stat.retired, &old->seen, &old->base);
	stat.seen = stat.base = (struct rule_count){};
	return stat;
}

static void index_rules(const struct policy *policy, struct map *numbers)
{
	for (size_t i = 0; policy && i < policy->rules.count; i++) {
		const char *name = policy->rules.items[i].name;

		map_put(numbers, name, strlen(name), BH_RULE_FIRST + i, NULL);
	}
}

void rule_stats_move(struct rule_stats *rs, const struct policy *from, const struct policy *to)
{
	_cleanup_(map_release)
	struct map numbers = {};
	struct rule_stats moved = {};

	index_rules(from, &numbers);
	for (size_t i = 0; i < BH_RULE_FIRST + to->rules.count; i++) {
		struct rule_stat stat = {};
		uint64_t number = i, *found = NULL;

		if (i >= BH_RULE_FIRST) {
			const char *name = to->rules.items[i - BH_RULE_FIRST].name;

			found = map_get(&numbers, name, strlen(name));
			number = found ? *found : rs->list.count;
		}
		if (number < rs->list.count)
			stat = retire(&rs->list.items[number]);
		vec_push(&moved.list, stat);
	}
	rule_stats_release(rs);
	*rs = moved;
}

void rule_stats_resume(struct rule_stats *rs, const struct rule_count *counts, size_t count)
{
	for (size_t i = 0; i < count && i < rs->list.count; i++)
		rs->list.items[i].seen = rs->list.items[i].base = counts[i];
}

void rule_stats_add(struct rule_stats *rs, uint32_t rule, const struct rule_count *count)
{
	static const struct rule_count nothing;

	if (rule < rs->list.count)
		add_since(&rs->list.items[rule].retired, count, &nothing);
}

struct rule_count rule_stats_total(const struct rule_stats *rs, uint32_t rule)
{
	const struct rule_stat *stat;
	struct rule_count total;

	if (rule >= rs->list.count)
		return (struct rule_count){};
	stat = &rs->list.items[rule];
	total = stat->retired;
	add_since(&total, &stat->seen, &stat->base);
	return total;
}

uint64_t rule_stats_last_hit(const struct rule_stats *rs, uint32_t rule)
{
	return rule < rs->list.count ? rs->list.items[rule].last_hit_ns : 0;
}

void rule_stats_release(struct rule_stats *rs)
{
	vec_release(&rs->list);
}
