/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What floods are made of: denials whose event was over its rate.  More of the same, from whatever
 * source port, is denied at the first look, once no connection of it is known.
 *
 * - A denial holds in its generation, and as long as bh_local_head has its stamp: nothing else
 *   decided it but the packet itself (see quick_ends.h).  What a workload sends depends on more,
 *   and is never here.
 * - It holds while its event is over the rate: until the limiter's second ends.
 * - All CPUs share them.  Who reads one takes its stamp before and after, as of a connection.
 */
#ifndef BPF_DENIAL_H
#define BPF_DENIAL_H

#include "keyed_hash.h"
#include "maps.h"
#include "order.h"

#define DENIALS        65536
#define DENIAL_SHIFT   48 /* of 64 bits: a place */
#define DENIAL_CHOICES 2  /* places of each: side by side */

struct denial_key {
	__u64 ends[4]; /* IPv4: both are the first one */
	__u64 what;    /* denial_what() */
	union {
		struct {
			__u32 generation;
			__u32 local; /* stamp */
		};
		__u64 stamps;
	};
};

struct denial {
	struct denial_key key;
	__u32 until; /* denial_tick() */
	__u32 rule;
	__u32 stamp;               /* odd: it is being written */
	struct bpf_spin_lock lock; /* of who writes */
};

/* Who is denied what, hashed -> by which rule.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DENIALS);
	__type(key, __u32);
	__type(value, struct denial);
} bh_denials SEC(".maps");

static __always_inline struct denial *denial_at(__u32 place)
{
	return bpf_map_lookup_elem(&bh_denials, &place);
}

static __always_inline __u32 denial_tick(__u64 now)
{
	return (__u32)(now >> BH_LIMITER_TICK_SHIFT);
}

/* Everything but the ends and the source port that decides. */
struct denial_what {
	__be16 dport;
	__u16 endpoint;
	__u8 proto;
	__u8 ip_version;
	__u8 hook; /* DENIAL_HOOK() */
	__u8 way;  /* DENIAL_WAY() */
};

#define DENIAL_HOOK(slot, is_host, direction)    ((slot) << 2 | (is_host) << 1 | (direction))
#define DENIAL_WAY(is_local_origin, is_returned) ((is_local_origin) << 1 | (is_returned))

static __always_inline __u64 denial_what(struct denial_what parts)
{
	union {
		struct denial_what parts;
		__u64 all;
	} u = {parts};

	return u.all;
}

/* @is_v6 is known where the program is compiled, mostly. */
static __always_inline __u32 denial_place(const struct bh_conn_secret *secret,
					  const struct denial_key *key, bool is_v6)
{
	__u64 sum = hash_pair(secret, 0, key->ends[0] >> FIRST_HALF, key->ends[0] >> SECOND_HALF);

	for (int i = 1; is_v6 && i < 4; i++)
		sum += hash_pair(secret, 2 * i, key->ends[i] >> FIRST_HALF,
				 key->ends[i] >> SECOND_HALF);
	return (__u32)(((sum ^ sum >> 32) + key->what) * secret->factor >> DENIAL_SHIFT);
}

static __always_inline bool is_denial_of(const struct denial *d, const struct denial_key *key,
					 bool is_v6)
{
	__u64 differs = (d->key.ends[0] ^ key->ends[0]) | (d->key.what ^ key->what) |
			(d->key.stamps ^ key->stamps);

	for (int i = 1; is_v6 && i < 4; i++)
		differs |= d->key.ends[i] ^ key->ends[i];
	return !differs;
}

/* By which rule; BH_RULE_NONE: this is none of the kind, or holds no longer. */
static __always_inline __u32 denial_read(const struct denial *d, const struct denial_key *key,
					 __u32 tick, bool is_v6)
{
	__u32 stamp, rule;

	if (!d)
		return BH_RULE_NONE;
	stamp = READ_NOW(d->stamp);
	keep_order();
	if (d->until <= tick || !is_denial_of(d, key, is_v6))
		return BH_RULE_NONE;
	rule = d->rule;
	keep_order();
	return stamp != READ_NOW(d->stamp) || (stamp & 1) ? BH_RULE_NONE : rule;
}

static __always_inline __u32 denial_find(const struct bh_conn_secret *secret,
					 const struct denial_key *key, __u32 tick, bool is_v6)
{
	__u32 place = denial_place(secret, key, is_v6), rule = BH_RULE_NONE;

	for (__u32 n = 0; n < DENIAL_CHOICES && rule == BH_RULE_NONE; n++)
		rule = denial_read(denial_at(place ^ n), key, tick, is_v6);
	return rule;
}

static __always_inline void denial_put(struct denial *d, const struct denial_key *key, __u32 until,
				       __u32 rule)
{
	bpf_spin_lock(&d->lock);
	d->stamp++;
	keep_order();
	d->key = *key;
	d->until = until;
	d->rule = rule;
	keep_order();
	d->stamp++;
	bpf_spin_unlock(&d->lock);
}

_Static_assert(sizeof(struct denial) == 64, "a denial is a cache line");
_Static_assert(DENIALS == 1 << (64 - DENIAL_SHIFT), "a place for each value of the hash");
_Static_assert(sizeof(struct denial_what) == 8, "what is denied is a word");

#endif
