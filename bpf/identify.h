/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Address -> identity -> class. */
#ifndef BPF_IDENTIFY_H
#define BPF_IDENTIFY_H

#include "maps.h"
#include "packet.h"

/* Identity 0 is `outside`: no prefix of the slot has the address. */
static __always_inline __u32 identify(const struct bh_addr *addr, __u32 slot)
{
	struct bh_prefix_key key = {
		.prefix_len = BH_SLOT_BITS + 128,
		.slot = slot,
		.addr = *addr,
	};
	__u32 *identity = bpf_map_lookup_elem(&bh_prefixes, &key);

	return identity ? *identity : 0;
}

/* NULL when the tables contradict themselves; then nothing is allowed. */
static __always_inline const struct bh_identity *identity_of(const struct bh_policy *policy,
							     __u32 identity)
{
	__u32 at = policy->identity + identity;

	if (identity >= policy->identities)
		return NULL;
	return bpf_map_lookup_elem(&bh_identities, &at);
}

#endif
