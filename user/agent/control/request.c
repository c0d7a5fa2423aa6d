/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/request.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "util/mem.h"

#define X(id, word) [REQUEST_##id] = (word),
static const char *const op_words[] = {REQUEST_OPS(X)};
#undef X

#define X(id, word) [LIST_##id] = (word),
static const char *const subject_words[] = {LIST_SUBJECTS(X)};
#undef X

#define KEYS_MAX 6 /* beside "op" */

static const char *const op_keys[][KEYS_MAX] = {
	[REQUEST_STATUS] = {NULL},
	[REQUEST_LIST] = {"what"},
	[REQUEST_OBSERVE] = {"last", "follow", "alerts", "packets"},
	[REQUEST_APPLY] = {"sources", "dry_run", "confirm", "force", "strict", "ssh"},
	[REQUEST_RELOAD] = {NULL},
	[REQUEST_ROLLBACK] = {"back", "dry_run", "force", "ssh"},
	[REQUEST_CONFIRM] = {NULL},
	[REQUEST_ALLOW] = {"for", "from", "to", "service", "reason"},
};

/* cJSON ends a string at an escaped NUL: what follows it would be silently cut off. */
static bool has_nul(const char *s, size_t len)
{
	static const char escaped[] = "\\u0000";
	size_t size = sizeof(escaped) - 1;

	for (size_t i = 0; i < len; i++) {
		if (!s[i])
			return true;
		if (s[i] != '\\')
			continue;
		if (len - i >= size && !memcmp(s + i, escaped, size))
			return true;
		i++;
	}
	return false;
}

static int find_word(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(words[i], word))
			return (int)i;
	}
	return -1;
}

/* The number of a word that must be one of a list. */
static int read_word(const cJSON *object, const char *key, const char *const *words, size_t count,
		     struct text *reterr)
{
	const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	int number;

	if (!word) {
		text_addf(reterr, "'%s' must be a word", key);
		return -EINVAL;
	}
	number = find_word(words, count, word);
	if (number >= 0)
		return number;
	text_addf(reterr, "unknown %s '", key);
	text_add_plain(reterr, word, strlen(word));
	text_addc(reterr, '\'');
	return -EINVAL;
}

static bool is_key_of(const char *key, enum request_op op)
{
	if (!strcmp(key, "op"))
		return true;
	for (size_t i = 0; i < KEYS_MAX && op_keys[op][i]; i++) {
		if (!strcmp(key, op_keys[op][i]))
			return true;
	}
	return false;
}

static int check_keys(const cJSON *object, enum request_op op, struct text *reterr)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		if (is_key_of(item->string, op))
			continue;
		text_addf(reterr, "'%s' has no key '", op_words[op]);
		text_add_plain(reterr, item->string, strlen(item->string));
		text_addc(reterr, '\'');
		return -EINVAL;
	}
	return 0;
}

static int read_bool(const cJSON *object, const char *key, bool *ret, struct text *reterr)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (item && !cJSON_IsBool(item)) {
		text_addf(reterr, "'%s' must be true or false", key);
		return -EINVAL;
	}
	*ret = cJSON_IsTrue(item);
	return 0;
}

static int read_count(const cJSON *object, const char *key, uint64_t *ret, struct text *reterr)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	double value;

	if (!item)
		return 0;
	value = cJSON_GetNumberValue(item);
	if (!(value >= 0 && value <= UINT32_MAX) || value != floor(value)) {
		text_addf(reterr, "'%s' must be a number from 0 to %u", key, UINT32_MAX);
		return -EINVAL;
	}
	*ret = (uint64_t)value;
	return 0;
}

static int read_sources(const cJSON *object, struct request *r, struct text *reterr)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "sources");
	const cJSON *item;

	if (!cJSON_IsArray(list) || !cJSON_GetArraySize(list)) {
		text_add(reterr, "'sources' must be a list of at least one {name, text}");
		return -EINVAL;
	}
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "text");

		if (!cJSON_IsString(name) || !cJSON_IsString(text)) {
			text_add(reterr, "a source must have a 'name' and a 'text'");
			return -EINVAL;
		}
		vec_push(&r->sources, source_of(name->valuestring, text->valuestring,
						strlen(text->valuestring)));
	}
	return 0;
}

