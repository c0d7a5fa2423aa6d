/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_table.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/map.h"
#include "util/mem.h"

#define INDEX_BITS 32

static void drop(struct kube_entry *entry)
{
	if (--entry->users)
		return;
	kube_object_release(&entry->object);
	free(entry);
}

void kube_table_release(struct kube_table *t)
{
	vec_foreach (entry, &t->entries)
		drop(*entry);
	vec_release(&t->entries);
	places_release(&t->places);
}

void kube_table_copy(const struct kube_table *t, struct kube_table *ret)
{
	*ret = (struct kube_table){};
	places_copy(&t->places, &ret->places);
	vec_append(&ret->entries, t->entries.items, t->entries.count);
	vec_foreach (entry, &ret->entries)
		(*entry)->users++;
}

/* --- where an entry is --- */

struct table_key {
	const char *key;
	uint64_t hash; /* of no more bits than a word has for it */
};

static uint64_t word_of(uint64_t hash, size_t index)
{
	return hash << INDEX_BITS | (index + 1);
}

static size_t index_of(uint64_t word)
{
	return (uint32_t)word - 1;
}

static uint64_t hash_of(const void *user, uint64_t word)
{
	(void)user;
	return word >> INDEX_BITS;
}

static bool is_key(const void *user, uint64_t word, const void *key)
{
	const struct kube_table *t = user;
	const struct table_key *k = key;

	return word >> INDEX_BITS == k->hash &&
	       !strcmp(t->entries.items[index_of(word)]->object.key, k->key);
}

static struct table_key key_of(const char *key)
{
	return (struct table_key){key, (uint32_t)hash_bytes(key, strlen(key), 0)};
}

static uint64_t *find_place(const struct kube_table *t, const char *key)
{
	const struct places_kind kind = {hash_of, is_key, t};
	const struct table_key k = key_of(key);

	return places_find(&t->places, &kind, k.hash, &k);
}

static struct kube_entry **find(const struct kube_table *t, const char *key)
{
	const uint64_t *place = find_place(t, key);

	return place ? &t->entries.items[index_of(*place)] : NULL;
}

struct kube_entry *kube_table_get(const struct kube_table *t, const char *key)
{
	struct kube_entry **there = find(t, key);

	return there ? *there : NULL;
}

static void add(struct kube_table *t, struct kube_entry *entry)
{
	const struct places_kind kind = {hash_of, is_key, t};

	places_add(&t->places, &kind, word_of(key_of(entry->object.key).hash, t->entries.count));
	vec_push(&t->entries, entry);
}

/* --- what comes and goes --- */

static struct kube_entry *new_entry(const struct kube_table *t, struct kube_object *o,
				    uint64_t order)
{
	struct kube_entry *entry = xcalloc(1, sizeof(*entry));

	if (t->pods)
		kube_object_share(o, &t->pods->interner);
	entry->object = *o;
	*o = (struct kube_object){};
	entry->order = order;
	entry->users = 1;
	return entry;
}

/* In the table, or out of it. */
static void enter(const struct kube_table *t, struct kube_entry *entry)
{
	if (t->pods)
		kube_pods_enter(t->pods, entry);
}

static void leave(const struct kube_table *t, struct kube_entry *entry)
{
	if (t->pods)
		kube_pods_leave(t->pods, entry);
	drop(entry);
}

/* Who had an address first does not get it back by being changed. */
static void keep_claims(struct kube_entry *fresh, const struct kube_entry *there)
{
	if (fresh->object.address_count &&
	    kube_object_has_same_addresses(&there->object, &fresh->object))
		fresh->order = there->order;
}

/* The same object, as far as it counts, may still have another name for itself. */
static void take_identity(struct kube_entry *entry, struct kube_object *o)
{
	struct kube_identity before = entry->object.identity;

	entry->object.identity = o->identity;
	o->identity = before;
	kube_object_release(o);
}

bool kube_table_put(struct kube_table *t, struct kube_object *o, uint64_t order)
{
	struct kube_entry **there = find(t, o->key), *fresh;

	if (there && kube_object_is_same(&(*there)->object, o)) {
		take_identity(*there, o);
		return false;
	}
	fresh = new_entry(t, o, order);
	if (!there) {
		add(t, fresh);
		enter(t, fresh);
		return true;
	}
	keep_claims(fresh, *there);
	leave(t, *there);
	*there = fresh;
	enter(t, fresh);
	return true;
}

void kube_table_put_or_share(struct kube_table *t, const struct kube_table *before,
			     struct kube_object *o, uint64_t order)
{
	struct kube_entry **there = find(before, o->key), *fresh;

	kube_table_remove(t, o->key); /* in a list twice */
	if (there && kube_object_is_same(&(*there)->object, o)) {
		take_identity(*there, o);
		(*there)->users++;
		add(t, *there);
		return;
	}
	fresh = new_entry(before, o, order);
	if (there)
		keep_claims(fresh, *there);
	add(t, fresh);
}

bool kube_table_remove(struct kube_table *t, const char *key)
{
	uint64_t *place = find_place(t, key);
	struct kube_entry *gone, *last;
	size_t index;

	if (!place)
		return false;
	index = index_of(*place);
	gone = t->entries.items[index];
	last = t->entries.items[t->entries.count - 1];
	if (gone != last)
		*find_place(t, last->object.key) = word_of(key_of(last->object.key).hash, index);
	places_drop(&t->places, place);
	t->entries.items[index] = last;
	t->entries.count--;
	leave(t, gone);
	return true;
}

/* Tells of entries of @t that @other doesn't have; whether they say anything else. */
static bool compare(const struct kube_table *t, const struct kube_table *other,
		    void (*tell)(struct kube_pods *pods, struct kube_entry *entry),
		    struct kube_pods *pods)
{
	bool is_other = false;

	vec_foreach (entry, &t->entries) {
		struct kube_entry **there = find(other, (*entry)->object.key);

		if (there && *there == *entry)
			continue;
		is_other |= !there || !kube_object_is_same(&(*there)->object, &(*entry)->object);
		if (pods)
			tell(pods, *entry);
	}
	return is_other;
}

bool kube_table_replace(struct kube_table *t, struct kube_table *fresh)
{
	bool is_changed = compare(t, fresh, kube_pods_leave, t->pods);

	is_changed |= compare(fresh, t, kube_pods_enter, t->pods);
	fresh->zones = t->zones;
	fresh->pods = t->pods;
	kube_table_release(t);
	*t = *fresh;
	*fresh = (struct kube_table){};
	return is_changed;
}
