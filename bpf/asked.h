/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From which ports connections were ever opened: what comes to another one is no answer, and who
 * denies it need not look for its connection.
 *
 * - A port is noted before the first connection from it is entered, and so before anybody can
 *   answer.  Nothing is ever taken back.
 * - What opens a connection, and is denied, is of none that its own sender opened: the same was
 *   decided for that, or is when it is decided again.  Unless a built-in rule allowed it: those
 *   that are opened so are noted from both ends.
 * - Ports, endpoints and ways share places by a hash: who is told that something may be an answer
 *   looks for it.  Clients' ports, from 32768 up, share with each other only.
 * - Workloads' own packets ask for more than this (denial.h), and nobody looks for answers to the
 *   others here.
 */
#ifndef BPF_ASKED_H
#define BPF_ASKED_H

#include <bpf/bpf_endian.h>

#include "maps.h"
#include "order.h"

/* Packets that come to an endpoint's port. */
struct asked {
	__u32 endpoint;
	__u32 direction;
	__be16 port;
	__u8 proto;
};

static __always_inline bool is_asked_of(const struct asked *a)
{
	return (a->proto == IPPROTO_TCP || a->proto == IPPROTO_UDP) &&
	       (a->endpoint == BH_ENDPOINT_HOST || a->direction == BH_INGRESS);
}

/* NULL: nothing is known of it. */
static __always_inline __u8 *asked_at(const struct asked *a)
{
	__u32 way = a->endpoint << 2 | (a->direction & 1) << 1 | (a->proto == IPPROTO_TCP);
	__u32 place = bpf_ntohs(a->port) ^ (way * 0x9e3779b1u) >> 17,
	      number = place / BH_ASKED_LINE;
	struct bh_asked_line *line;

	if (!is_asked_of(a))
		return NULL;
	line = bpf_map_lookup_elem(&bh_asked, &number);
	return line ? &line->is_asked[place % BH_ASKED_LINE] : NULL;
}

static __always_inline bool may_be_answer(const struct asked *a)
{
	const __u8 *is_asked = asked_at(a);

	return !is_asked || READ_NOW(*is_asked);
}

static __always_inline void asked_note(const struct asked *a)
{
	__u8 *is_asked = asked_at(a);

	if (is_asked && !READ_NOW(*is_asked))
		*is_asked = 1;
}

#endif
