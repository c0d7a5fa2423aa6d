/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes JSON as it goes, in the order of the calls, into a struct text.  Parsing is cJSON's. */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

#define JSON_DEPTH 16

struct json {
	struct text *out;
	unsigned int depth;
	bool has_items[JSON_DEPTH]; /* a comma is due before the next item at this depth */
};

/* @key is NULL inside arrays and at the top. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j, char bracket); /* '}' or ']': what is closed */
void json_string(struct json *j, const char *key, const char *value); /* NULL value: null */
void json_plain(struct json *j, const char *key, const char *value);  /* nothing to escape in it */
void json_number(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_raw(struct json *j, const char *key, const char *value); /* JSON already */

#endif
