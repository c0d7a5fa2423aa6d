/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Makes a policy on which something fails small: drops whatever it still fails without. */
#ifndef REFERENCE_SHRINK_H
#define REFERENCE_SHRINK_H

#include "policy/model.h"

typedef bool still_fails_fn(const struct policy *p, void *user);

/* What is dropped is not freed: the test has failed, and vectors keep their memory. */
struct shrink {
	struct policy *policy;
	still_fails_fn *still_fails;
	void *user;
	bool has_dropped; /* in this round */
};

/* Changes the policy in place. */
void shrink_policy(struct shrink *s);

#endif
