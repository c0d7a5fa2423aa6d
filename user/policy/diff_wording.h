/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Few words for a set of addresses: names, all but some, prefixes. */
#ifndef POLICY_DIFF_WORDING_H
#define POLICY_DIFF_WORDING_H

#include "policy/diff_cover.h"

/* Says what the identities are; prefixes are shown with who owns them in @side's policy. */
void diff_end_word(struct namer *n, struct list identities, enum joint_side side,
		   struct diff_end *ret);
void diff_end_release(struct diff_end *e);

#endif
