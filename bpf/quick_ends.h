/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each CPU has found of addresses lately, so that it finds it at once the next time: one line
 * is as much as the tables would be many.
 *
 * - What is here is of one generation: of its slot, and of all addresses that had changed before
 *   it.  Who found it had read the generation before any table (see epoch.h).
 * - Whether it is this machine's own was found after bh_local_head was seen to have this
 *   stamp, and holds as long as it has: who changes any of it gives it another one first.
 */
#ifndef BPF_QUICK_ENDS_H
#define BPF_QUICK_ENDS_H

#include "endpoint.h"
#include "identify.h"
#include "order.h"

#define ENDS_ENTRIES 2048
#define ENDS_SHIFT   54 /* of 64 bits: half of the entries */

struct end_known {
	__u64 first, last; /* the address, as two halves in memory */
	__u32 generation;
	__u32 stamp;
	__u32 identity;    /* and END_IS_* */
	__u16 row, column; /* as in struct bh_identity */
};

#define END_IS_OWN        (1u << 31) /* is_local() */
#define END_IS_OWN_SOURCE (1u << 30) /* is_local_source() */
#define END_IDENTITY      (END_IS_OWN_SOURCE - 1)

/* Address, hashed -> what is known of it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENDS_ENTRIES);
	__type(key, __u32);
	__type(value, struct end_known);
} bh_ends SEC(".maps");

/* A packet's two ends never have the same place. */
static __always_inline __u32 end_place(__u64 first, __u64 last, __u32 is_dst)
{
	__u64 both = (first ^ last) * 0x9e3779b97f4a7c15ull;

	return (__u32)(both >> ENDS_SHIFT) * 2 + is_dst;
}

static __always_inline struct end_known *end_at(__u32 place)
{
	return bpf_map_lookup_elem(&bh_ends, &place);
}

static __always_inline __u32 local_stamp(void)
{
	__u32 zero = 0;
	const struct bh_local_head *head = bpf_map_lookup_elem(&bh_local_head, &zero);

	return head ? READ_NOW(head->stamp) : 0;
}

/* Fills it in; false: nothing can be said for sure.  Global, of numbers only: verified once. */
__noinline int end_learn(__u64 first, __u64 last, __u32 slot, __u32 generation, __u32 place)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &slot);
	struct end_known *end = end_at(place);
	const struct bh_identity *identity;
	__u32 stamp = local_stamp(), flags, number;
	struct bh_addr addr = addr_of(first, last);

	if (!policy || !end || !is_stamp_valid(stamp))
		return false;
	keep_order();
	flags = local_flags(first, last);
	number = identify(&addr, slot);
	identity = identity_of(policy, number);
	if (!identity)
		return false;
	end->first = first;
	end->last = last;
	end->generation = generation;
	end->stamp = stamp;
	end->row = identity->row;
	end->column = identity->column;
	end->identity = (number & END_IDENTITY) | (flags & OWN_IS) |
			(is_own_source(flags) ? END_IS_OWN_SOURCE : 0);
	return true;
}

/* What is known then is known of this. */
struct moment {
	__u32 slot;
	__u32 generation;
	__u32 stamp;
};

/* NULL: the whole way may find more. */
static __always_inline const struct end_known *end_find(const __u64 addr[2],
							const struct moment *now, __u32 is_dst)
{
	__u32 place = end_place(addr[0], addr[1], is_dst);
	struct end_known *end = end_at(place);

	if (!end)
		return NULL;
	if (!((end->first ^ addr[0]) | (end->last ^ addr[1]) | (end->generation ^ now->generation) |
	      (end->stamp ^ now->stamp)))
		return end;
	return end_learn(addr[0], addr[1], now->slot, now->generation, place) ? end : NULL;
}

_Static_assert(sizeof(struct end_known) == 32, "two ends are a cache line");
_Static_assert(ENDS_ENTRIES / 2 == 1 << (64 - ENDS_SHIFT), "a place for each value of the hash");
_Static_assert(END_IS_OWN == OWN_IS, "as it is told");
_Static_assert(BH_IDENTITY_ENTRIES <= END_IDENTITY, "identities leave room for flags");

#endif
