/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hosts and services that one source was denied, each pair once.  So many are kept that a scan
 * is told before it could push out what it did first.
 */
#ifndef AGENT_DETECT_DETECT_PAIRS_H
#define AGENT_DETECT_DETECT_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/address.h>

#include "policy/service_class.h"

/* Three times the highest threshold of ports and hosts. */
#define PAIRS_MAX     96
#define PAIRS_SCATTER 3

/* Beats nearer than this are of one attempt; intervals below the next are no beacon's. */
#define BEAT_BURST_NS 500000000ull
#define BEAT_MIN_NS   2000000000ull
#define BEAT_JITTER   4 /* an interval differs from their mean by a fourth at most */

/* TCP has given up on a connection by then: another SYN of its port is another attempt. */
#define RETRY_NS 135000000000ull

struct pair {
	struct bh_addr host;
	uint64_t last_ns;     /* the last packet */
	uint64_t beat_ns;     /* the last attempt */
	uint32_t interval_ms; /* between attempts, their mean */
	uint16_t number;      /* of the service */
	uint16_t sport;       /* network order */
	uint8_t table;
	uint8_t beats; /* at that interval, one after another */
};

struct pairs {
	struct pair *list;
	uint16_t count;
	uint16_t size;
	uint16_t next; /* when it is full: whose place is given away next */
};

/* A packet that would open something. */
struct attempt {
	const struct bh_addr *host;
	struct service_number service;
	uint16_t sport;
	bool is_repeated_alike; /* TCP: the same source port means the same attempt */
	uint64_t now_ns;
	uint64_t window_ns;
};

/* What is known then, within the window. */
struct reach {
	bool is_new_pair;
	bool is_new_attempt; /* not the same SYN again */
	uint32_t ports;      /* of this host */
	uint32_t hosts;      /* with this service */
	uint32_t pairs;
	uint32_t interval_ms;
	uint32_t beats;
	uint64_t ports_since_ns;
	uint64_t hosts_since_ns;
	uint64_t pairs_since_ns;
	uint64_t beats_since_ns;
};

void pairs_add(struct pairs *p, const struct attempt *a, struct reach *ret);

/* How many hosts and services there are among those of the window. */
void pairs_spread(const struct pairs *p, const struct attempt *a, uint32_t *ret_hosts,
		  uint32_t *ret_services);

void pairs_release(struct pairs *p);

#endif
