/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What hangs on an interface, as the name of a pin: it outlives the agent, and needs no file. */
#ifndef DATAPATH_RECORD_H
#define DATAPATH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

enum record_kind {
	RECORD_LINK,   /* "3-in": the link of the interface's ingress; "3-answer": its answerer's */
	RECORD_FILTER, /* "3-out-clsact-1-49152": a tc filter, by handle and priority */
	RECORD_QDISC,  /* "3-qdisc": the clsact qdisc was made for a filter of ours */
};

#define RECORD_STRLEN 64

struct record {
	enum record_kind kind;
	uint32_t ifindex;
	bool is_egress;   /* as the interface sees it */
	bool is_answerer; /* as in struct hook */
	uint32_t handle, priority;
};

/* Into @buf, which is also returned. */
const char *record_format(const struct record *record, char buf[static RECORD_STRLEN]);

/* False: not the name of a record. */
bool record_parse(const char *name, struct record *ret);

#endif
