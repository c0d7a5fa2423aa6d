/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Later fragments have no ports: they are judged by those of the first, which must have come
 * before. */
#ifndef BPF_FRAGMENT_H
#define BPF_FRAGMENT_H

#include "keyed_hash.h"
#include "maps.h"
#include "packet.h"

/* How long a datagram may be in pieces: RFC 8200, 4.5 has 60 s; hosts use 30
 * (net.ipv4.ipfrag_time). */
#define FRAGMENT_TIMEOUT_NS (30 * 1000000000ull)

static __always_inline void fragment_key(struct packet *p)
{
	struct fragment_key *key = &p->piece.key;

	key->src = p->src;
	key->dst = p->dst;
	key->id = p->fragment_id;
	key->endpoint = p->endpoint;
	key->proto = p->fragment_proto;
	key->direction = p->direction;
}

/* One of the endpoint's own buckets: nobody displaces what is another's. */
static __always_inline struct fragment_bucket *fragment_bucket(const struct fragment_key *key)
{
	const struct bh_conn_setup *setup = conn_setup();
	const struct bh_control *control = control_here();
	__u32 at;

	if (!setup || !setup->fragments_each || !control)
		return NULL;
	at = key->endpoint * setup->fragments_each +
	     (__u32)keyed_hash(&control->secret, key) % setup->fragments_each;
	return bpf_map_lookup_elem(&bh_fragments, &at);
}

/* BH_FRAGMENT_WAYS: it is not known. */
static __always_inline __u32 fragment_way(const struct fragment_bucket *bucket,
					  const struct fragment_key *key)
{
	for (__u32 way = 0; way < BH_FRAGMENT_WAYS; way++) {
		if (keys_equal(&bucket->entry[way].key, key))
			return way;
	}
	return BH_FRAGMENT_WAYS;
}

static __always_inline bool fragment_is_awaited(__u64 seen_ns, __u64 now)
{
	return seen_ns && elapsed_ns(seen_ns, now) <= (__s64)FRAGMENT_TIMEOUT_NS;
}

/* After a first fragment was let through. */
static __always_inline void fragment_remember(struct packet *p)
{
	struct fragment_bucket *bucket;
	__u32 way;

	fragment_key(p);
	p->piece.seen_ns = p->now;
	p->piece.sport = p->sport;
	p->piece.dport = p->dport;
	p->piece.end = p->fragment_end;
	p->piece.proto = p->proto;
	bucket = fragment_bucket(&p->piece.key);
	if (!bucket)
		return;
	bpf_spin_lock(&bucket->lock);
	way = fragment_way(bucket, &p->piece.key);
	if (way == BH_FRAGMENT_WAYS)
		way = bucket->next++ % BH_FRAGMENT_WAYS;
	bucket->entry[way] = p->piece;
	bpf_spin_unlock(&bucket->lock);
}

/* Gives a later fragment the ports of its first. */
static __always_inline enum bh_reason fragment_recall(struct packet *p)
{
	struct fragment_bucket *bucket;
	__u32 way;

	fragment_key(p);
	p->piece.seen_ns = 0;
	bucket = fragment_bucket(&p->piece.key);
	if (!bucket)
		return BH_REASON_FRAGMENT;
	bpf_spin_lock(&bucket->lock);
	way = fragment_way(bucket, &p->piece.key);
	if (way < BH_FRAGMENT_WAYS)
		p->piece = bucket->entry[way];
	bpf_spin_unlock(&bucket->lock);
	if (!fragment_is_awaited(p->piece.seen_ns, p->now))
		return BH_REASON_FRAGMENT;
	/* What overlaps the first could replace the header that was judged. */
	if (p->fragment_offset < p->piece.end)
		return BH_REASON_FRAGMENT;
	p->sport = p->piece.sport;
	p->dport = p->piece.dport;
	p->proto = p->piece.proto;
	return BH_REASON_NONE;
}

#endif
