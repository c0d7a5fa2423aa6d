/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/label_index.h"

#include <string.h>

#include "util/bitset.h"
#include "util/map.h"

struct wanted {
	const struct label_index *index;
	struct label_word word;
};

static bool is_wanted(const void *what, uint32_t number)
{
	const struct wanted *wanted = what;
	const struct label_word *a = &wanted->word, *b = &wanted->index->words.items[number];

	if (!a->value != !b->value || strcmp(a->key, b->key) != 0)
		return false;
	return !a->value || !strcmp(a->value, b->value);
}

static uint32_t hash_text(const char *s)
{
	return hash_key(s, strlen(s));
}

/* @key: the hash of its key. */
static uint32_t hash_word(uint32_t key, const char *value)
{
	return value ? key * 0x9e3779b1u ^ hash_text(value) : key;
}

static uint32_t number_word(struct label_index *x, struct label_word word, uint32_t hash)
{
	const struct wanted wanted = {x, word};
	struct numbering_place *place = numbering_find(&x->numbers, hash, is_wanted, &wanted);

	if (!place->number) {
		vec_push(&x->words, word);
		place->number = (uint32_t)x->words.count;
	}
	return place->number - 1;
}

/* A key, which most labels have in common with the one before. */
struct last_key {
	const char *text;
	uint32_t hash, number;
};

static void add_label(struct label_index *x, const struct label *label, uint32_t thing,
		      struct last_key *last, list_pairs *out)
{
	const struct label_word any = {label->key, NULL}, word = {label->key, label->value};

	if (!last->text || strcmp(last->text, label->key) != 0) {
		last->text = label->key;
		last->hash = hash_text(label->key);
		last->number = number_word(x, any, last->hash);
	}
	vec_push(out, (struct list_pair){last->number, thing});
	vec_push(out, (struct list_pair){number_word(x, word, hash_word(last->hash, label->value)),
					 thing});
}

void label_index_build(struct label_index *x, const labels *const *own, size_t things)
{
	struct last_key last = {};
	list_pairs pairs = {};

	*x = (struct label_index){.things = things};
	for (uint32_t i = 0; i < things; i++) {
		if (!own[i])
			continue;
		vec_foreach (label, own[i])
			add_label(x, label, i, &last, &pairs);
	}
	lists_build(&x->by_label, (uint32_t)x->words.count, &pairs);
	vec_release(&pairs);
}

void label_index_release(struct label_index *x)
{
	numbering_release(&x->numbers);
	vec_release(&x->words);
	lists_release(&x->by_label);
	*x = (struct label_index){};
}

/* What has the key, with @value if that isn't NULL. */
static struct list labelled(const struct label_index *x, const char *name, const char *value)
{
	const struct wanted wanted = {x, {name, value}};
	const struct numbering_place *place;

	if (!x->words.count)
		return (struct list){};
	place = numbering_at(&x->numbers, hash_word(hash_text(name), value), is_wanted, &wanted);
	return place->number ? lists_get(&x->by_label, place->number - 1) : (struct list){};
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
