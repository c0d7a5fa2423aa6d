/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Later fragments have no ports: they are judged by those of the first, which must have come
 * before. */
#ifndef BPF_FRAGMENT_H
#define BPF_FRAGMENT_H

#include "fragment_key.h"
#include "maps.h"
#include "packet.h"

/* How long a datagram may be in pieces: RFC 8200, 4.5 has 60 s; hosts use 30
 * (net.ipv4.ipfrag_time). */
#define FRAGMENT_TIMEOUT_NS (30 * 1000000000ull)

static __always_inline void fragment_key_of(const struct packet *p, struct fragment_key *key)
{
	key->src = p->src;
	key->dst = p->dst;
	key->id = p->fragment_id;
	key->endpoint = p->endpoint;
	key->proto = p->fragment_proto;
	key->direction = p->direction;
}

/* After a first fragment was let through. */
static __always_inline void fragment_remember(const struct packet *p)
{
	struct fragment_key key;
	struct fragment_ports ports = {
		.seen_ns = p->now,
		.sport = p->sport,
		.dport = p->dport,
		.end = p->fragment_end,
		.proto = p->proto,
	};

	fragment_key_of(p, &key);
	bpf_map_update_elem(&bh_fragments, &key, &ports, BPF_ANY);
}

/* Gives a later fragment the ports of its first. */
static __always_inline enum bh_reason fragment_recall(struct packet *p)
{
	struct fragment_key key;
	struct fragment_ports *ports;

	fragment_key_of(p, &key);
	ports = bpf_map_lookup_elem(&bh_fragments, &key);
	if (!ports || p->now - ports->seen_ns > FRAGMENT_TIMEOUT_NS)
		return BH_REASON_FRAGMENT;
	/* What overlaps the first could replace the header that was judged. */
	if (p->fragment_offset < ports->end)
		return BH_REASON_FRAGMENT;
	p->sport = ports->sport;
	p->dport = ports->dport;
	p->proto = ports->proto;
	return BH_REASON_NONE;
}

#endif
