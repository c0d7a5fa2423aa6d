/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/utf8.h"

#define BOM            0xfeff
#define NO_BREAK_SPACE 0xa0

/* libyaml tells of it where the next thing begins, lines below the key. */
#define NO_COLON   "could not find expected ':'"
#define NO_BRACKET "did not find expected ',' or "

/* libyaml's sentence, and ours. */
struct wording {
	const char *theirs;
	const char *ours;
};

/* clang-format off */
static const struct wording wordings[] = {
	{ "mapping values are not allowed in this context",
	  "unexpected ':'; check the indentation, or quote a text that holds one" },
	{ "did not find expected key",
	  "expected a key; check the indentation" },
	{ "did not find expected '-' indicator",
	  "expected '- '; check the indentation" },
	{ "did not find expected ',' or ']'",
	  "expected ',' or ']'" },
	{ "did not find expected ',' or '}'",
	  "expected ',' or '}'" },
	{ NO_COLON,
	  "expected ':' and a space after a key" },
	{ "found unexpected end of stream",
	  "a closing quote is missing" },
	{ "found unexpected document indicator",
	  "a closing quote is missing before the end of the document" },
	{ "did not find expected node content",
	  "expected a value" },
	{ "did not find expected <document start>",
	  "expected the end of the document, or '---'; check the indentation" },
	{ "block sequence entries are not allowed in this context",
	  "a list can't start here; put it on the next line" },
	{ "mapping keys are not allowed in this context",
	  "a mapping can't start here; put it on the next line" },
	{ "found incompatible YAML document",
	  "unknown YAML version; leave the directive out" },
	{ "found undefined tag handle",
	  "explicit tags are not accepted; leave it out" },
};
/* clang-format on */

struct yaml_cursor yaml_cursor_of(const struct source *source)
{
	size_t bom = source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3) ? 3 : 0;

	return (struct yaml_cursor){.s = source->text + bom, .end = source->text + source->len};
}

static bool is_break(uint32_t point)
{
	return point == '\n' || point == '\r' || point == 0x85 || point == 0x2028 ||
	       point == 0x2029;
}

/* Past the code point @point of @len bytes.  CR LF is one break, at its LF. */
static void step(struct yaml_cursor *c, uint32_t point, size_t len)
{
	bool is_crlf = point == '\r' && c->s + 1 < c->end && c->s[1] == '\n';

	c->s += len;
	c->index++;
	c->column++;
	if (is_break(point) && !is_crlf) {
		c->line++;
		c->column = 0;
	}
}

static uint32_t next(struct yaml_cursor *c)
{
	uint32_t point;
	size_t len = utf8_next(c->s, (size_t)(c->end - c->s), &point);

	step(c, point, len);
	return point;
}

void yaml_cursor_move(struct yaml_cursor *c, size_t index)
{
	while (c->s < c->end && c->index < index)
		next(c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void yaml_cursor_skip_anchor(struct yaml_cursor *c)
{
	while (c->s < c->end && !is_blank(*c->s))
		next(c);
	while (c->s < c->end && (is_blank(*c->s) || *c->s == '#')) {
		if (*c->s != '#') {
			next(c);
			continue;
		}
		while (c->s < c->end && !is_break(next(c)))
			;
	}
}

static struct span span_at(const struct source *source, size_t line, size_t column)
{
	return (struct span){
		.source = source,
		.line = (unsigned int)line + 1,
		.column = (unsigned int)column + 1,
		.len = 1,
	};
}

static bool is_rare(uint32_t point)
{
	return point >= 0x7f && point < 0xa0 && point != 0x85;
}

static bool is_allowed(uint32_t point)
{
	if (point < 0x20)
		return point == '\t' || point == '\n' || point == '\r';
	return point != BOM && point != 0xfffe && point != 0xffff;
}

static void refuse(struct span at, uint32_t point, struct diags *d)
{
	diag_error(d, at, "the character U+%04X is not allowed in YAML; remove it", point);
}

bool yaml_cursor_find_rare(struct yaml_cursor *c, size_t index)
{
	while (c->s < c->end && c->index < index) {
		uint32_t point;
		size_t len = utf8_next(c->s, (size_t)(c->end - c->s), &point);

		if (is_rare(point))
			return true;
		step(c, point, len);
	}
	return false;
}

void yaml_text_refuse(struct yaml_cursor *c, const struct source *source, struct diags *d)
{
	struct span at = span_at(source, c->line, c->column);

	refuse(at, next(c), d);
}

/* U+0080 to U+009F are C2 and what they'd be in Latin-1; 20 more is a sign. */
int yaml_text_feed(void *cursor, unsigned char *buffer, size_t size, size_t *ret_len)
{
	struct yaml_cursor *c = cursor;
	size_t len = (size_t)(c->end - c->s);

	len = len < size ? len : size;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)c->s[i];

		buffer[i] = byte == 0x7f ? 'x' : byte;
		if (c->is_c2 && byte < 0xa0 && byte != 0x85)
			buffer[i] = (unsigned char)(byte + 0x20);
		c->is_c2 = byte == 0xc2;
	}
	c->s += len;
	*ret_len = len;
	return 1;
}

