/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Allocation that never fails: out of memory ends the process; what is pinned goes on. */
#ifndef UTIL_MEM_H
#define UTIL_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size); /* n * size, checked for overflow */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);

/*
 * For a process that lives long.  At its start: large arrays are given back to the system as they
 * are freed, however large the last ones were.  After much was freed: all that is free is.
 */
void mem_give_back_large(void);
void mem_give_back_free(void);

/* The array is filled soon, all of it: where it has room for large pages, these spare faults. */
void mem_use_large_pages(void *p, size_t size);

#endif
