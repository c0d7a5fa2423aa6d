/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define SLOTS_FIRST 64

struct interned {
	struct interned *next;
	uint64_t hash;
	uint64_t number;
	size_t users;
	char text[];
};

static const struct interned *of_text(const char *text)
{
	return (const struct interned *)(text - offsetof(struct interned, text));
}

static struct interned **find(const struct interner *in, const char *text, uint64_t hash)
{
	struct interned **at = &in->slots[hash & (in->size - 1)];

	while (*at && ((*at)->hash != hash || strcmp((*at)->text, text) != 0))
		at = &(*at)->next;
	return at;
}

static void grow(struct interner *in)
{
	struct interned **before = in->slots;
	size_t size = in->size;

	if (in->count < size)
		return;
	in->size = size ? 2 * size : SLOTS_FIRST;
	in->slots = xcalloc(in->size, sizeof(struct interned *));
	for (size_t i = 0; i < size; i++) {
		struct interned *next;

		for (struct interned *item = before[i]; item; item = next) {
			struct interned **place = &in->slots[item->hash & (in->size - 1)];

			next = item->next;
			item->next = *place;
			*place = item;
		}
	}
	free(before);
}

const char *intern(struct interner *in, const char *text)
{
	size_t len = strlen(text);
	uint64_t hash = hash_bytes(text, len, 0);
	struct interned **place;

	grow(in);
	place = find(in, text, hash);
	if (!*place) {
		*place = xcalloc(1, sizeof(**place) + len + 1);
		(*place)->hash = hash;
		(*place)->number = ++in->last;
		memcpy((*place)->text, text, len);
		in->count++;
	}
	(*place)->users++;
	return (*place)->text;
}

void intern_drop(struct interner *in, const char *text)
{
	struct interned **place, *gone;

	if (!text)
		return;
	place = find(in, text, of_text(text)->hash);
	gone = *place;
	assert(gone && gone->text == text);
	if (--gone->users)
		return;
	*place = gone->next;
	in->count--;
	free(gone);
}

uint64_t intern_number(const char *text)
{
	return of_text(text)->number;
}

void interner_release(struct interner *in)
{
	for (size_t i = 0; i < in->size; i++) {
		struct interned *next;

		for (struct interned *item = in->slots[i]; item; item = next) {
			next = item->next;
			free(item);
		}
	}
	free(in->slots);
	*in = (struct interner){};
}
