/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_zones.h"

#include <string.h>

#include "agent/kubernetes/kube_table.h"
#include "agent/kubernetes/kube_texts.h"
#include "util/mem.h"

static void zone_release(struct kube_zone *zone)
{
	free(zone->key);
	free(zone->text);
}

static void list_release(kube_zone_list *list)
{
	vec_foreach (zone, list)
		zone_release(zone);
	vec_release(list);
}

void kube_zones_release(struct kube_zones *z)
{
	list_release(&z->list);
	text_release(&z->why);
}

const struct kube_zone *kube_zones_find(const struct kube_zones *z, const char *key)
{
	vec_foreach (zone, &z->list) {
		if (!strcmp(zone->key, key))
			return zone;
	}
	return NULL;
}

bool kube_zones_has(const struct kube_zones *z, const struct kube_entry *entry)
{
	const struct kube_zone *zone = kube_zones_find(z, entry->object.key);

	return zone && !strcmp(zone->text, entry->object.text);
}

bool kube_zones_can_do_without(const struct kube_zones *z, const struct kube_entry *entry)
{
	const struct kube_identity *id = &entry->object.identity;

	if (z->is_known)
		return !kube_zones_find(z, entry->object.key);
	return !id->is_enforced && (id->generation == 1 || id->is_left_out);
}

static int by_key(const void *a, const void *b)
{
	const struct kube_zone *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void push(kube_zone_list *list, const char *key, const char *text, uint64_t generation)
{
	vec_push(list, (struct kube_zone){xstrdup(key), xstrdup(text), generation});
}

/* Of one that is refused, what is in force is the version that was; or none. */
static void take_entry(const struct kube_zones *z, const struct kube_entry *entry,
		       kube_zone_list *out)
{
	const struct kube_object *o = &entry->object;
	const struct kube_zone *before = kube_zones_find(z, o->key);

	if (!entry->refusals)
		push(out, o->key, o->text, o->identity.generation);
	else if (before)
		push(out, before->key, before->text, before->generation);
}

static bool is_other(const kube_zone_list *a, const kube_zone_list *b)
{
	if (a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].key, b->items[i].key) != 0 ||
		    strcmp(a->items[i].text, b->items[i].text) != 0)
			return true;
	}
	return false;
}

bool kube_zones_take(struct kube_zones *z, const struct kube_table *policies)
{
	kube_zone_list fresh = {};
	bool is_changed;

	if (z->is_held)
		return false;
	vec_foreach (entry, &policies->entries)
		take_entry(z, *entry, &fresh);
	if (fresh.count)
		qsort(fresh.items, fresh.count, sizeof(*fresh.items), by_key);
	is_changed = is_other(&z->list, &fresh) || !z->is_known;
	list_release(&z->list);
	z->list = fresh;
	z->is_known = true;
	return is_changed;
}

void kube_zones_recall(struct kube_zones *z, const struct source *source)
{
	const char *line = source->text;

	while (*line) {
		_text_ struct text text = TEXT_INIT;
		struct kube_object object;

		text_addn(&text, line, strcspn(line, "\n"));
		line += text.len + (line[text.len] == '\n');
		if (kube_object_read(KUBE_ZONE_POLICY, text.buf, &object))
			continue;
		push(&z->list, object.key, text.buf, 0);
		kube_object_release(&object);
	}
}

void kube_zones_write(const struct kube_zones *z, struct text *out)
{
	vec_foreach (zone, &z->list)
		text_addf(out, "%s" KUBE_SEPARATOR, zone->text);
}
