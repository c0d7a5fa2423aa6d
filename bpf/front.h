/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload sends to a Service's address: it passes the endpoint, and is decided later, when
 * the kernel has put somebody in the place of that address (translated.h); or it is decided there,
 * on all who may get it (backends.h). */
#ifndef BPF_FRONT_H
#define BPF_FRONT_H

#include "builtin.h"

static __always_inline enum bh_front_kind front_at(const struct bh_addr *addr, __be16 port,
						   __u8 proto)
{
	const struct bh_front front = {.addr = *addr, .port = port, .proto = proto};
	const __u32 *kind = bpf_map_lookup_elem(&bh_fronts, &front);

	return kind ? *kind : BH_FRONT_NONE;
}

/* One of every address of this machine. */
static __always_inline enum bh_front_kind local_front_at(__be16 port, __u8 proto)
{
	const struct bh_addr any = {};

	return front_at(&any, port, proto);
}

/* Where the packet goes to, or if it @is_reply where it comes from: enum bh_front_kind.  Global:
 * verified once. */
__noinline int front_of(int is_reply)
{
	const struct packet *p = packet_here();
	enum bh_front_kind kind;
	struct bh_addr addr;
	__be16 port;

	if (!p)
		return BH_FRONT_NONE;
	addr = is_reply ? p->src : p->dst;
	port = is_reply ? p->sport : p->dport;
	kind = front_at(&addr, port, p->proto);
	return kind || !is_local(&addr) ? kind : local_front_at(port, p->proto);
}

/*
 * What a workload's connection is to, that the packet is of, or opens.  While nobody decides of
 * fronts the built-in rule is off.
 */
static __always_inline enum bh_front_kind front_opened(const struct packet *p, bool is_reply)
{
	if (p->is_host || (p->direction == BH_EGRESS) == is_reply ||
	    !is_builtin_on(p, BH_BUILTIN_FRONT))
		return BH_FRONT_NONE;
	return front_of(is_reply);
}

#endif
