/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_thin.h"

#include <string.h>

struct thin {
	const char *at;
	const struct keep *always;
	struct text *out;
};

const struct keep *keep_find(const struct keep *list, const char *key, size_t len)
{
	for (; list->key; list++) {
		if (!strncmp(list->key, key, len) && !list->key[len])
			return list;
	}
	return NULL;
}

static void skip_spaces(struct thin *t)
{
	t->at += strspn(t->at, " \t\r\n");
}

/* At a quote; to behind the one that ends it. */
static bool skip_string(struct thin *t)
{
	const char *end = t->at + 1;

	while (*end && *end != '"') {
		end += strcspn(end, "\"\\");
		if (*end == '\\')
			end += end[1] ? 2 : 1;
	}
	t->at = *end ? end + 1 : end;
	return *end;
}

static bool is_value_end(char c)
{
	return !c || strchr(",]} \t\r\n", c);
}

/* Whether a value was there, and ended. */
static bool skip_value(struct thin *t)
{
	size_t depth = 0;

	if (*t->at != '{' && *t->at != '[' && *t->at != '"') {
		const char *begin = t->at;

		while (!is_value_end(*t->at))
			t->at++;
		return t->at > begin;
	}
	do {
		if (*t->at == '"') {
			if (!skip_string(t))
				return false;
		} else if (*t->at == '{' || *t->at == '[') {
			depth++;
			t->at++;
		} else if (*t->at == '}' || *t->at == ']') {
			depth--;
			t->at++;
		} else if (!*t->at) {
			return false;
		} else {
			t->at++;
		}
	} while (depth);
	return true;
}

static bool take(struct thin *t, char c)
{
	skip_spaces(t);
	if (*t->at != c)
		return false;
	t->at++;
	skip_spaces(t);
	return true;
}

static bool thin_value(struct thin *t, const struct keep *list);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the lists of what is kept */
static bool thin_member(struct thin *t, const struct keep *list, bool *is_first)
{
	const char *key = t->at;
	const struct keep *keep;
	size_t len;
	bool is_odd;

	if (*key != '"' || !skip_string(t))
		return false;
	len = (size_t)(t->at - key) - 2;
	is_odd = memchr(key + 1, '\\', len); /* it may mean anything */
	keep = keep_find(list, key + 1, len);
	if (!keep)
		keep = keep_find(t->always, key + 1, len);
	if (!take(t, ':'))
		return false;
	if (!keep && !is_odd)
		return skip_value(t);
	if (!*is_first)
		text_addc(t->out, ',');
	*is_first = false;
	text_addn(t->out, key, len + 2);
	text_addc(t->out, ':');
	return thin_value(t, keep ? keep->within : NULL);
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static bool thin_collection(struct thin *t, const struct keep *list, char end)
{
	bool is_first = true, is_object = end == '}';

	text_addc(t->out, *t->at++);
	skip_spaces(t);
	if (*t->at == end) {
		text_addc(t->out, *t->at++);
		return true;
	}
	do {
		skip_spaces(t);
		if (is_object ? !thin_member(t, list, &is_first) : !thin_value(t, list))
			return false;
		skip_spaces(t);
		if (!is_object && *t->at == ',')
			text_addc(t->out, ',');
	} while (*t->at == ',' && t->at++);
	if (*t->at != end)
		return false;
	text_addc(t->out, *t->at++);
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static bool thin_value(struct thin *t, const struct keep *list)
{
	const char *begin = t->at;

	if (list && *begin == '{')
		return thin_collection(t, list, '}');
	if (list && *begin == '[')
		return thin_collection(t, list, ']');
	if (!skip_value(t))
		return false;
	text_addn(t->out, begin, (size_t)(t->at - begin));
	return true;
}

bool kube_thin(const char *json, const struct keep *list, const struct keep *always,
	       struct text *out)
{
	struct thin t = {json, always, out};

	skip_spaces(&t);
	if (*t.at != '{' || !thin_value(&t, list))
		return false;
	skip_spaces(&t);
	return !*t.at;
}
