/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Strings that are in memory once however many have them. */
#ifndef UTIL_INTERN_H
#define UTIL_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct interned;

struct interner {
	struct interned **slots; /* by hash, each a chain; the number is a power of two */
	size_t size;
	size_t count;
	uint64_t last; /* number that was given */
};

/* The one that is equal to @text; its user has to drop it, before the interner is released. */
const char *intern(struct interner *in, const char *text);
void intern_drop(struct interner *in, const char *text); /* which may be NULL */

/* Another one for every string that there has ever been, equal or not. */
uint64_t intern_number(const char *text);

/* What is still in it has no users any more. */
void interner_release(struct interner *in);

#endif
