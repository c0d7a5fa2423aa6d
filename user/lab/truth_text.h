/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The services of a pair as one line of text, families merged where they agree. */
#ifndef LAB_TRUTH_TEXT_H
#define LAB_TRUTH_TEXT_H

#include "lab/plan.h"
#include "policy/compile.h"

enum truth_side {
	TRUTH_EXPECTED, /* what should get through, with the rules that say so */
	TRUTH_SEEN,     /* what got through, and what else is not as it should be */
};

/*
 * Of the @count probes of one pair.  "tcp/80, tcp/443 (internet-to-edge)", "none", "all (open)", or
 * "v4: …; v6: …" where the families differ; to be freed.
 */
char *truth_text(const struct compiled *c, const struct lab_plan *plan,
		 const struct lab_probe *probes, size_t count, enum truth_side side);

#endif
