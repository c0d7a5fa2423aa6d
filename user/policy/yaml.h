/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* YAML text as a tree of nodes with their places.  Knows nothing of policies. */
#ifndef POLICY_YAML_H
#define POLICY_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/diag.h"
#include "util/source.h"
#include "util/vec.h"

#define YAML_DEPTH     100   /* collections within each other */
#define YAML_EXPANSION 10000 /* nodes that the aliases of a file may add */

enum node_kind {
	NODE_TEXT,
	NODE_LIST,
	NODE_MAP,
};

struct node {
	struct node *next; /* the next item or key beside it; NULL for the last, and for a value */
	union {
		const char *text;   /* NODE_TEXT: without NUL inside; has SUB if it is odd */
		struct node *first; /* NODE_LIST: items; NODE_MAP: keys, which are texts */
	};
	union {
		struct node *value; /* of a key of a mapping */
		const char *rest;   /* of a folded mapping: where it begins in the source */
	};
	struct span at;     /* a quoted text's quote; a missing value is at its key */
	unsigned int count; /* items or keys; of what is folded bytes, 0: the rest of the line */
	unsigned int size;  /* nodes of the whole tree under it and itself, aliases expanded */
	uint8_t height;     /* collections within each other, itself included */
	enum node_kind kind : 8;
	bool is_plain;      /* a text without quotes */
	bool is_odd : 1;    /* it or what is under it holds characters that no text of ours may */
	bool is_folded : 1; /* a mapping that was only looked through: see yaml_unfold() */
};

_Static_assert(sizeof(struct node) == 64, "policies have millions of them");

#define node_foreach(item, parent)                                                                 \
	for (const struct node *item = (parent)->first; item; item = item->next)

/* A key without a value, or a list item without anything. */
static inline bool node_is_missing(const struct node *n)
{
	return n->kind == NODE_TEXT && n->is_plain && !n->text[0];
}

/* Missing, or the plain word null. */
bool node_is_null(const struct node *n);

/* "text", "a list" or "a mapping". */
const char *node_word(const struct node *n);

struct yaml {
	struct arena arena;
	VEC(struct node *) documents; /* without the empty ones */
	size_t folded;                /* entries */
};

enum yaml_folding {
	YAML_UNFOLDED,
	YAML_FOLDED,        /* what is folded was looked through, and is well formed */
	YAML_FOLDED_UNSEEN, /* it may be anything, until somebody has read all of it */
};

/*
 * 0, or -EINVAL if the text is not YAML within the bounds: then the documents before the error are
 * there.  Duplicate keys, merge keys and tags are errors in @d that don't stop it.  *ret is zeroed
 * before; @source outlives it.
 */
int yaml_parse(const struct source *source, struct diags *d, struct yaml *ret);

/*
 * The same, where mappings in braces that are entries may be folded: items of a list that is a
 * value of a value of the document, such as spec.rules.  A policy may have a million of them.  What
 * isn't seen takes less time; if anything is wrong then, the text must be parsed again to learn it.
 */
int yaml_parse_folded(const struct source *source, enum yaml_folding folding, struct diags *d,
		      struct yaml *ret);

/*
 * What the node is; valid until @room, zeroed before, is cleared or released.  With an error that
 * only says that there is one if it was not seen, and is not well formed.
 */
const struct node *yaml_unfold(const struct node *n, struct diags *d, struct yaml *room);

/* All that is folded in a document of @y. */
void yaml_unfold_all(struct yaml *y, struct node *document, struct diags *d);

/* The same as yaml_parse(), without trying the quick way first. */
int yaml_parse_in_full(const struct source *source, struct diags *d, struct yaml *ret);

void yaml_release(struct yaml *y);

#endif
