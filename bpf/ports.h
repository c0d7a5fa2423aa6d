/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * To which ports connections' packets ever came: what comes to another one is of no connection, and
 * who denies it need not look for any.
 *
 * - Ports are noted before the first connection with them is entered.  Nothing is ever taken back.
 * - Ports, endpoints and protocols share places by a hash: who is told that a port is used looks
 * for the connection.  Each way has places of its own, for at a server nearly any port is a
 * client's the other way; and clients' ports, from 32768 up, share with each other only.
 * - Of what workloads send nobody denies anything by this (see denial.h): it is not noted.
 */
#ifndef BPF_PORTS_H
#define BPF_PORTS_H

#include <bpf/bpf_endian.h>

#include "maps.h"
#include "order.h"

/* Where packets come that go one way through an endpoint. */
struct port_use {
	__u32 endpoint;
	__u32 direction;
	__be16 port;
	__u8 proto;
};

static __always_inline bool is_port_noted(const struct port_use *u)
{
	return (u->proto == IPPROTO_TCP || u->proto == IPPROTO_UDP) &&
	       (u->endpoint == BH_ENDPOINT_HOST || u->direction == BH_INGRESS);
}

/* NULL: nothing is known of it. */
static __always_inline __u8 *port_at(const struct port_use *u)
{
	__u32 end = u->endpoint << 1 | (u->proto == IPPROTO_TCP);
	__u32 place = (u->direction & 1) << 16 | (bpf_ntohs(u->port) ^ (end * 0x9e3779b1u) >> 17);
	__u32 number = place / BH_PORT_LINE;
	struct bh_port_line *line;

	if (!is_port_noted(u))
		return NULL;
	line = bpf_map_lookup_elem(&bh_ports, &number);
	return line ? &line->is_used[place % BH_PORT_LINE] : NULL;
}

static __always_inline bool may_be_used(const struct port_use *u)
{
	const __u8 *is_used = port_at(u);

	return !is_used || READ_NOW(*is_used);
}

static __always_inline void port_note(const struct port_use *u)
{
	__u8 *is_used = port_at(u);

	if (is_used && !READ_NOW(*is_used))
		*is_used = 1;
}

/* Of a connection whose opener's packets have this use, and come from the @other port. */
static __always_inline void ports_note(struct port_use u, __be16 other)
{
	port_note(&u);
	u.direction = !u.direction;
	u.port = other;
	port_note(&u);
}

#endif
