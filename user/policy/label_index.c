/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/label_index.h"

#include <string.h>

#include "util/bitset.h"
#include "util/text.h"

#define KEY_SHORT 128 /* bytes: most labels, which need no memory to be looked for */

static void label_key(struct text *key, const char *name, const char *value)
{
	text_reset(key);
	text_addn(key, name, strlen(name) + 1);
	if (value)
		text_addn(key, value, strlen(value) + 1);
}

static uint32_t number_label(struct label_index *x, const struct text *key)
{
	return (uint32_t)*map_put(&x->numbers, key->buf, key->len, x->numbers.count, NULL);
}

void label_index_build(struct label_index *x, const labels *const *own, size_t things)
{
	_text_ struct text key = TEXT_INIT;
	list_pairs pairs = {};

	*x = (struct label_index){.things = things};
	for (uint32_t i = 0; i < things; i++) {
		if (!own[i])
			continue;
		vec_foreach (label, own[i]) {
			label_key(&key, label->key, NULL);
			vec_push(&pairs, (struct list_pair){number_label(x, &key), i});
			label_key(&key, label->key, label->value);
			vec_push(&pairs, (struct list_pair){number_label(x, &key), i});
		}
	}
	lists_build(&x->by_label, (uint32_t)x->numbers.count, &pairs);
	vec_release(&pairs);
}

void label_index_release(struct label_index *x)
{
	map_release(&x->numbers);
	lists_release(&x->by_label);
	*x = (struct label_index){};
}

/* What has the key, with @value if that isn't NULL. */
static struct list labelled(const struct label_index *x, const char *name, const char *value)
{
	size_t name_size = strlen(name) + 1, value_size = value ? strlen(value) + 1 : 0;
	_text_ struct text long_key = TEXT_INIT;
	const uint64_t *number;
	char key[KEY_SHORT];

	if (name_size + value_size > sizeof(key)) {
		label_key(&long_key, name, value);
		number = map_get(&x->numbers, long_key.buf, long_key.len);
	} else {
		memcpy(key, name, name_size);
		if (value)
			memcpy(key + name_size, value, value_size);
		number = map_get(&x->numbers, key, name_size + value_size);
	}
	return number ? lists_get(&x->by_label, (uint32_t)*number) : (struct list){};
}

static void add_labelled(const struct label_index *x, const char *name, const char *value,
			 uint64_t *set)
{
	struct list list = labelled(x, name, value);

	for (size_t i = 0; i < list.count; i++)
		bitset_add(set, list.items[i]);
}

static void require(const struct label_index *x, const struct requirement *r, uint64_t *set)
{
	bool is_negated = r->kind == REQUIRE_NOT_IN || r->kind == REQUIRE_NOT_EXISTS;
	bool has_values = r->kind == REQUIRE_IN || r->kind == REQUIRE_NOT_IN;
	_free_ uint64_t *named = bitset_new(x->things);

	if (!has_values)
		add_labelled(x, r->key, NULL, named);
	vec_foreach (value, &r->values) {
		if (has_values)
			add_labelled(x, r->key, *value, named);
	}
	for (size_t i = 0; i < bitset_words(x->things); i++)
		set[i] &= is_negated ? ~named[i] : named[i];
}

void label_index_require(const struct label_index *x, const requirements *list, uint64_t *set)
{
	vec_foreach (r, list)
		require(x, r, set);
}

bool label_index_add_listed(const struct label_index *x, const requirements *r, const uint64_t *a,
			    const uint64_t *b, uint64_t *set)
{
	if (r->count != 1 || r->items[0].kind != REQUIRE_IN)
		return false;
	vec_foreach (value, &r->items[0].values) {
		struct list list = labelled(x, r->items[0].key, *value);

		for (size_t i = 0; i < list.count; i++) {
			if (bitset_has(a, list.items[i]) || bitset_has(b, list.items[i]))
				bitset_add(set, list.items[i]);
		}
	}
	return true;
}

bool label_index_find(const struct label_index *x, const requirements *r, struct list *ret)
{
	const struct requirement *only = r->items;

	if (r->count != 1 || only->kind != REQUIRE_IN || only->values.count != 1)
		return false;
	*ret = labelled(x, only->key, only->values.items[0]);
	return true;
}
