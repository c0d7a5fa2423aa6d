/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* YAML text below the level of nodes: what characters it may hold, places in it, and syntax errors.
 */
#ifndef POLICY_YAML_TEXT_H
#define POLICY_YAML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include "util/diag.h"
#include "util/source.h"

/* A place in a text, counted as libyaml counts: all from 0, in code points. */
struct yaml_cursor {
	const char *s;
	const char *end;
	size_t index;
	size_t line;
	size_t column;
	bool is_c2; /* the byte before was the first of U+0080 to U+00BF */
};

/* At the start, behind a BOM. */
struct yaml_cursor yaml_cursor_of(const struct source *source);
void yaml_cursor_move(struct yaml_cursor *c, size_t index); /* forwards only */

/* From an anchor's '&' to what it names. */
void yaml_cursor_skip_anchor(struct yaml_cursor *c);

/*
 * 0, or -EINVAL with an error at the first character that is not UTF-8 or not allowed in YAML.
 * *ret_has_rare: there are characters that only double quotes may hold, as in JSON, and that the
 * parser takes nowhere: U+007F to U+009F.
 */
int yaml_text_check(const struct source *source, struct diags *d, bool *ret_has_rare);

/* Forwards to @index, or to a rare character before it, if there is one: then true. */
bool yaml_cursor_find_rare(struct yaml_cursor *c, size_t index);

/* Past one character, which is refused. */
void yaml_text_refuse(struct yaml_cursor *c, const struct source *source, struct diags *d);

/* A yaml_read_handler_t over a cursor: the text with something harmless for rare characters. */
int yaml_text_feed(void *cursor, unsigned char *buffer, size_t size, size_t *ret_len);

/* The last text in quotes. */
struct yaml_quote {
	yaml_mark_t start, end;
};

/* What the parser stopped at, in our words. */
void yaml_text_error(const struct source *source, const struct yaml_parser_s *parser,
		     const struct yaml_quote *quote, struct diags *d);

#endif
