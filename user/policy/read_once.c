/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_once.h"

#include <string.h>

#define LISTS_MAX 16384 /* of services: where there are more, few are alike */

void read_once_release(struct read_once *o)
{
	map_release(&o->ends);
	map_release(&o->services);
	vec_release(&o->lists);
	text_release(&o->key);
}

static void add_word(struct text *key, const struct node *n)
{
	text_addn(key, n->text, strlen(n->text) + 1);
}

/* A text that is missing is an error, which one that is empty may not be. */
static bool is_word(const struct node *n)
{
	return n->kind == NODE_TEXT && !node_is_missing(n);
}

/* {labels: {KEY: VALUE}}: false for what else a mapping may be. */
static bool add_labels(struct text *key, const struct node *n)
{
	const struct node *list = n->first ? n->first->value : NULL;

	if (!list || n->first->next || list->kind != NODE_MAP ||
	    strcmp(n->first->text, "labels") != 0)
		return false;
	node_foreach(label, list)
	{
		if (!is_word(label->value))
			return false;
		add_word(key, label);
		add_word(key, label->value);
	}
	return list->first;
}

static bool add_end(struct text *key, const struct node *n)
{
	text_addc(key, (char)n->kind);
	switch (n->kind) {
	case NODE_TEXT:
		add_word(key, n);
		return is_word(n);
	case NODE_MAP:
		return add_labels(key, n);
	case NODE_LIST:
		break;
	}
	return false;
}

/* As it would be written in an entry: without quotes, it is nothing else. */
static bool is_own_key(const struct node *n, struct yaml_word *ret)
{
	if (!is_word(n) || !n->is_plain)
		return false;
	*ret = (struct yaml_word){n->text, strlen(n->text)};
	return true;
}

bool read_once_end_key(struct read_once *o, const struct node *n, struct yaml_word *ret)
{
	if (is_own_key(n, ret))
		return true;
	text_reset(&o->key);
	if (!add_end(&o->key, n))
		return false;
	*ret = (struct yaml_word){o->key.buf, o->key.len};
	return true;
}

bool read_once_services_key(struct read_once *o, const struct node *n, struct yaml_word *ret)
{
	const struct node *item = n->kind == NODE_LIST ? n->first : n;

	if (is_own_key(n, ret))
		return true;
	text_reset(&o->key);
	for (; item; item = item->next) {
		if (!is_word(item))
			return false;
		add_word(&o->key, item);
	}
	*ret = (struct yaml_word){o->key.buf, o->key.len};
	return o->key.len;
}

/* Whether nothing is ever said of its place. */
static bool is_placeless(const struct selector *s)
{
	switch (s->kind) {
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_ZONE:
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
		return true;
	case SELECT_PODS:
	case SELECT_NODES:
	case SELECT_CIDR:
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
	case SELECT_ONE_OF:
		break;
	}
	return false;
}

struct selector *read_once_end(const struct read_once *o, const struct yaml_word *key)
{
	const uint64_t *known = map_get(&o->ends, key->text, key->len);

	return known ? (struct selector *)(uintptr_t)*known : NULL;
}

struct selector *read_once_note_end(struct read_once *o, const struct yaml_word *key,
				    struct policy *p, struct selector *s)
{
	if (!s || !is_placeless(s))
		return s;
	vec_push(&p->shared, s);
	s->shared = (uint32_t)p->shared.count;
	map_put(&o->ends, key->text, key->len, (uintptr_t)s, NULL);
	return s;
}

const struct services_once *read_once_services(const struct read_once *o,
					       const struct yaml_word *key)
{
	const uint64_t *known = map_get(&o->services, key->text, key->len);

	return known ? &o->lists.items[*known] : NULL;
}

void read_once_note_services(struct read_once *o, const struct yaml_word *key,
			     const struct services_once *list)
{
	if (o->lists.count == LISTS_MAX)
		return;
	map_put(&o->services, key->text, key->len, o->lists.count, NULL);
	vec_push(&o->lists, *list);
}
