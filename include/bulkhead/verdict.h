/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the policy says of a connection. */
#ifndef BULKHEAD_VERDICT_H
#define BULKHEAD_VERDICT_H

/*
 * Numbers are stored in cells and events.  Deny is zero, so that zeroed memory is closed; bit 0 is
 * set in those that let the packet through.
 */
/* clang-format off */
#define BH_VERDICTS(X)                                                 \
	X(DENY,   "deny",   "dropped")                                 \
	X(ALLOW,  "allow",  "let through")                             \
	X(REJECT, "reject", "dropped, and the sender is told")         \
	X(AUDIT,  "audit",  "would be denied, let through, reported")

enum bh_verdict {
#define X(id, word, help) BH_VERDICT_##id,
	BH_VERDICTS(X)
#undef X
	BH_VERDICT_COUNT
};
/* clang-format on */

#define BH_VERDICT_PASSES(verdict) ((verdict)&1)

#endif
