/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define CHUNK_FIRST 1024 /* bytes; larger pieces get a chunk of their own */
#define CHUNK_MOST  (8u << 20)
#define ALIGN_MOST  _Alignof(max_align_t)

/* Each as large as all before it: an arena is a few large pieces, or a small one. */
static void add_chunk(struct arena *a, size_t size)
{
	size_t room = a->taken < CHUNK_FIRST ? CHUNK_FIRST : a->taken;
	struct arena_chunk *chunk;

	if (room > CHUNK_MOST)
		room = CHUNK_MOST;
	if (room < size)
		room = size;
	chunk = xmalloc(sizeof(*chunk) + room);
	if (a->is_brief)
		mem_use_large_pages(chunk, sizeof(*chunk) + room);
	chunk->size = room;
	chunk->next = a->chunks;
	a->chunks = chunk;
	a->room = room;
	a->taken += room;
}

void *arena_take_new(struct arena *a, size_t size)
{
	add_chunk(a, (size + ALIGN_MOST - 1) / ALIGN_MOST * ALIGN_MOST);
	a->room -= size;
	return a->chunks->bytes;
}

/* A piece is zeroed when it is about to be written anyway. */
void *arena_alloc(struct arena *a, size_t size)
{
	return memset(arena_take(a, size, ALIGN_MOST), 0, size);
}

void *arena_copy(struct arena *a, const void *from, size_t size, size_t align)
{
	return memcpy(arena_take(a, size, align), from, size);
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_take(a, len + 1, 1);

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

	if (kept && kept->size > CHUNK_MOST) {
		arena_release(a);
		return;
	}
	a->room = a->taken = kept ? kept->size : 0;
	if (kept)
		free_chunks(TAKE_PTR(kept->next));
}

void arena_release(struct arena *a)
{
	free_chunks(a->chunks);
	a->chunks = NULL;
	a->room = a->taken = 0;
}
