/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_parts.h"

#include <string.h>

#include "policy/yaml_kinds.h"

/* The texts end with NUL.  Nobody may have seen them: no step leads past the end of a line. */

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

static bool is_line_end(char c)
{
	return c == '\n' || c == '\0';
}

/* Behind the quote at the end; NULL if there is none on the line. */
static const char *skip_quoted(const char *s)
{
	const char quote = *s++;

	while (*s != quote && !is_line_end(*s))
		s++;
	return is_line_end(*s) ? NULL : s + 1;
}

/* What the characters between words mean. */
enum mark {
	MARK_NONE,
	MARK_SPACE,
	MARK_END, /* of the line */
	MARK_QUOTE,
	MARK_OPEN,
	MARK_CLOSE,
	MARK_BEGIN, /* of an item or a value */
};

static const unsigned char marks[256] = {
	[' '] = MARK_SPACE, ['\''] = MARK_QUOTE, ['"'] = MARK_QUOTE, ['{'] = MARK_OPEN,
	['['] = MARK_OPEN,  ['}'] = MARK_CLOSE,  [']'] = MARK_CLOSE, [','] = MARK_BEGIN,
	[':'] = MARK_BEGIN, ['\n'] = MARK_END,   ['\0'] = MARK_END,
};

/*
 * Behind a list or a mapping; NULL if it has no end.  Quotes that a text doesn't begin with are
 * like its other letters.
 */
static const char *skip_brackets(const char *s)
{
	unsigned int depth = 0;
	bool is_begin = false; /* of an item, a key or a value */

	do {
		const enum mark mark = marks[(unsigned char)*s];

		if (mark == MARK_END)
			return NULL;
		s = mark == MARK_QUOTE && is_begin ? skip_quoted(s) : s + 1;
		if (!s)
			return NULL;
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

static struct yaml_word word_of(const char *from, const char *to)
{
	return (struct yaml_word){from, (size_t)(to - from)};
}

/* Behind a text without quotes, and spaces; NULL if it isn't one. */
static const char *take_text(const char *s, struct yaml_word *ret)
{
	const char *end = yaml_skip_text(s), *to = end;

	if (!end)
		return NULL;
	while (to[-1] == ' ')
		to--;
	*ret = word_of(s, to);
	return end;
}

/* The same of a list or a mapping. */
static const char *take_brackets(const char *s, struct yaml_word *ret)
{
	const char *end = skip_brackets(s);

	if (!end)
		return NULL;
	*ret = word_of(s, end);
	return skip_spaces(end);
}

/* Where the value begins; NULL if this isn't a key without quotes. */
static const char *take_key(const char *s, struct yaml_word *ret)
{
	const char *end = yaml_skip_kind(s, YAML_IN_KEY);

	if (!yaml_is_kind(s, YAML_BEGINS) || end - s > YAML_KEY_MAX || end[0] != ':' ||
	    end[1] != ' ')
		return NULL;
	*ret = word_of(s, end);
	return skip_spaces(end + 2);
}

/* Where the next one begins, or the end is; NULL if neither is there. */
static const char *next_from(const char *s, char end)
{
	if (*s == ',')
		return skip_spaces(s + 1);
	return *s == end ? s : NULL;
}

static const char *take_part(const char *s, struct yaml_part *ret)
{
	s = take_key(s, &ret->key);
	if (!s)
		return NULL;
	s = *s == '{' || *s == '[' ? take_brackets(s, &ret->value) : take_text(s, &ret->value);
	return s ? next_from(s, '}') : NULL;
}

/* Behind the brace at the end. */
static const char *take_parts(const char *s, struct yaml_part *parts, size_t most, size_t *count)
{
	s = skip_spaces(s + 1);
	for (*count = 0; s && *s != '}'; (*count)++) {
		if (*count == most)
			return NULL;
		s = take_part(s, &parts[*count]);
	}
	return s ? s + 1 : NULL;
}

size_t yaml_parts(const struct node *n, struct yaml_part *parts, size_t most)
{
	size_t count;
	const char *end = n->is_folded ? take_parts(n->rest, parts, most, &count) : NULL;

	if (!end)
		return 0;
	end = skip_spaces(end);
	return is_line_end(*end) || *end == '#' ? count : 0;
}

size_t yaml_word_parts(const struct yaml_word *word, struct yaml_part *parts, size_t most)
{
	const char *end = word->text + word->len;
	size_t count;

	if (*word->text != '{' || take_parts(word->text, parts, most, &count) != end)
		return 0;
	return count;
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
		.count = (unsigned int)word->len,
		.at = yaml_word_at(n, word),
	};
}

bool yaml_word_is_text(const struct yaml_word *word)
{
	return *word->text != '{' && *word->text != '[';
}

bool yaml_word_is(const struct yaml_word *word, const char *text)
{
	return word->text[0] == text[0] && !strncmp(word->text, text, word->len) &&
	       !text[word->len];
}

bool yaml_word_same(const struct yaml_word *a, const struct yaml_word *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static bool begin(const struct yaml_word *word, const char brackets[2], struct yaml_items *ret)
{
	ret->end = brackets[1];
	ret->at = skip_spaces(word->text + 1);
	return word->text[0] == brackets[0];
}

bool yaml_items_begin(const struct yaml_word *word, struct yaml_items *ret)
{
	return begin(word, "[]", ret);
}

bool yaml_labels_begin(const struct yaml_word *word, struct yaml_items *ret)
{
	return begin(word, "{}", ret);
}

bool yaml_items_end(const struct yaml_items *items)
{
	return *items->at == items->end;
}

/* Without escapes; a quote in it would be followed by another one. */
static const char *take_quoted(const char *s, struct yaml_item *ret)
{
	const char *end = skip_quoted(s);

	if (!end || (*s == '"' && memchr(s, '\\', (size_t)(end - s))))
		return NULL;
	ret->whole = word_of(s, end);
	ret->text = word_of(s + 1, end - 1);
	return skip_spaces(end);
}

static bool take_item(struct yaml_items *items, const char *s, struct yaml_item *ret)
{
	if (is_quote(*s)) {
		s = take_quoted(s, ret);
	} else {
		s = take_text(s, &ret->whole);
		ret->text = ret->whole;
	}
	s = s ? next_from(s, items->end) : NULL;
	if (s)
		items->at = s;
	return s;
}

bool yaml_items_next(struct yaml_items *items, struct yaml_item *ret)
{
	return take_item(items, items->at, ret);
}

bool yaml_labels_next(struct yaml_items *items, struct yaml_label *ret)
{
	const char *s = take_key(items->at, &ret->key);

	return s && take_item(items, s, &ret->value);
}
