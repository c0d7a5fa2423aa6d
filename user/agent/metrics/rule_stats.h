/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each rule has decided since the agent started, whatever number it had in which generation.
 */
#ifndef AGENT_METRICS_RULE_STATS_H
#define AGENT_METRICS_RULE_STATS_H

#include <bulkhead/counters.h>

#include "policy/model.h"

/* What a rule decided, and what became of the events of that. */
struct rule_count {
	uint64_t packets, bytes;
	uint64_t delivered, suppressed, lost;
};

struct rule_stat {
	struct rule_count seen;    /* in the slot in force, when it was last sampled */
	struct rule_count carried; /* what is to be added, modulo 2^64: of slots that are gone */
	uint64_t last_hit_ns;      /* on the wall, as exact as the samples are; 0: never */
};

/* By the rule's number in the policy in force. */
struct rule_stat_page;

struct rule_stats {
	struct rule_stat_page **pages; /* NULL: nothing was decided by any of its rules */
	size_t count;                  /* of rules */
};

/* What the slot in force has counted now, of so many rules from @first on. */
void rule_stats_sample(struct rule_stats *rs, size_t first, const struct rule_count *counts,
		       size_t count, uint64_t now_ns);

/* Another policy is in force, and counts from zero: totals go with the names.  @from may be NULL.
 */
void rule_stats_move(struct rule_stats *rs, const struct policy *from, const struct policy *to);

/* In the slot in force, when it was last sampled. */
struct rule_count rule_stats_seen(const struct rule_stats *rs, uint32_t rule);

/* The policy had counted that much already when it was left, and goes on from there. */
void rule_stats_resume(struct rule_stats *rs, const struct rule_count *counts, size_t count);

/* What was counted before the agent started. */
void rule_stats_add(struct rule_stats *rs, uint32_t rule, const struct rule_count *count);

struct rule_count rule_stats_total(const struct rule_stats *rs, uint32_t rule);
uint64_t rule_stats_last_hit(const struct rule_stats *rs, uint32_t rule);
void rule_stats_release(struct rule_stats *rs);

#endif
