/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a policy would do with recorded connections that another one decided. */
#ifndef POLICY_REPLAY_H
#define POLICY_REPLAY_H

#include "policy/party.h"

/* Connections of one pair of names and one service that all change in the same way. */
struct replay_row {
	struct party src, dst;
	enum bh_service_table table;
	uint16_t number;
	struct decision now;
	enum bh_verdict was;
	uint32_t was_rule; /* a word of the recording */
	uint64_t events;
	uint64_t connections;
};

struct replay {
	VEC(struct replay_row) rows; /* what is newly denied first, then by events */
	uint64_t events;
	uint64_t connections;
	uint64_t allowed; /* connections that the policy lets through and that were not */
	uint64_t denied;  /* the other way round */
};

/* What counts is what gets through: audit does. */
void replay_run(const struct compiled *c, const struct recording *r, struct replay *ret);
void replay_release(struct replay *r);
#define _replay_ _cleanup_(replay_release)

/* A line a row, "+" or "-" in front, and one with the sums. */
void replay_text(const struct compiled *c, const struct recording *recording,
		 const struct replay *replay, struct text *out);
void replay_json(const struct compiled *c, const struct recording *recording,
		 const struct replay *replay, struct text *out);

#endif
