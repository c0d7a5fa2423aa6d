/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line of the connection table, whose two halves are in two arrays: its key, what it counts. */
#ifndef BPF_CONN_LINE_H
#define BPF_CONN_LINE_H

#include <bulkhead/connection.h>

#include "maps.h"
#include "order.h"

struct conn_line {
	struct bh_conn *conn;
	struct bh_conn_rest *rest;
};

static __always_inline struct bh_conn *conn_at(__u32 line)
{
	return bpf_map_lookup_elem(&bh_conns, &line);
}

static __always_inline struct bh_conn_rest *rest_at(__u32 line)
{
	return bpf_map_lookup_elem(&bh_conn_rests, &line);
}

static __always_inline struct conn_line line_at(__u32 line)
{
	return (struct conn_line){conn_at(line), rest_at(line)};
}

/* There are as many of either half, but verifiers want it asked. */
static __always_inline bool is_line(const struct conn_line *l)
{
	return l->conn && l->rest;
}

static __always_inline struct conn_lock *lock_of(__u32 line)
{
	__u32 group = line / BH_CONN_GROUP_LINES;

	return bpf_map_lookup_elem(&bh_conn_locks, &group);
}

/* --- key --- */

/* Where in a pair of words, loaded at once, is which. */
enum {
	FIRST_HALF = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 32,
	SECOND_HALF = 32 - FIRST_HALF,
};

/* Two words as they lie in memory, one behind the other. */
static __always_inline __u64 two_words(__be32 first, __be32 second)
{
	union {
		__be32 word[2];
		__u64 both;
	} u = {{first, second}};

	return u.both;
}

/* A key as its parts lie in the two halves. */
struct line_key {
	__u64 near[2];
	__u64 far[3];
};

/* @pair: a struct bh_conn_key. */
static __always_inline struct line_key line_key_of(const __u64 *pair)
{
	return (struct line_key){
		.near = {two_words(pair[1] >> SECOND_HALF, pair[3] >> SECOND_HALF), pair[4]},
		.far = {pair[0], pair[2], two_words(pair[1] >> FIRST_HALF, pair[3] >> FIRST_HALF)},
	};
}

/* Of IPv4 that is all there is to compare. */
static __always_inline bool is_near_key(const struct bh_conn *conn, const struct line_key *key)
{
	const __u64 *near = (const void *)conn;

	return !((near[0] ^ key->near[0]) | (near[1] ^ key->near[1]));
}

static __always_inline bool is_far_key(const struct bh_conn_rest *rest, const struct line_key *key)
{
	const __u64 *far = (const void *)rest;

	return !((far[0] ^ key->far[0]) | (far[1] ^ key->far[1]) | (far[2] ^ key->far[2]));
}

static __always_inline bool is_key(const struct conn_line *l, const struct line_key *key)
{
	return is_near_key(l->conn, key) && is_far_key(l->rest, key);
}

static __always_inline void line_put_key(const struct conn_line *l, const struct line_key *key)
{
	__u64 *near = (void *)l->conn, *far = (void *)l->rest;

	near[0] = key->near[0];
	near[1] = key->near[1];
	far[0] = key->far[0];
	far[1] = key->far[1];
	far[2] = key->far[2];
}

/* --- counters --- */

/* Global: verified once.  However many CPUs find the same carry, one takes it. */
__noinline int conn_carry(__u32 line)
{
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);

	if (!lock || !is_line(&l))
		return 0;
	bpf_spin_lock(&lock->lock);
	for (int i = 0; i < 2; i++) {
		__u64 carry = READ_NOW(l.conn->counted[i]) & BH_CARRY;

		l.rest->carried[i].packets += !!(carry & BH_CARRY_OF_PACKETS);
		l.rest->carried[i].bytes += !!(carry & BH_CARRY_OF_BYTES);
		__sync_fetch_and_add(&l.conn->counted[i], -carry);
	}
	bpf_spin_unlock(&lock->lock);
	return 0;
}

static __always_inline bool has_carry(const struct bh_conn *conn, bool is_reply)
{
	return READ_NOW(conn->counted[is_reply]) & BH_CARRY;
}

static __always_inline void conn_add(struct bh_conn *conn, bool is_reply, __u32 length)
{
	__sync_fetch_and_add(&conn->counted[is_reply], BH_COUNTED_ONE((__u64)length));
}

static __always_inline void conn_count(struct bh_conn *conn, __u32 line, bool is_reply,
				       __u32 length)
{
	if (has_carry(conn, is_reply))
		conn_carry(line);
	conn_add(conn, is_reply, length);
}

#endif
