/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets that try to get past the parser, each with what must become of it.  What is due follows
 * from the policy below and from RFCs; some must pass, so that dropping all of them is no success.
 */
#ifndef CLI_SELFTEST_CORPUS_H
#define CLI_SELFTEST_CORPUS_H

#include "datapath/crafted.h"
#include "datapath/program.h"

enum hostile_family {
	HOSTILE_BOTH,
	HOSTILE_V4,
	HOSTILE_V6,
};

enum hostile_order {
	HOSTILE_ALONE, /* nothing came before it */
	HOSTILE_THEN,  /* after those above it, where they were seen */
	HOSTILE_BACK,  /* likewise, the other way */
};

struct hostile {
	const char *name;
	enum bh_reason reason; /* of the drop; NONE: it passes */
	enum hostile_order order;
	enum hostile_family family;
	unsigned int programs; /* bit n: enum program n; those that follow it are seen there, too */
	enum end stand; /* END_DEFAULT: at its destination on ingress, its source on egress */
	struct packet_spec packet;
};

extern const struct hostile selftest_corpus[];
extern const size_t selftest_corpus_count;

/* Under which they are judged. */
extern const char selftest_policy[];

#endif
