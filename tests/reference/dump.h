/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy's model for people who look for a mistake: everything that decides, on a few lines. */
#ifndef REFERENCE_DUMP_H
#define REFERENCE_DUMP_H

#include "tests/reference/reference.h"
#include "util/text.h"

void dump_policy(const struct policy *p, struct text *out);

#endif
