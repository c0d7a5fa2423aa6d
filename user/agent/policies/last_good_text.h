/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the texts of a policy are written to one file, with a checksum over all of it. */
#ifndef AGENT_POLICIES_LAST_GOOD_TEXT_H
#define AGENT_POLICIES_LAST_GOOD_TEXT_H

#include "util/sink.h"
#include "util/source.h"
#include "util/text.h"

typedef VEC(const struct source *) source_view;

/* A text that is made as it is written: twice, as its length stands before it. */
struct made_source {
	const char *name;
	void (*write)(const void *user, const struct sink *out);
	const void *user;
};

#define LAST_GOOD_MARK    "bulkhead last-good 1 sha256 "
#define LAST_GOOD_SUM_AT  (sizeof(LAST_GOOD_MARK) - 1) /* bytes from the begin */
#define LAST_GOOD_SUM_LEN ((size_t)64)

/* All but the checksum, whose place it keeps and which is known last.  NULL @first: there is none
 * before the others. */
void last_good_format(const source_view *texts, const struct made_source *first,
		      const struct sink *out, char ret_sum[static LAST_GOOD_SUM_LEN + 1]);

/* All of it, or -EBADMSG with a sentence in @reterr: one byte that is not what was written. */
int last_good_parse(const struct text *content, struct text *reterr, source_list *ret);

#endif
