/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Thousands of rules name the same few ends: they have one selector. */
#ifndef POLICY_SELECTOR_SHARE_H
#define POLICY_SELECTOR_SHARE_H

#include "policy/model.h"
#include "util/map.h"
#include "util/text.h"

struct selector_share {
	struct map known; /* content -> struct selector */
	struct text key;  /* scratch */
};

#define SELECTOR_SHARE_INIT                                                                        \
	{                                                                                          \
		.key = TEXT_INIT                                                                   \
	}

void selector_share_release(struct selector_share *share);

/*
 * Takes @s over, and returns it or one like it, whose place is where it was first named.  Only
 * selectors of whose place nothing is ever said are shared.  NULL stays NULL.
 */
struct selector *selector_share(struct selector_share *share, struct selector *s);

#endif
