/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_BYTES (256 * 1024)
#define LARGE_PAGE  (2u << 20)

/* No exit handlers: they might allocate.  stderr has no buffer. */
static _Noreturn void out_of_memory(void)
{
	fputs("bulkhead: out of memory\n", stderr);
	_exit(2);
}

static void *or_exit(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

void *xmalloc(size_t size)
{
	return or_exit(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_exit(n && size ? calloc(n, size) : calloc(1, 1));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return or_exit(realloc(p, bytes ? bytes : 1));
}

char *xstrdup(const char *s)
{
	return or_exit(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
	return or_exit(strndup(s, len));
}

void mem_give_back_large(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_ARENA_MAX, 1); /* threads are short: what they leave is used by others */
}

void mem_use_large_pages(void *p, size_t size)
{
	uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	uintptr_t to = ((uintptr_t)p + size) / LARGE_PAGE * LARGE_PAGE;

	if (from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void mem_give_back_free(void)
{
	malloc_trim(0);
}
