/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The reference and the compiled tables of one random policy, for tests that compare them. */
#ifndef REFERENCE_RIVALS_H
#define REFERENCE_RIVALS_H

#include "policy/compile.h"
#include "tests/reference/random_policy.h"

struct reference rivals_reference(const struct random_policy *r);

/* Fails the test if it doesn't compile, or with a warning. */
struct compiled *rivals_compile(const struct random_policy *r);

void rivals_print(const struct random_policy *r, uint64_t seed);

/* A number in the environment. */
uint64_t rivals_given(const char *name, uint64_t otherwise);

#endif
