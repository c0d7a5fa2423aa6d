/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of ten words -> 64 bits.  NH (RFC 4418, 5.2.2) with a random key: for whoever does not know
 * that, no two keys collide with more than a chance of 2^-32.
 */
#ifndef BPF_KEYED_HASH_H
#define BPF_KEYED_HASH_H

#include "maps.h"

static __always_inline const struct bh_conn_setup *conn_setup(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_conn_setup, &zero);
}

static __always_inline __u64 keyed_hash(const struct bh_conn_setup *setup, const void *key)
{
	const __u32 *word = key;
	__u64 sum = 0;

	for (int i = 0; i < BH_CONN_KEY_WORDS; i += 2)
		sum += (__u64)(word[i] + setup->hash_key[i]) *
		       (word[i + 1] + setup->hash_key[i + 1]);
	/* A product's low bits know little of its factors' high ones. */
	sum ^= sum >> 32;
	sum *= setup->hash_factor;
	return sum ^ sum >> 32;
}

/* Whether two keys of ten words, aligned to eight bytes, are the same. */
static __always_inline bool keys_equal(const void *key, const void *other)
{
	const __u64 *a = key, *b = other;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]));
}

#endif
