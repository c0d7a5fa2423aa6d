/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_texts.h"

#include <string.h>

#include "util/mem.h"
#include "util/text.h"

#define CHUNK_SIZE (16ul * 1024 * 1024) /* a text that is longer is followed by another one */

static int by_key(const void *a, const void *b)
{
	const struct kube_entry *const *x = a, *const *y = b;

	return strcmp((*x)->object.key, (*y)->object.key);
}

static void close_chunk(const char *kind, size_t number, struct text *chunk, source_list *out)
{
	_text_ struct text name = TEXT_INIT;
	struct source source;

	if (!chunk->len)
		return;
	text_addf(&name, KUBE_SOURCE "%s", kind);
	if (number)
		text_addf(&name, "/%zu", number);
	source.len = chunk->len;
	source.name = text_take(&name);
	source.text = text_take(chunk);
	vec_push(out, source);
}

/* The texts of one kind. */
struct writer {
	enum kube_kind kind;
	struct text chunk;
	size_t chunks;
};

char *kube_entry_stand_in(const struct kube_table *table, const struct kube_entry *entry,
			  enum kube_kind kind, unsigned int refusals)
{
	const struct kube_zone *zone = table->zones
					       ? kube_zones_find(table->zones, entry->object.key)
					       : NULL;

	if (refusals == 1 && zone)
		return xstrdup(zone->text);
	return kube_object_stand_in(kind, entry->object.text, refusals);
}

static void write_entry(struct writer *w, const struct kube_table *table,
			const struct kube_entry *entry)
{
	_free_ char *other = NULL;

	if (entry->is_left_out)
		return;
	if (entry->refusals)
		other = kube_entry_stand_in(table, entry, w->kind, entry->refusals);
	text_add(&w->chunk, other ? other : entry->object.text);
	text_add(&w->chunk, KUBE_SEPARATOR);
}

static void write_kind(const struct kube_table *table, enum kube_kind kind, source_list *out)
{
	struct writer w = {.kind = kind, .chunk = TEXT_INIT};
	VEC(struct kube_entry *) sorted = {};

	if (table->zones && table->zones->is_held)
		kube_zones_write(table->zones, &w.chunk);
	else
		vec_append(&sorted, table->entries.items, table->entries.count);
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), by_key);
	vec_foreach (entry, &sorted) {
		write_entry(&w, table, *entry);
		if (w.chunk.len >= CHUNK_SIZE)
			close_chunk(kube_kinds[kind].name, w.chunks++, &w.chunk, out);
	}
	close_chunk(kube_kinds[kind].name, w.chunks, &w.chunk, out);
	text_release(&w.chunk);
	vec_release(&sorted);
}

void kube_texts(const struct kube_table tables[KUBE_KIND_COUNT], source_list *out)
{
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		if (kind != KUBE_POD && kube_makes_policy(kind))
			write_kind(&tables[kind], kind, out);
	}
}

bool is_kube_source(const struct source *source)
{
	return !strncmp(source->name, KUBE_SOURCE, strlen(KUBE_SOURCE));
}

/* Of "kubernetes:Pod/2". */
static bool find_kind(const char *source, enum kube_kind *ret)
{
	const char *name = source + strlen(KUBE_SOURCE);
	size_t len;

	if (strncmp(source, KUBE_SOURCE, strlen(KUBE_SOURCE)) != 0)
		return false;
	len = strcspn(name, "/");
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		const char *candidate = kube_kinds[kind].name;

		if (strlen(candidate) == len && !strncmp(candidate, name, len)) {
			*ret = kind;
			return true;
		}
	}
	return false;
}

struct kube_entry *kube_texts_find(const struct kube_table tables[KUBE_KIND_COUNT],
				   const char *source, const char *line, enum kube_kind *ret_kind)
{
	struct kube_object object;
	struct kube_entry *entry;
	enum kube_kind kind;

	if (!find_kind(source, &kind) || kube_object_read(kind, line, &object))
		return NULL;
	entry = kube_table_get(&tables[kind], object.key);
	kube_object_release(&object);
	*ret_kind = kind;
	return entry;
}

bool is_kube_source_of(const struct source *source, enum kube_kind kind)
{
	enum kube_kind found;

	return find_kind(source->name, &found) && found == kind;
}
