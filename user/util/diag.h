/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a run has to say about its input.  Adding never fails and never stops the run: a caller
 * reports, goes on, and asks for the error count at the end.
 */
#ifndef UTIL_DIAG_H
#define UTIL_DIAG_H

#include <stdio.h>

#include "util/source.h"
#include "util/text.h"
#include "util/vec.h"

#define DIAG_KEPT 10000 /* what comes after so many is counted only */

enum diag_level {
	DIAG_ERROR,
	DIAG_WARNING,
	DIAG_NOTE, /* another place of the diagnostic before it: "first defined here" */
};

struct diag {
	enum diag_level level;
	const char *id; /* lint id such as "BH006", or NULL; not owned */
	struct span at; /* source NULL: of no file */
	char *message;
};

struct diags {
	VEC(struct diag) list;
	size_t errors;
	size_t warnings;
	size_t dropped; /* errors and warnings that aren't in the list */
};

void diag_add(struct diags *d, enum diag_level level, struct span at, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* A warning of lint. */
void diag_finding(struct diags *d, const char *id, struct span at, const char *format, ...)
	PRINTF_LIKE(4, 5);

#define diag_error(d, at, ...)   diag_add((d), DIAG_ERROR, (at), __VA_ARGS__)
#define diag_warning(d, at, ...) diag_add((d), DIAG_WARNING, (at), __VA_ARGS__)
#define diag_note(d, at, ...)    diag_add((d), DIAG_NOTE, (at), __VA_ARGS__)

const char *diag_level_word(enum diag_level level); /* "error", "warning", "note" */

/* FILE:LINE:COLUMN: level: message, the line, a caret; in the order they were added. */
void diags_print(const struct diags *d, FILE *out);
/* Of a text of such lines, where the message of the first error begins; if there is none, the text.
 */
const char *diags_first_error(const char *printed);

/* Takes out what was added since @d was as @before, a copy of it. */
void diags_cut(struct diags *d, const struct diags *before);

void diags_release(struct diags *d);
#define _diags_ _cleanup_(diags_release)

#endif
