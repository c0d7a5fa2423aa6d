/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* YAML text below the level of nodes: what characters it may hold, places in it, and syntax errors.
 */
#ifndef POLICY_YAML_TEXT_H
#define POLICY_YAML_TEXT_H

#include <stddef.h>

#include "util/diag.h"
#include "util/source.h"

struct yaml_parser_s;

/* A place in a text, counted as libyaml counts: all from 0, in code points. */
struct yaml_cursor {
	const char *s;
	const char *end;
	size_t index;
	size_t line;
	size_t column;
};

/* At the start, behind a BOM. */
struct yaml_cursor yaml_cursor_of(const struct source *source);
void yaml_cursor_move(struct yaml_cursor *c, size_t index); /* forwards only */

/* From an anchor's '&' to what it names. */
void yaml_cursor_skip_anchor(struct yaml_cursor *c);

/* 0, or -EINVAL with an error at the first character that is not UTF-8 or not allowed in YAML. */
int yaml_text_check(const struct source *source, struct diags *d);

/* What the parser stopped at, in our words. */
void yaml_text_error(const struct source *source, const struct yaml_parser_s *parser,
		     struct diags *d);

#endif
