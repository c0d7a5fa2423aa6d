/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A growing string.  `buf` is never NULL and ends in NUL; a struct text starts as TEXT_INIT. */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"

#define PRINTF_LIKE(string, args) __attribute__((format(printf, string, args)))

struct text {
	char *buf;
	size_t len;  /* without the NUL */
	size_t size; /* 0: buf is not on the heap yet */
};

extern char text_empty[1];

#define TEXT_INIT                                                                                  \
	{                                                                                          \
		.buf = text_empty                                                                  \
	}
#define _text_ _cleanup_(text_release)

void text_release(struct text *t);
void text_reset(struct text *t); /* empties, keeps the memory */
char *text_take(struct text *t); /* the string, now the caller's to free; t is empty */

/* Room for @more bytes and the NUL. */
void text_room(struct text *t, size_t more);

/* Where as many bytes may be written; text_end_at() then says how far they go. */
static inline char *text_place(struct text *t, size_t more)
{
	if (t->size <= t->len + more)
		text_room(t, more);
	return t->buf + t->len;
}

static inline void text_end_at(struct text *t, char *end)
{
	*end = '\0';
	t->len = (size_t)(end - t->buf);
}

/* Events are written with these, some hundred calls each. */
static inline void text_addn(struct text *t, const char *s, size_t len)
{
	if (!len)
		return;
	if (t->size <= t->len + len)
		text_room(t, len);
	memcpy(t->buf + t->len, s, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

static inline void text_addc(struct text *t, char c)
{
	text_addn(t, &c, 1);
}

static inline void text_add(struct text *t, const char *s)
{
	text_addn(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_u64(struct text *t, uint64_t value); /* decimal */
void text_vaddf(struct text *t, const char *format, va_list args);

/* Decimal without sign, space or leading zero, within min..max; else false. */
bool text_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* What came from outside: no byte may be a control sequence or bad UTF-8; those become '?'. */
void text_add_plain(struct text *t, const char *s, size_t len);
void put_plain(const char *s, size_t len, FILE *out);

/* The candidate nearest to @word in edit distance, or equal but for case, if near enough for
 * "did you mean"; else NULL. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

#endif
