/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the policy says of a connection. */
#ifndef BULKHEAD_VERDICT_H
#define BULKHEAD_VERDICT_H

/* Deny is zero, so that zeroed memory is closed.  Numbers are stored in cells and events. */
/* clang-format off */
#define BH_VERDICTS(X)                                                 \
	X(DENY,   "deny",   "dropped")                                 \
	X(ALLOW,  "allow",  "let through")                             \
	X(AUDIT,  "audit",  "would be denied, let through, reported")

enum bh_verdict {
#define X(id, word, help) BH_VERDICT_##id,
	BH_VERDICTS(X)
#undef X
	BH_VERDICT_COUNT
};
/* clang-format on */

#endif
