/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of ten words -> 64 bits.  NH (RFC 4418, 5.2.2) with a random key: for whoever does not know
 * that, no two keys collide with more than a chance of 2^-32.
 */
#ifndef BPF_KEYED_HASH_H
#define BPF_KEYED_HASH_H

#include "conn_line.h"

static __always_inline __u64 hash_pair(const struct bh_conn_secret *secret, int at, __u32 first,
				       __u32 second)
{
	return (__u64)(first + secret->key[at]) * (second + secret->key[at + 1]);
}

/* A product's low bits know little of its factors' high ones. */
static __always_inline __u64 hash_end(const struct bh_conn_secret *secret, __u64 sum)
{
	sum ^= sum >> 32;
	sum *= secret->factor;
	return sum ^ sum >> 32;
}

/* Words that stand at the same place of the two addresses are a pair, and so are the last two:
 * three of the five pairs are the same in all keys of IPv4. */
static __always_inline __u64 keyed_hash(const struct bh_conn_secret *secret, const void *key)
{
	const __u32 *word = key;
	__u64 sum = 0;

	for (int i = 0; i < 4; i++)
		sum += hash_pair(secret, 2 * i, word[i], word[4 + i]);
	return hash_end(secret, sum + hash_pair(secret, 8, word[8], word[9]));
}

/* The same of a key in its parts. */
static __always_inline __u64 keyed_hash_v6(const struct bh_conn_secret *secret,
					   const struct line_key *key)
{
	const __u64 *near = key->near, *far = key->far;
	__u64 sum = hash_pair(secret, 0, far[0] >> FIRST_HALF, far[1] >> FIRST_HALF);

	sum += hash_pair(secret, 2, far[0] >> SECOND_HALF, far[1] >> SECOND_HALF);
	sum += hash_pair(secret, 4, far[2] >> FIRST_HALF, far[2] >> SECOND_HALF);
	sum += hash_pair(secret, 6, near[0] >> FIRST_HALF, near[0] >> SECOND_HALF);
	sum += hash_pair(secret, 8, near[1] >> FIRST_HALF, near[1] >> SECOND_HALF);
	return hash_end(secret, sum);
}

/* And of one of IPv4. */
static __always_inline __u64 keyed_hash_v4(const struct bh_conn_secret *secret,
					   const struct line_key *key)
{
	const __u64 *near = key->near;
	__u64 sum = secret->v4;

	sum += hash_pair(secret, 6, near[0] >> FIRST_HALF, near[0] >> SECOND_HALF);
	sum += hash_pair(secret, 8, near[1] >> FIRST_HALF, near[1] >> SECOND_HALF);
	return hash_end(secret, sum);
}

/* @is_v6 is known where the program is compiled. */
static __always_inline __u64 keyed_hash_of(const struct bh_conn_secret *secret,
					   const struct line_key *key, bool is_v6)
{
	return is_v6 ? keyed_hash_v6(secret, key) : keyed_hash_v4(secret, key);
}

/* Whether two keys of ten words, aligned to eight bytes, are the same. */
static __always_inline bool keys_equal(const void *key, const void *other)
{
	const __u64 *a = key, *b = other;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]));
}

#endif
