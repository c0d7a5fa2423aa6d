/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_parts.h"

#include <string.h>

/* What was looked through is well formed, on one line, and ends in a brace. */

static const char *skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

/* Behind a list or a mapping; NULL: there is a quote in it, and brackets may be in a text. */
static const char *skip_brackets(const char *s)
{
	unsigned int depth = 0;

	do {
		if (is_quote(*s))
			return NULL;
		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		s++;
	} while (depth);
	return s;
}

/* Up to the comma or the brace behind it. */
static const char *skip_text(const char *s)
{
	while (*s != ',' && *s != '}')
		s++;
	while (s[-1] == ' ')
		s--;
	return s;
}

static struct yaml_word word_of(const char *from, const char *to)
{
	return (struct yaml_word){from, (size_t)(to - from)};
}

/* Where the next one begins, or at the last brace; NULL for what isn't this simple. */
static const char *take_part(const char *s, struct yaml_part *ret)
{
	const char *end = s;

	if (is_quote(*s))
		return NULL;
	while (*end != ':')
		end++;
	ret->key = word_of(s, end);
	s = skip_spaces(end + 1);
	if (is_quote(*s))
		return NULL;
	end = *s == '{' || *s == '[' ? skip_brackets(s) : skip_text(s);
	if (!end)
		return NULL;
	ret->value = word_of(s, end);
	end = skip_spaces(end);
	return *end == ',' ? skip_spaces(end + 1) : end;
}

size_t yaml_parts(const struct node *n, struct yaml_part *parts, size_t most)
{
	const char *s = n->is_folded ? skip_spaces(n->rest + 1) : NULL;
	size_t count = 0;

	while (s && *s != '}') {
		if (count == most)
			return 0;
		s = take_part(s, &parts[count++]);
	}
	return s ? count : 0;
}

struct span yaml_word_at(const struct node *n, const struct yaml_word *word)
{
	struct span at = n->at;

	at.column += (unsigned int)(word->text - n->rest);
	at.len = (unsigned int)word->len;
	return at;
}

struct node yaml_word_node(const struct node *n, const struct yaml_word *word)
{
	return (struct node){
		.kind = NODE_MAP,
		.is_folded = true,
		.rest = word->text,
		.at = yaml_word_at(n, word),
	};
}

bool yaml_word_is_text(const struct yaml_word *word)
{
	return *word->text != '{' && *word->text != '[';
}

bool yaml_word_is(const struct yaml_word *word, const char *text)
{
	return !strncmp(word->text, text, word->len) && !text[word->len];
}
