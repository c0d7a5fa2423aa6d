/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_table.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define GONE_MAX                                                                                   \
	1024 /* keys that are remembered for nothing, beside as many as there are objects */

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
	map_release(&t->places);
}

void kube_table_copy(const struct kube_table *t, struct kube_table *ret)
{
	*ret = (struct kube_table){};
	vec_append(&ret->entries, t->entries.items, t->entries.count);
	vec_foreach (entry, &ret->entries)
		(*entry)->users++;
}

static struct kube_entry **find(const struct kube_table *t, const char *key)
{
	const uint64_t *place = map_get(&t->places, key, strlen(key));

	return place && *place ? &t->entries.items[*place - 1] : NULL;
}

struct kube_entry *kube_table_get(const struct kube_table *t, const char *key)
{
	struct kube_entry **there = find(t, key);

	return there ? *there : NULL;
}

static void add(struct kube_table *t, struct kube_entry *entry)
{
	const char *key = entry->object.key;
	uint64_t *place = map_put(&t->places, key, strlen(key), 0, NULL);

	vec_push(&t->entries, entry);
	*place = t->entries.count;
}

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

/* Keys are never taken out of a map; one that is full of those that went is made anew. */
static void tidy(struct kube_table *t)
{
	if (t->places.count < 2 * t->entries.count + GONE_MAX)
		return;
	map_release(&t->places);
	for (size_t i = 0; i < t->entries.count; i++) {
		const char *key = t->entries.items[i]->object.key;

		map_put(&t->places, key, strlen(key), i + 1, NULL);
	}
}

bool kube_table_remove(struct kube_table *t, const char *key)
{
	uint64_t *place = map_get(&t->places, key, strlen(key));
	struct kube_entry *gone, *last;
	size_t index;

	if (!place || !*place)
		return false;
	index = *place - 1;
	*place = 0;
	gone = t->entries.items[index];
	last = t->entries.items[--t->entries.count];
	if (gone != last) {
		t->entries.items[index] = last;
		*map_get(&t->places, last->object.key, strlen(last->object.key)) = index + 1;
	}
	leave(t, gone);
	tidy(t);
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
