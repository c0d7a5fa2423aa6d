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

static bool make_end_key(struct text *key, const struct node *n)
{
	text_reset(key);
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

struct selector *read_once_end(struct read_once *o, const struct node *n)
{
	const uint64_t *known;

	if (!make_end_key(&o->key, n))
		return NULL;
	known = map_get(&o->ends, o->key.buf, o->key.len);
	return known ? (struct selector *)(uintptr_t)*known : NULL;
}

void read_once_note_end(struct read_once *o, const struct node *n, struct policy *p,
			struct selector *s)
{
	if (!s || !is_placeless(s) || !make_end_key(&o->key, n))
		return;
	vec_push(&p->shared, s);
	s->shared = (uint32_t)p->shared.count;
	map_put(&o->ends, o->key.buf, o->key.len, (uintptr_t)s, NULL);
}

static bool make_services_key(struct text *key, const struct node *n)
{
	const struct node *item = n->kind == NODE_LIST ? n->first : n;

	text_reset(key);
	for (; item; item = item->next) {
		if (!is_word(item))
			return false;
		add_word(key, item);
	}
	return key->len;
}

const struct services_once *read_once_services(struct read_once *o, const struct node *n)
{
	const uint64_t *known;

	if (!make_services_key(&o->key, n))
		return NULL;
	known = map_get(&o->services, o->key.buf, o->key.len);
	return known ? &o->lists.items[*known] : NULL;
}

void read_once_note_services(struct read_once *o, const struct node *n,
			     const struct services_once *list)
{
	if (o->lists.count == LISTS_MAX || !make_services_key(&o->key, n))
		return;
	map_put(&o->services, o->key.buf, o->key.len, o->lists.count, NULL);
	vec_push(&o->lists, *list);
}

struct selector *read_once_written_end(const struct read_once *o, const struct yaml_word *word)
{
	const uint64_t *known = map_get(&o->ends, word->text, word->len);

	return known ? (struct selector *)(uintptr_t)*known : NULL;
}

const struct services_once *read_once_written_services(const struct read_once *o,
						       const struct yaml_word *word)
{
	const uint64_t *known = map_get(&o->services, word->text, word->len);

	return known ? &o->lists.items[*known] : NULL;
}

void read_once_note_written_end(struct read_once *o, const struct yaml_word *word,
				struct selector *s)
{
	if (s && s->shared)
		map_put(&o->ends, word->text, word->len, (uintptr_t)s, NULL);
}

/* Most are of the list that was noted last. */
void read_once_note_written_services(struct read_once *o, const struct yaml_word *word,
				     const services *list)
{
	size_t i = o->lists.count;

	while (i && o->lists.items[i - 1].services.items != list->items)
		i--;
	if (i)
		map_put(&o->services, word->text, word->len, i - 1, NULL);
}
