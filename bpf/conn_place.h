/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in the connection table a key may be: in one of two buckets among all settled ones; before
 * it settles, in one of two in the embryonic part of its endpoint.
 *
 * Who moves a connection from there enters it here first.  So who has not found it must have looked
 * among the settled ones last.
 */
#ifndef BPF_CONN_PLACE_H
#define BPF_CONN_PLACE_H

#include "config.h"
#include "conn_line.h"
#include "maps.h"
#include "order.h"

#define LINE_NONE    0xffffffffu
#define ALTERNATIVES (BH_CONN_GROUP_BUCKETS - 1)

static __always_inline struct bh_conn_tags *tags_at(__u32 bucket)
{
	return bpf_map_lookup_elem(&bh_conn_tags, &bucket);
}

static __always_inline const struct bh_conn_setup *conn_setup(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_conn_setup, &zero);
}

static __always_inline __u32 tag_of(__u64 hash)
{
	return (__u32)hash | 1;
}

/* BH_CONN_WAYS: none has the tag.  0 is that of a free line. */
static __always_inline __u32 way_of(const struct bh_conn_tags *tags, __u32 tag)
{
	for (__u32 way = 0; way < BH_CONN_WAYS; way++) {
		if (tags->tag[way] == tag)
			return way;
	}
	return BH_CONN_WAYS;
}

/* The line of the bucket that has the tag; LINE_NONE. */
static __always_inline __u32 line_in(__u32 bucket, __u32 tag)
{
	const struct bh_conn_tags *tags = tags_at(bucket);
	__u32 way = tags ? way_of(tags, tag) : BH_CONN_WAYS;

	return way < BH_CONN_WAYS ? bucket * BH_CONN_WAYS + way : LINE_NONE;
}

/* --- settled --- */

/* The line that a key has when nothing is in the way. */
static __always_inline __u32 home_of(__u64 hash)
{
	return (hash >> 32) & bh_conn_mask;
}

/* The other of a key's buckets is of the same group. */
static __always_inline __u32 bucket_of(__u64 hash, int choice)
{
	__u32 bucket = home_of(hash) / BH_CONN_WAYS;

	return choice ? bucket ^ ((hash >> 56 & ALTERNATIVES) | 1) : bucket;
}

/* The line that it has when something is: the same place in the other bucket. */
static __always_inline __u32 other_home_of(__u64 hash)
{
	return bucket_of(hash, 1) * BH_CONN_WAYS + home_of(hash) % BH_CONN_WAYS;
}

/* The line that a settled connection of that hash has, if there is one; LINE_NONE.  Global:
 * verified once, as conn_line_of(). */
__noinline __u32 settled_line_of(__u64 hash)
{
	__u32 line = LINE_NONE;

	for (int choice = 0; choice < 2 && line == LINE_NONE; choice++)
		line = line_in(bucket_of(hash, choice), tag_of(hash));
	return line;
}

/* --- embryonic --- */

/* @each: buckets that an endpoint has, a power of two.  Here, too, both of a key are of one group.
 */
static __always_inline __u32 embryonic_bucket(__u32 each, __u32 endpoint, __u64 hash, int choice)
{
	__u32 at = hash >> 40;

	if (choice)
		at ^= (hash >> 8 & ALTERNATIVES) | 1;
	return (bh_conn_mask + 1) / BH_CONN_WAYS + endpoint * each + (at & (each - 1));
}

static __always_inline __u32 embryonic_line_of(__u32 each, __u32 endpoint, __u64 hash)
{
	__u32 line = LINE_NONE;

	for (int choice = 0; choice < 2 && line == LINE_NONE; choice++)
		line = line_in(embryonic_bucket(each, endpoint, hash, choice), tag_of(hash));
	return line;
}

/* --- any --- */

/* A line with the tag where the key was when parts were others; LINE_NONE. */
static __always_inline __u32 former_line_of(const struct bh_conn_setup *setup, __u32 endpoint,
					    __u64 hash)
{
	__u32 before = READ_NOW(setup->embryonic_before);

	if (before == READ_NOW(setup->embryonic_each))
		return LINE_NONE;
	return embryonic_line_of(before, endpoint, hash);
}

/* The line that a connection of that hash has, if there is one; LINE_NONE. */
__noinline __u32 conn_line_of(__u32 endpoint, __u64 hash)
{
	const struct bh_conn_setup *setup = conn_setup();
	__u32 line;

	if (!setup)
		return LINE_NONE;
	line = embryonic_line_of(READ_NOW(setup->embryonic_each), endpoint, hash);
	if (line == LINE_NONE)
		line = former_line_of(setup, endpoint, hash);
	keep_order();
	return line == LINE_NONE ? settled_line_of(hash) : line;
}

/* All tags that there are of a key's lines, in the order in which they are looked at. */
struct conn_tags {
	const struct bh_conn_tags *embryonic[2], *settled[2];
};

/* False: there are none.  @is_settled: only those among the settled ones, twice. */
static __always_inline bool conn_tags_of(bool is_settled, __u32 endpoint, __u64 hash,
					 struct conn_tags *ret)
{
	const struct bh_conn_setup *setup = conn_setup();

	if (!setup)
		return false;
	for (int choice = 0; choice < 2; choice++) {
		__u32 bucket = bucket_of(hash, choice);

		ret->settled[choice] = tags_at(bucket);
		if (!is_settled)
			bucket = embryonic_bucket(READ_NOW(setup->embryonic_each), endpoint, hash,
						  choice);
		ret->embryonic[choice] = tags_at(bucket);
	}
	return ret->embryonic[0] && ret->embryonic[1] && ret->settled[0] && ret->settled[1];
}

static __always_inline bool any_has_tag(const struct bh_conn_tags *const tags[2], __u32 tag)
{
	return way_of(tags[0], tag) < BH_CONN_WAYS || way_of(tags[1], tag) < BH_CONN_WAYS;
}

static __always_inline bool has_tag(const struct conn_tags *tags, __u32 tag)
{
	if (any_has_tag(tags->embryonic, tag))
		return true;
	keep_order();
	return any_has_tag(tags->settled, tag);
}

/* No line has its tag, so none has its key. */
static __always_inline bool is_unknown(__u32 endpoint, __u64 hash)
{
	const struct bh_conn_setup *setup = conn_setup();
	struct conn_tags tags;

	return setup && former_line_of(setup, endpoint, hash) == LINE_NONE &&
	       conn_tags_of(false, endpoint, hash, &tags) && !has_tag(&tags, tag_of(hash));
}

#endif
