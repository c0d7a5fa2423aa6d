/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_faults.h"

#include <string.h>

#include "agent/kubernetes/kube_path.h"
#include "util/mem.h"
#include "util/utf8.h"

static void clear(struct kube_faulty *faulty)
{
	vec_foreach (fault, &faulty->list) {
		free(fault->path);
		free(fault->message);
	}
	vec_release(&faulty->list);
	faulty->more = 0;
}

static void release(struct kube_faulty *faulty)
{
	clear(faulty);
	free(faulty->key);
}

void kube_faults_release(struct kube_faults *f)
{
	vec_foreach (faulty, &f->objects)
		release(faulty);
	vec_release(&f->objects);
}

struct kube_faulty *kube_faults_find(const struct kube_faults *f, const struct kube_entry *entry)
{
	vec_foreach (faulty, &f->objects) {
		if (faulty->order == entry->order && (faulty->list.count || faulty->more))
			return faulty;
	}
	return NULL;
}

static struct kube_faulty *place_of(struct kube_faults *f, enum kube_kind kind,
				    const struct kube_entry *entry)
{
	vec_foreach (faulty, &f->objects) {
		if (faulty->order == entry->order)
			return faulty;
	}
	vec_push(&f->objects, (struct kube_faulty){.kind = kind,
						   .key = xstrdup(entry->object.key),
						   .order = entry->order});
	return &f->objects.items[f->objects.count - 1];
}

void kube_sentence_add(const char *s, size_t max, struct text *out)
{
	size_t len = strcspn(s, "\n"), kept = 0;
	uint32_t point;

	while (kept < len) {
		size_t n = utf8_next(s + kept, len - kept, &point);

		if (kept + n > max)
			break;
		kept += n;
	}
	text_add_plain(out, s, kept);
	if (kept < len)
		text_add(out, "...");
}

void kube_faults_add(struct kube_faults *f, enum kube_kind kind, const struct kube_entry *entry,
		     const char *line, unsigned int column, const char *message)
{
	struct kube_faulty *faulty = place_of(f, kind, entry);
	struct text path = TEXT_INIT, sentence = TEXT_INIT;

	if (faulty->list.count >= KUBE_FAULTS_KEPT) {
		faulty->more++;
		return;
	}
	kube_path_add(line, column, &path);
	kube_sentence_add(message, KUBE_FAULT_LENGTH, &sentence);
	vec_push(&faulty->list, (struct kube_fault){text_take(&path), text_take(&sentence)});
}

void kube_faults_tidy(struct kube_faults *f, const struct kube_table tables[KUBE_KIND_COUNT])
{
	for (size_t i = f->objects.count; i-- > 0;) {
		struct kube_faulty *faulty = &f->objects.items[i];
		const struct kube_entry *entry = kube_table_get(&tables[faulty->kind], faulty->key);

		if (!entry || entry->order != faulty->order) {
			release(faulty);
			vec_remove(&f->objects, i);
		} else if (!entry->refusals) {
			clear(faulty);
		}
	}
}
