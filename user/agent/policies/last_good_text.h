/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the texts of a policy are written to one file, with a checksum over all of it. */
#ifndef AGENT_POLICIES_LAST_GOOD_TEXT_H
#define AGENT_POLICIES_LAST_GOOD_TEXT_H

#include "util/source.h"
#include "util/text.h"

typedef VEC(const struct source *) source_view;

/* A text that is made where it is to be. */
struct made_source {
	const char *name;
	void (*write)(const void *user, struct text *out);
	const void *user;
};

/* NULL @first: there is none before the others. */
void last_good_format(const source_view *texts, const struct made_source *first, struct text *out);

/* All of it, or -EBADMSG with a sentence in @reterr: one byte that is not what was written. */
int last_good_parse(const struct text *content, struct text *reterr, source_list *ret);

#endif
