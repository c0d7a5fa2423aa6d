/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Truth tables as comments of a policy's file; tests/upstream/README.md says how to write them. */
#ifndef REFERENCE_SHEET_H
#define REFERENCE_SHEET_H

#include "policy/model.h"
#include "util/text.h"

typedef VEC(char *) words;

struct sheet_row {
	words from;
	words marks; /* as many as there are columns, one letter each */
};

/* What is wanted from each row to each column, for every one of the services. */
struct sheet_table {
	services services;
	words to;
	VEC(struct sheet_row) rows;
};

struct sheet {
	VEC(struct sheet_table) tables;
	bool is_alone;  /* the file brings its own pods */
	bool is_broken; /* some promise of the file is */
};

/* False with the bad line in @reterr; to be released in any case. */
bool sheet_read(const char *text, struct sheet *ret, struct text *reterr);
void sheet_release(struct sheet *s);

#endif
