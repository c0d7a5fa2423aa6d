/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_path.h"

#include <stdbool.h>
#include <string.h>

#include "util/utf8.h"

#define DEPTH_MAX 64 /* what is deeper is told by what it is in */

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* A mapping or a list that is open, and where in it we are. */
struct level {
	bool is_list;
	bool has_value; /* behind a colon */
	size_t item;
	const char *key; /* without its quotes; NULL: none yet */
	size_t key_len;
};

struct walk {
	const char *at;
	const char *end; /* the place that is asked for */
	size_t depth;    /* may be beyond DEPTH_MAX */
	struct level levels[DEPTH_MAX];
};

static struct level *top(struct walk *w)
{
	return w->depth && w->depth <= DEPTH_MAX ? &w->levels[w->depth - 1] : NULL;
}

/* Behind the closing quote, or at the end of what there is. */
static const char *skip_string(const char *quote)
{
	const char *at = quote + 1;

	while (*at && *at != '\n' && *at != '"')
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at == '"' ? at + 1 : at;
}

static void take_string(struct walk *w)
{
	const char *after = skip_string(w->at);
	struct level *level = top(w);

	if (level && !level->is_list && !level->has_value) {
		level->key = w->at + 1;
		level->key_len = (size_t)(after - w->at) >= 2 ? (size_t)(after - w->at) - 2 : 0;
	}
	w->at = after;
}

static void open_level(struct walk *w, bool is_list)
{
	w->depth++;
	if (top(w))
		*top(w) = (struct level){.is_list = is_list};
}

static void next_item(struct walk *w)
{
	struct level *level = top(w);

	if (!level)
		return;
	level->item++;
	level->has_value = false;
	level->key = NULL;
}

static void step(struct walk *w)
{
	switch (*w->at) {
	case '"':
		take_string(w);
		return;
	case '{':
	case '[':
		open_level(w, *w->at == '[');
		break;
	case '}':
	case ']':
		w->depth -= w->depth > 0;
		break;
	case ',':
		next_item(w);
		break;
	case ':':
		if (top(w))
			top(w)->has_value = true;
		break;
	}
	w->at++;
}

static void add_key(const struct level *level, struct text *out)
{
	bool is_plain = level->key_len;

	for (size_t i = 0; is_plain && i < level->key_len; i++)
		is_plain = strchr(plain, level->key[i]);
	if (!is_plain)
		text_add(out, "['");
	else if (out->len)
		text_addc(out, '.');
	text_add_plain(out, level->key, level->key_len);
	if (!is_plain)
		text_add(out, "']");
}

static void add_levels(const struct walk *w, struct text *out)
{
	for (size_t i = 0; i < w->depth && i < DEPTH_MAX; i++) {
		const struct level *level = &w->levels[i];

		if (level->is_list)
			text_addf(out, "[%zu]", level->item);
		else if (level->key)
			add_key(level, out);
	}
}

static const char *find_column(const char *line, unsigned int column)
{
	size_t len = strcspn(line, "\n");
	uint32_t point;

	while (--column && len) {
		size_t n = utf8_next(line, len, &point);

		line += n;
		len -= n;
	}
	return line;
}

/* What begins at the place itself is a key, or a value, whose key or item is known by then. */
void kube_path_add(const char *line, unsigned int column, struct text *out)
{
	struct walk w = {.at = line, .end = find_column(line, column ? column : 1)};

	while (w.at < w.end)
		step(&w);
	if (*w.at == '"')
		step(&w);
	add_levels(&w, out);
}
