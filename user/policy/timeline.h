/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the rules that match one (source, destination, service) come to, now and after each of them
 * that will expire has, and the cell that follows from it.
 */
#ifndef POLICY_TIMELINE_H
#define POLICY_TIMELINE_H

#include "policy/matches.h"

/* One match after the other. */
struct timeline_run {
	int64_t until;    /* TIMELINE_END in the last */
	uint64_t matches; /* number in the match table; as wide, so that a run has no holes */
};

#define TIMELINE_END INT64_MAX

typedef VEC(struct timeline_run) timeline_runs;

struct timeline_span {
	uint32_t first, count; /* into timelines.runs */
};

/*
 * Timelines by number, as matches have them: 0 is none, 1 + i is rule i alone, and the rest are
 * listed.  Without a rule that expires they are the numbers of matches.
 */
struct timelines {
	struct match_table table;
	bool is_timed;
	struct map numbers;
	timeline_runs runs; /* of all that are listed */
	VEC(struct timeline_span) list;
	later_list *later;      /* NULL: as if no rule expired */
	struct map places;      /* in it */
	timeline_runs old, new; /* scratch */
};

/* Rules that have expired @now must not be added. */
void timelines_init(struct timelines *t, const struct policy *p, int64_t now, later_list *later);
void timelines_release(struct timelines *t);

/* The number of @timeline and a rule more. */
uint32_t timelines_add(struct timelines *t, uint32_t timeline, uint32_t rule);

/*
 * The cell of the timeline with this number; with BH_CELL_LATER if it changes.  More than
 * BH_LATER_MAX changes are too many: those after them become one, to a denial if there is any.
 */
uint32_t timelines_cell(struct timelines *t, uint32_t timeline, posture ends);

#endif
