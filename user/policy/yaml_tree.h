/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nodes put together as a reader meets them, from the first character to the last. */
#ifndef POLICY_YAML_TREE_H
#define POLICY_YAML_TREE_H

#include "policy/yaml.h"

/* A collection that isn't finished. */
struct yaml_frame {
	struct node *node;
	struct node **tail; /* where the next item or key goes */
	struct node *key;   /* a key that waits for its value */
	const char *anchor; /* NULL: none */
};

/* All but the first two are zeroed before. */
struct yaml_tree {
	struct diags *diags;
	struct yaml *out;
	unsigned int depth;
	struct yaml_frame stack[YAML_DEPTH];
};

struct node *yaml_tree_node(struct yaml_tree *t, enum node_kind kind, struct span at);

/* Puts a finished node where it belongs: the next document, item, key or value. */
int yaml_tree_attach(struct yaml_tree *t, struct node *n);

/* Begins and finishes a collection.  -EINVAL, with a diagnostic: too deep; or as above. */
int yaml_tree_begin(struct yaml_tree *t, struct node *n);
int yaml_tree_end(struct yaml_tree *t);

int yaml_tree_too_deep(struct yaml_tree *t, struct span at);

#endif
