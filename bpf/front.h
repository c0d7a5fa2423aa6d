/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload sends to a Service's address: it passes the endpoint, and is decided later, when
 * the kernel has put somebody in the place of that address (translated.h). */
#ifndef BPF_FRONT_H
#define BPF_FRONT_H

#include "builtin.h"

static __always_inline bool is_front(const struct bh_addr *addr, __be16 port, __u8 proto)
{
	const struct bh_front front = {.addr = *addr, .port = port, .proto = proto};

	return bpf_map_lookup_elem(&bh_fronts, &front) != NULL;
}

/* One of every address of this machine. */
static __always_inline bool is_local_front(__be16 port, __u8 proto)
{
	const struct bh_addr any = {};

	return is_front(&any, port, proto);
}

/* Where the packet goes to, or if it @is_reply where it comes from.  Global: verified once. */
__noinline int is_front_of(int is_reply)
{
	const struct packet *p = packet_here();
	struct bh_addr addr;
	__be16 port;

	if (!p)
		return false;
	addr = is_reply ? p->src : p->dst;
	port = is_reply ? p->sport : p->dport;
	return is_front(&addr, port, p->proto) ||
	       (is_local(&addr) && is_local_front(port, p->proto));
}

/* While nobody is there to decide later, the built-in rule is off. */
static __always_inline bool is_to_front(const struct packet *p)
{
	return !p->is_host && p->direction == BH_EGRESS && is_builtin_on(p, BH_BUILTIN_FRONT) &&
	       is_front_of(false);
}

#endif
