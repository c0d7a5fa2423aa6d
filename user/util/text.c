/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"
#include "util/utf8.h"

#define TEXT_FIRST     64 /* bytes */
#define U64_DIGITS     20
#define NEAREST_MAX    100 /* bytes; longer words have no neighbours */
#define NEAREST_CHANGE 2   /* typing slips */

char text_empty[1];

void text_release(struct text *t)
{
	if (t->size)
		free(t->buf);
	*t = (struct text)TEXT_INIT;
}

void text_reset(struct text *t)
{
	t->len = 0;
	if (t->size)
		t->buf[0] = '\0';
}

char *text_take(struct text *t)
{
	char *s = t->size ? xrealloc(t->buf, t->len + 1, 1) : xstrdup("");

	*t = (struct text)TEXT_INIT;
	return s;
}

void text_room(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : TEXT_FIRST;

	if (more < t->size - t->len && t->size)
		return;
	assert(more < SIZE_MAX / 2 - t->len);
	while (size <= t->len + more)
		size *= 2;
	t->buf = xrealloc(t->size ? t->buf : NULL, size, 1);
	t->size = size;
	t->buf[t->len] = '\0';
}

void text_add_u64(struct text *t, uint64_t value)
{
	char digits[U64_DIGITS];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	text_addn(t, digits + at, sizeof(digits) - at);
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vaddf(t, format, args);
	va_end(args);
}

void text_vaddf(struct text *t, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0);
	text_room(t, (size_t)len);
	vsnprintf(t->buf + t->len, (size_t)len + 1, format, again);
	t->len += (size_t)len;
	va_end(again);
}

bool text_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*s || (s[0] == '0' && s[1]))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (unsigned int)(*s - '0'), &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

void text_add_plain(struct text *t, const char *s, size_t len)
{
	while (len) {
		uint32_t point;
		size_t n = utf8_next(s, len, &point);

		if (point == UTF8_INVALID || utf8_is_control(point))
			text_addc(t, '?');
		else
			text_addn(t, s, n);
		s += n;
		len -= n;
	}
}

void put_plain(const char *s, size_t len, FILE *out)
{
	_text_ struct text plain = TEXT_INIT;

	text_add_plain(&plain, s, len);
	fwrite(plain.buf, 1, plain.len, out);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours; both within NEAREST_MAX. */
static unsigned int distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned int rows[3][NEAREST_MAX + 1];

	for (unsigned int j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= alen; i++) {
		const unsigned int *before = rows[(i + 1) % 3], *above = rows[(i + 2) % 3];
		unsigned int *row = rows[i % 3];

		row[0] = i;
		for (unsigned int j = 1; j <= blen; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[alen % 3][blen];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word);
	unsigned int best = least(NEAREST_CHANGE, (unsigned int)least(len / 2, NEAREST_MAX)) + 1;
	const char *nearest = NULL;

	if (len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		unsigned int d;

		if (other > NEAREST_MAX || other > len + NEAREST_CHANGE)
			continue;
		d = strcasecmp(word, candidates[i]) ? distance(word, len, candidates[i], other) : 0;
		if (d >= best)
			continue;
		best = d;
		nearest = candidates[i];
	}
	return nearest;
}
