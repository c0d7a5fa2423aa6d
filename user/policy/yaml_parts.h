/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a folded mapping holds, as it is written, for who knows what it means without its nodes. */
#ifndef POLICY_YAML_PARTS_H
#define POLICY_YAML_PARTS_H

#include "policy/yaml.h"

struct yaml_word {
	const char *text; /* in the source, without NUL */
	size_t len;
};

struct yaml_part {
	struct yaml_word key, value;
};

/* A text that is an item or a value, with its quotes and without. */
struct yaml_item {
	struct yaml_word whole, text;
};

struct yaml_label {
	struct yaml_word key;
	struct yaml_item value;
};

/*
 * How many there are; 0 if there are more than @most, or quotes, or something is wrong, or if it
 * isn't folded.  Values that are lists or mappings may still be anything: who reads them sees.
 */
size_t yaml_parts(const struct node *n, struct yaml_part *parts, size_t most);

/* The same of a mapping among these values. */
size_t yaml_word_parts(const struct yaml_word *word, struct yaml_part *parts, size_t most);

/* Its place in the source. */
struct span yaml_word_at(const struct node *n, const struct yaml_word *word);

/* Whether it is a text, and no list or mapping. */
bool yaml_word_is_text(const struct yaml_word *word);

/* As a folded node, to be unfolded, of a mapping that is folded itself. */
struct node yaml_word_node(const struct node *n, const struct yaml_word *word);

/* Where one is in a list or a mapping. */
struct yaml_items {
	const char *at;
	char end; /* the bracket */
};

/*
 * The items of a list, or the keys and values of a mapping, one after the other.  False for what is
 * not simply texts, or not well formed.
 */
bool yaml_items_begin(const struct yaml_word *word, struct yaml_items *ret);
bool yaml_labels_begin(const struct yaml_word *word, struct yaml_items *ret);
bool yaml_items_end(const struct yaml_items *items);
bool yaml_items_next(struct yaml_items *items, struct yaml_item *ret);
bool yaml_labels_next(struct yaml_items *items, struct yaml_label *ret);

bool yaml_word_is(const struct yaml_word *word, const char *text);
bool yaml_word_same(const struct yaml_word *a, const struct yaml_word *b);

#endif
