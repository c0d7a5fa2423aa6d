/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of many things have a label: requirements on labels as sets, without trying each thing. */
#ifndef POLICY_LABEL_INDEX_H
#define POLICY_LABEL_INDEX_H

#include "policy/model.h"
#include "util/lists.h"
#include "util/numbering.h"

/* A key with a value, or with any. */
struct label_word {
	const char *key;
	const char *value; /* NULL: any */
};

struct label_index {
	size_t things;
	struct numbering numbers; /* of words */
	VEC(struct label_word) words;
	struct lists by_label; /* number of a word -> things */
};

/* @own: the labels of each thing, NULL for one without; their texts outlive the index. */
void label_index_build(struct label_index *x, const labels *const *own, size_t things);
void label_index_release(struct label_index *x);

/* Takes out of @set those that don't satisfy every requirement. */
void label_index_require(const struct label_index *x, const requirements *r, uint64_t *set);

/*
 * The same for one label and what its value is: adds those of @a and @b that satisfy it to @set,
 * and looks at no others.  False, and nothing is done: the requirements are others.
 */
bool label_index_add_listed(const struct label_index *x, const requirements *r, const uint64_t *a,
			    const uint64_t *b, uint64_t *set);

/* The things of one label with one value.  False if other things are required. */
bool label_index_find(const struct label_index *x, const requirements *r, struct list *ret);

#endif
