/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of ten words -> 64 bits.  NH (RFC 4418, 5.2.2) with a random key: for whoever does not know
 * that, no two keys collide with more than a chance of 2^-32.
 */
#ifndef BPF_KEYED_HASH_H
#define BPF_KEYED_HASH_H

#include "maps.h"

/* Where in a pair of words is which. */
enum {
	FIRST_HALF = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 32,
	SECOND_HALF = 32 - FIRST_HALF,
};

static __always_inline const struct bh_conn_setup *conn_setup(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_conn_setup, &zero);
}

static __always_inline __u64 hash_pair(const struct bh_conn_setup *setup, int at, __u32 first,
				       __u32 second)
{
	return (__u64)(first + setup->hash_key[at]) * (second + setup->hash_key[at + 1]);
}

/* A product's low bits know little of its factors' high ones. */
static __always_inline __u64 hash_end(const struct bh_conn_setup *setup, __u64 sum)
{
	sum ^= sum >> 32;
	sum *= setup->hash_factor;
	return sum ^ sum >> 32;
}

static __always_inline __u64 keyed_hash(const struct bh_conn_setup *setup, const void *key)
{
	const __u32 *word = key;
	__u64 sum = 0;

	for (int i = 0; i < BH_CONN_KEY_WORDS; i += 2)
		sum += hash_pair(setup, i, word[i], word[i + 1]);
	return hash_end(setup, sum);
}

/* The same of a key in registers, two words in each, as they are in memory. */
static __always_inline __u64 keyed_hash_of_pairs(const struct bh_conn_setup *setup,
						 const __u64 *pair)
{
	__u64 sum = 0;

	for (int i = 0; i < BH_CONN_KEY_WORDS / 2; i++)
		sum += hash_pair(setup, 2 * i, pair[i] >> FIRST_HALF, pair[i] >> SECOND_HALF);
	return hash_end(setup, sum);
}

/* Whether two keys of ten words, aligned to eight bytes, are the same. */
static __always_inline bool keys_equal(const void *key, const void *other)
{
	const __u64 *a = key, *b = other;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]));
}

#endif
