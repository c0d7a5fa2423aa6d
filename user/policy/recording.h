/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Recorded events, summed up by connection: who opened what to whom, how often, and what it got. */
#ifndef POLICY_RECORDING_H
#define POLICY_RECORDING_H

#include "policy/compile.h"
#include "util/map.h"

/* Bounds of what is kept, whatever is recorded. */
#define RECORDING_CONNECTIONS_MAX 1000000
#define RECORDING_WORDS_MAX       65536
#define RECORDING_WORD_LEN        256 /* bytes */

struct recorded_end {
	struct bh_addr addr;
	const char *workload; /* as the event calls it; NULL: nothing */
};

/* An event, turned so that @src is who opened the connection; both ends are of one family. */
struct recorded_event {
	struct recorded_end src, dst;
	enum bh_service_table table;
	uint16_t number; /* of the table; for ICMP type << 8 | code */
	enum bh_verdict verdict;
	const char *rule; /* NULL: not told */
	uint64_t time_ns; /* 0: not told */
	uint64_t count;   /* how many packets the event stands for */
};

/* All events of one source address, destination address and service. */
struct recorded_connection {
	struct bh_addr src, dst;
	uint32_t src_word, dst_word; /* see recording_word(); 0: none */
	uint32_t rule;               /* the same, of the latest event */
	uint16_t number;
	uint8_t table;   /* enum bh_service_table */
	uint8_t verdict; /* enum bh_verdict, of the latest event */
	uint64_t events;
	uint64_t first_ns, last_ns; /* 0: no event tells */
};

/* A zeroed one is empty. */
struct recording {
	VEC(struct recorded_connection) connections; /* in order of their first event */
	uint64_t events;
	uint64_t left_out; /* events of connections for which there was no room; not in `events` */
	struct map places;
	struct map word_numbers;
	VEC(char *) words;
};

void recording_add(struct recording *r, const struct recorded_event *event);
void recording_release(struct recording *r);
#define _recording_ _cleanup_(recording_release)

/* What the events say, unchanged: never print it without making it plain.  NULL for 0. */
const char *recording_word(const struct recording *r, uint32_t word);

struct recorded_who {
	uint32_t identity;
	size_t workload; /* of a pod itself; POLICY_NONE */
	bool is_by_name; /* the address is nobody's */
};

/*
 * Who an end is in a policy: whose the address is.  If that is no workload, and the policy has one
 * of the name that the event says, it is that: its addresses come and go.
 */
struct recorded_who recorded_who(const struct compiled *c, const struct recording *r,
				 const struct bh_addr *addr, uint32_t word);

/* What the policy, or what is built in, decides of a connection. */
struct decision recorded_decide(const struct compiled *c, const struct recording *r,
				const struct recorded_connection *connection);

#endif
