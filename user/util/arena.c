/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define ARENA_CHUNK 65536 /* bytes; larger pieces get a chunk of their own */
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

static void *take(struct arena *a, size_t size)
{
	struct arena_chunk *chunk;

	size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (size > a->room) {
		size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;

		chunk = xmalloc(sizeof(*chunk) + room);
		chunk->size = room;
		chunk->next = a->chunks;
		a->chunks = chunk;
		a->room = room;
	}
	chunk = a->chunks;
	a->room -= size;
	return chunk->bytes + (chunk->size - a->room - size);
}

/* A piece is zeroed when it is about to be written anyway. */
void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = take(a, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *kept = a->chunks;

	if (kept && kept->size > ARENA_CHUNK) {
		arena_release(a);
		return;
	}
	a->room = kept ? kept->size : 0;
	if (kept)
		free_chunks(TAKE_PTR(kept->next));
}

void arena_release(struct arena *a)
{
	free_chunks(a->chunks);
	*a = (struct arena){};
}