int yaml_text_check(const struct source *source, struct diags *d, bool *ret_has_rare)
{
	struct yaml_cursor c = yaml_cursor_of(source);

	while (c.s < c.end) {
		uint32_t point;
		size_t len = utf8_next(c.s, (size_t)(c.end - c.s), &point);
		struct span at = span_at(source, c.line, c.column);

		if (point == UTF8_INVALID) {
			diag_error(d, at, "byte 0x%02x is not UTF-8; save the file as UTF-8 text",
				   (unsigned char)*c.s);
			return -EINVAL;
		}
		if (!is_allowed(point)) {
			refuse(at, point, d);
			return -EINVAL;
		}
		*ret_has_rare = *ret_has_rare || is_rare(point);
		step(&c, point, len);
	}
	return 0;
}

static const char *our_words(const char *theirs, char at)
{
	if (!strcmp(theirs, "found character that cannot start any token"))
		return at == '\t' ? "a tab can't stand here; use spaces"
				  : "no value can start with this character; put it in quotes";
	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
		if (!strcmp(theirs, wordings[i].theirs))
			return wordings[i].ours;
	}
	return theirs;
}

/* What is told of a syntax error, and where. */
struct finding {
	const char *words;
	const yaml_mark_t *at;
	const char *end; /* "" or " before ..." */
};

static bool is_next_item(const struct yaml_cursor *c)
{
	return c->end - c->s > 1 && c->s[0] == '-' && is_blank(c->s[1]);
}

/* libyaml marks where it gave up: what is wrong may stand where it began. */
static struct finding find_cause(const struct yaml_parser_s *parser, struct yaml_cursor c,
				 const struct yaml_quote *quote)
{
	struct finding f = {.at = &parser->problem_mark, .end = ""};
	const char *theirs = parser->problem ? parser->problem : "out of memory";
	bool is_in_brackets = !strncmp(theirs, NO_BRACKET, strlen(NO_BRACKET));

	if (quote->end.line > quote->start.line && quote->end.line == f.at->line) {
		f.at = &quote->start;
		f.words = "this quote is closed only by one on a later line; close it where its "
			  "text ends";
		return f;
	}
	f.words = our_words(theirs, *c.s);
	if (!parser->context)
		return f;
	if (!strcmp(theirs, NO_COLON)) {
		f.at = &parser->context_mark;
		return f;
	}
	if (is_in_brackets && is_next_item(&c) && parser->context_mark.line < f.at->line) {
		f.at = &parser->context_mark;
		f.words = "this bracket is not closed";
		f.end = " before the next '- '";
		return f;
	}
	while (c.s < c.end && is_blank(*c.s))
		c.s++;
	if (c.s == c.end) {
		f.at = &parser->context_mark;
		f.end = " before the end of the file";
	}
	return f;
}

/* From a web page or a word processor: it looks like a space, and is text. */
static void note_space(const struct source *source, size_t line, struct diags *d)
{
	struct yaml_cursor c = yaml_cursor_of(source);

	while (c.s < c.end && c.line <= line) {
		struct span at = span_at(source, c.line, c.column);

		if (next(&c) != NO_BREAK_SPACE || at.line != line + 1)
			continue;
		diag_note(d, at, "a no-break space is text (U+00A0); write a space");
		return;
	}
}

void yaml_text_error(const struct source *source, const struct yaml_parser_s *parser,
		     const struct yaml_quote *quote, struct diags *d)
{
	const yaml_mark_t *mark = &parser->problem_mark, *context = &parser->context_mark;
	struct yaml_cursor c = yaml_cursor_of(source);
	struct finding f;

	yaml_cursor_move(&c, mark->index);
	f = find_cause(parser, c, quote);
	diag_error(d, span_at(source, f.at->line, f.at->column), "%s%s", f.words, f.end);
	note_space(source, mark->line, d);
	if (parser->context && f.at == mark && context->line != mark->line)
		diag_note(d, span_at(source, context->line, context->column), "%s",
			  parser->context);
}
