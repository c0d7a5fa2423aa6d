/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/map.h"

#define KEYS_COMPARED 16 /* larger mappings are searched for duplicates with a table */

bool node_is_null(const struct node *n)
{
	static const char *const words[] = {"", "null", "~", "Null", "NULL"};

	if (n->kind != NODE_TEXT || !n->is_plain)
		return false;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(n->text, words[i]))
			return true;
	}
	return false;
}

const char *node_word(const struct node *n)
{
	static const char *const words[] = {
		[NODE_TEXT] = "text",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a mapping",
	};

	return words[n->kind];
}

struct node *yaml_tree_node(struct yaml_tree *t, enum node_kind kind, struct span at)
{
	struct node *n = arena_take(&t->out->arena, sizeof(*n), _Alignof(struct node));

	*n = (struct node){.kind = kind, .size = 1, .height = kind != NODE_TEXT, .at = at};
	return n;
}

/* A missing value has no place of its own that a caret could show. */
static void place_missing(struct node *n, const struct node *key)
{
	if (!node_is_missing(n))
		return;
	if (key)
		n->at = key->at;
	else if (n->at.column > 1)
		n->at.column--;
}

static int add_key(struct yaml_tree *t, struct yaml_frame *top, struct node *n)
{
	if (n->kind != NODE_TEXT) {
		diag_error(t->diags, n->at, "%s can't be a key; quote it if it is text",
			   node_word(n));
		return -EINVAL;
	}
	top->key = n;
	if (n->is_plain && !strcmp(n->text, "<<")) {
		diag_error(t->diags, n->at, "merge keys are not accepted; write the keys out");
		return 0; /* neither it nor its value is seen by anyone */
	}
	*top->tail = n;
	top->tail = &n->next;
	top->node->count++;
	return 0;
}

int yaml_tree_attach(struct yaml_tree *t, struct node *n)
{
	struct yaml_frame *top = t->depth ? &t->stack[t->depth - 1] : NULL;
	struct node *parent;

	if (!top) {
		if (!node_is_missing(n))
			vec_push(&t->out->documents, n);
		return 0;
	}
	parent = top->node;
	parent->size += n->size;
	parent->is_odd = parent->is_odd || n->is_odd;
	if (parent->height <= n->height)
		parent->height = n->height + 1;
	if (parent->kind == NODE_MAP && !top->key)
		return add_key(t, top, n);

	place_missing(n, top->key);
	if (parent->kind == NODE_MAP) {
		top->key->value = n;
		top->key = NULL;
		return 0;
	}
	*top->tail = n;
	top->tail = &n->next;
	parent->count++;
	return 0;
}

int yaml_tree_too_deep(struct yaml_tree *t, struct span at)
{
	diag_error(t->diags, at, "nested more than %d levels deep", YAML_DEPTH);
	return -EINVAL;
}

int yaml_tree_begin(struct yaml_tree *t, struct node *n)
{
	if (t->depth == YAML_DEPTH)
		return yaml_tree_too_deep(t, n->at);
	t->stack[t->depth++] = (struct yaml_frame){.node = n, .tail = &n->first};
	return 0;
}

static void duplicate_key(struct yaml_tree *t, const struct node *first, const struct node *second)
{
	bool begins_document = !strcmp(second->text, "apiVersion");

	diag_error(t->diags, second->at, "the key '%.40s' is given twice%s", second->text,
		   begins_document ? "; a line '---' begins another document" : "");
	diag_note(t->diags, first->at, "first given here");
}

static void check_large_map(struct yaml_tree *t, const struct node *map)
{
	struct map seen = {};

	node_foreach(key, map)
	{
		uint64_t *place;
		bool is_new;

		place = map_put(&seen, key->text, strlen(key->text), (uintptr_t)key, &is_new);
		if (!is_new)
			duplicate_key(t, (const struct node *)(uintptr_t)*place, key);
	}
	map_release(&seen);
}

static bool is_same_text(const struct node *a, const struct node *b)
{
	return a->text[0] == b->text[0] && !strcmp(a->text, b->text);
}

static void check_keys(struct yaml_tree *t, const struct node *map)
{
	if (map->count > KEYS_COMPARED) {
		check_large_map(t, map);
		return;
	}
	node_foreach(key, map)
	{
		const struct node *first = map->first;

		while (first != key && !is_same_text(first, key))
			first = first->next;
		if (first != key)
			duplicate_key(t, first, key);
	}
}

int yaml_tree_end(struct yaml_tree *t)
{
	struct node *n;

	assert(t->depth);
	n = t->stack[--t->depth].node;
	if (n->kind == NODE_MAP)
		check_keys(t, n);
	return yaml_tree_attach(t, n);
}
