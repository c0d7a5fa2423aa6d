/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "util/utf8.h"

#define DEL         '\x7f'
#define POINT_MAX   4              /* bytes of a code point */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for bytes that aren't UTF-8 */

static void add_point(struct text *out, const char *s, size_t n, uint32_t point)
{
	if (point == UTF8_INVALID)
		text_add(out, REPLACEMENT);
	else if (point == '"')
		text_add(out, "\\\"");
	else if (point == '\\')
		text_add(out, "\\\\");
	else if (point == '\n')
		text_add(out, "\\n");
	else if (point == '\t')
		text_add(out, "\\t");
	else if (utf8_is_control(point))
		text_addf(out, "\\u%04" PRIx32, point);
	else
		text_addn(out, s, n);
}

/* How many bytes from @s on stand for themselves: most of most strings. */
static size_t plain_len(const char *s)
{
	size_t len = 0;

	while (s[len] >= ' ' && s[len] < DEL && s[len] != '"' && s[len] != '\\')
		len++;
	return len;
}

static void add_string(struct text *out, const char *s)
{
	uint32_t point;
	size_t len;

	text_addc(out, '"');
	for (;;) {
		len = plain_len(s);
		text_addn(out, s, len);
		s += len;
		if (!*s)
			break;
		len = utf8_next(s, strnlen(s, POINT_MAX), &point);
		add_point(out, s, len, point);
		s += len;
	}
	text_addc(out, '"');
}

/* What stands before every value: a key has nothing to escape.  Documents at the top are the
 * caller's to separate. */
static void begin_item(struct json *j, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	char *at = text_place(j->out, len + strlen(",\"\":"));

	if (j->depth && j->has_items[j->depth])
		*at++ = ',';
	j->has_items[j->depth] = true;
	if (key) {
		*at++ = '"';
		at = mempcpy(at, key, len);
		*at++ = '"';
		*at++ = ':';
	}
	text_end_at(j->out, at);
}

static void begin_nested(struct json *j, const char *key, char bracket)
{
	begin_item(j, key);
	text_addc(j->out, bracket);
	j->depth++;
	assert(j->depth < JSON_DEPTH);
	j->has_items[j->depth] = false;
}

void json_object(struct json *j, const char *key)
{
	begin_nested(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	begin_nested(j, key, '[');
}

void json_end(struct json *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	text_addc(j->out, bracket);
}

void json_string(struct json *j, const char *key, const char *value)
{
	begin_item(j, key);
	if (value)
		add_string(j->out, value);
	else
		text_add(j->out, "null");
}

void json_plain(struct json *j, const char *key, const char *value)
{
	size_t len = strlen(value);
	char *at;

	begin_item(j, key);
	at = text_place(j->out, len + strlen("\"\""));
	*at++ = '"';
	at = mempcpy(at, value, len);
	*at++ = '"';
	text_end_at(j->out, at);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	begin_item(j, key);
	text_add_u64(j->out, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_item(j, key);
	text_add(j->out, value ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *value)
{
	begin_item(j, key);
	text_add(j->out, value);
}