/* Text, or nothing unless it @is_due. */
static int read_text(const cJSON *object, const char *key, bool is_due, char **ret,
		     struct text *reterr)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	const char *text = cJSON_GetStringValue(item);

	if (!item && !is_due)
		return 0;
	if (!text) {
		text_addf(reterr, "'%s' must be text", key);
		return -EINVAL;
	}
	*ret = xstrdup(text);
	return 0;
}

static int read_apply(const cJSON *object, struct request *r, struct text *reterr)
{
	int err = read_bool(object, "dry_run", &r->dry_run, reterr);

	if (!err)
		err = read_bool(object, "force", &r->force, reterr);
	if (!err)
		err = read_bool(object, "strict", &r->strict, reterr);
	if (!err)
		err = read_count(object, "confirm", &r->confirm_s, reterr);
	if (!err)
		err = read_text(object, "ssh", false, &r->ssh, reterr);
	return err ? err : read_sources(object, r, reterr);
}

static int read_rollback(const cJSON *object, struct request *r, struct text *reterr)
{
	int err = read_count(object, "back", &r->back, reterr);

	if (!err)
		err = read_bool(object, "dry_run", &r->dry_run, reterr);
	if (!err)
		err = read_bool(object, "force", &r->force, reterr);
	return err ? err : read_text(object, "ssh", false, &r->ssh, reterr);
}

static int read_allow(const cJSON *object, struct request *r, struct text *reterr)
{
	int err = read_count(object, "for", &r->for_s, reterr);

	if (!err)
		err = read_text(object, "from", true, &r->from, reterr);
	if (!err)
		err = read_text(object, "to", true, &r->to, reterr);
	if (!err)
		err = read_text(object, "service", true, &r->service, reterr);
	return err ? err : read_text(object, "reason", true, &r->reason, reterr);
}

static int read_arguments(const cJSON *object, struct request *r, struct text *reterr)
{
	int err, what;

	switch (r->op) {
	case REQUEST_LIST:
		what = read_word(object, "what", subject_words, COUNT(subject_words), reterr);
		if (what < 0)
			return what;
		r->what = (enum list_subject)what;
		return 0;
	case REQUEST_OBSERVE:
		err = read_count(object, "last", &r->last, reterr);
		if (!err)
			err = read_bool(object, "alerts", &r->alerts, reterr);
		if (!err)
			err = read_bool(object, "packets", &r->packets, reterr);
		return err ? err : read_bool(object, "follow", &r->follow, reterr);
	case REQUEST_APPLY:
		return read_apply(object, r, reterr);
	case REQUEST_ROLLBACK:
		return read_rollback(object, r, reterr);
	case REQUEST_ALLOW:
		return read_allow(object, r, reterr);
	case REQUEST_STATUS:
	case REQUEST_RELOAD:
	case REQUEST_CONFIRM:
		return 0;
	}
	return -EINVAL;
}

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* NULL if it isn't one object and nothing else. */
static cJSON *parse_object(const char *line, size_t len)
{
	_cleanup_(free_json)
	cJSON *object = NULL;
	const char *end = NULL;

	object = cJSON_ParseWithLengthOpts(line, len, &end, false);
	if (!cJSON_IsObject(object))
		return NULL;
	while (end < line + len && strchr(" \t\r", *end))
		end++;
	return end == line + len ? TAKE_PTR(object) : NULL;
}

int request_parse(const char *line, size_t len, struct request *ret, struct text *reterr)
{
	_cleanup_(free_json)
	cJSON *object = NULL;
	struct request r = {.last = REQUEST_LAST, .back = 1};
	int op, err;

	if (has_nul(line, len)) {
		text_add(reterr, "a request may not contain NUL");
		return -EINVAL;
	}
	object = parse_object(line, len);
	if (!object) {
		text_add(reterr, "a request must be one JSON object on one line");
		return -EINVAL;
	}
	op = read_word(object, "op", op_words, COUNT(op_words), reterr);
	if (op < 0)
		return op;
	r.op = (enum request_op)op;
	err = check_keys(object, r.op, reterr);
	if (!err)
		err = read_arguments(object, &r, reterr);
	if (err) {
		request_release(&r);
		return err;
	}
	*ret = r;
	return 0;
}

void request_release(struct request *r)
{
	vec_foreach (source, &r->sources)
		source_release(source);
	vec_release(&r->sources);
	free(r->ssh);
	free(r->from);
	free(r->to);
	free(r->service);
	free(r->reason);
}
