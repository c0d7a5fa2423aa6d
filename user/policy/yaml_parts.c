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

static const char *skip_quoted(const char *s)
{
	const char quote = *s++;

	while (*s != quote)
		s++;
	return s + 1;
}

/* What the characters between words mean. */
enum mark {
	MARK_NONE,
	MARK_SPACE,
	MARK_QUOTE,
	MARK_OPEN,
	MARK_CLOSE,
	MARK_BEGIN, /* of an item or a value */
};

static const unsigned char marks[256] = {
	[' '] = MARK_SPACE, ['\''] = MARK_QUOTE, ['"'] = MARK_QUOTE,
	['{'] = MARK_OPEN,  ['['] = MARK_OPEN,   ['}'] = MARK_CLOSE,
	[']'] = MARK_CLOSE, [','] = MARK_BEGIN,  [':'] = MARK_BEGIN,
};

/* Behind a list or a mapping.  Quotes that a text doesn't begin with are like its other letters. */
static const char *skip_brackets(const char *s)
{
	unsigned int depth = 0;
	bool is_begin = false; /* of an item, a key or a value */

	do {
		const enum mark mark = marks[(unsigned char)*s];

		if (mark == MARK_QUOTE && is_begin)
			s = skip_quoted(s);
		else
			s++;
		if (mark != MARK_SPACE)
			is_begin = mark >= MARK_OPEN && mark != MARK_CLOSE;
		depth += mark == MARK_OPEN;
		depth -= mark == MARK_CLOSE;
		while (marks[(unsigned char)*s] == MARK_NONE) {
			is_begin = false;
			s++;
		}
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

const char *yaml_items_begin(const struct yaml_word *word)
{
	return skip_spaces(word->text + 1);
}

bool yaml_items_end(const char *at)
{
	return *at == ']' || *at == '}';
}

static struct yaml_item take_item(const char *s)
{
	struct yaml_item item;
	const char *end = s;

	if (is_quote(*s)) {
		end = skip_quoted(s);
		item.whole = word_of(s, end);
		item.text = word_of(s + 1, end - 1);
		return item;
	}
	while (*end != ',' && !yaml_items_end(end))
		end++;
	while (end[-1] == ' ')
		end--;
	item.whole = item.text = word_of(s, end);
	return item;
}

bool yaml_items_next(const char **at, struct yaml_item *ret)
{
	const char *s = *at;

	if (*s == '[' || *s == '{')
		return false;
	*ret = take_item(s);
	s = skip_spaces(ret->whole.text + ret->whole.len);
	*at = *s == ',' ? skip_spaces(s + 1) : s;
	return true;
}

bool yaml_labels_next(const char **at, struct yaml_label *ret)
{
	const char *s = *at, *end = s;

	if (is_quote(*s))
		return false;
	while (*end != ':')
		end++;
	ret->key = word_of(s, end);
	*at = skip_spaces(end + 1);
	return yaml_items_next(at, &ret->value);
}
