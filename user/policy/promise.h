/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checks what a policy promises of itself: `never` over every class, `expect` over every pair it
 * spans. */
#ifndef POLICY_PROMISE_H
#define POLICY_PROMISE_H

#include "policy/compile.h"

/*
 * A never must also hold for what the policy will be when every deny that expires has.
 *
 * Each broken one is an error at its entry, with a concrete address pair and service and a note at
 * the rule at fault.  Returns how many are broken.
 */
size_t promise_check_never(const struct compiled *c, struct diags *d);
size_t promise_check_expect(const struct compiled *c, struct diags *d);

/* Is told of each promise, in the policy's order, when it has been checked and reported. */
typedef void (*promise_visitor)(void *context, bool is_kept);

/* The same; @visit may be NULL. */
size_t promise_each_never(const struct compiled *c, struct diags *d, promise_visitor visit,
			  void *context);
size_t promise_each_expect(const struct compiled *c, struct diags *d, promise_visitor visit,
			   void *context);

#endif
