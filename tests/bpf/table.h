/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables of packets with what becomes of them: every row over both families, at every program. */
#ifndef TESTS_BPF_TABLE_H
#define TESTS_BPF_TABLE_H

#include "tests/bpf/rig.h"

/* Rows leave out what is boring. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum family {
	FAMILY_BOTH,
	FAMILY_V4,
	FAMILY_V6,
};

struct row {
	const char *name;
	struct packet_spec packet;
	enum bh_reason reason; /* NONE: it passes */
	const char *rule;      /* that is counted; "none"; NULL: not looked at */
	enum family family;
	unsigned int programs; /* ON(...); 0: ON_ALL */
	enum end stand;        /* 0: at the destination on ingress, at the source on egress */
	bool is_reported;      /* passes, and an event says so */
	bool is_forwarded;
	bool is_returned;
};

/* What one row came to at one program. */
struct visit {
	const struct row *row;
	const char *place; /* for messages */
	enum program program;
	struct packet_spec packet; /* of one family */
	size_t length;             /* of the frame */
	struct outcome outcome;
};

typedef void visit_fn(const struct rig *rig, const struct visit *v);

/* Each is the first packet that the programs see; reason, rule and event are as the row says. */
void table_each(struct rig *rig, const struct row *rows, size_t count, visit_fn *fn);
void table_run(struct rig *rig, const struct row *rows, size_t count);

/* "row (IPv6, bh_tc_to)", valid until the next call. */
const char *table_place(const char *name, bool is_v6, enum program program);

bool family_has(enum family family, bool is_v6);

#endif
