/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which addresses are this machine's, or a workload's: from lines, and where these don't tell, from
 * the tries (bulkhead/endpoint.h). */
#ifndef BPF_OWN_ADDRESS_H
#define BPF_OWN_ADDRESS_H

#include "maps.h"
#include "order.h"
#include "packet.h"

#define OWN_IS     (1u << 31) /* beside its flags: it is */
#define OWN_UNSURE (1u << 30) /* the line doesn't tell */

/* An address as two halves, as they are in memory. */
struct halves {
	__u64 first, last;
};

static __always_inline struct halves halves_of(const struct bh_addr *addr)
{
	union {
		struct bh_addr addr;
		struct halves halves;
	} u = {*addr};

	return u.halves;
}

static __always_inline struct bh_addr addr_of(__u64 first, __u64 last)
{
	union {
		struct halves halves;
		struct bh_addr addr;
	} u = {{first, last}};

	return u.addr;
}

static __always_inline bool is_at(const struct bh_addr *place, __u64 first, __u64 last)
{
	const __u64 *half = (const void *)place;

	return READ_NOW(half[1]) == last && READ_NOW(half[0]) == first;
}

static __always_inline bool is_stamp_valid(__u32 stamp)
{
	return stamp && !(stamp & 1);
}

/* --- this machine's --- */

static __always_inline __u32 local_in_trie(__u64 first, __u64 last)
{
	struct bh_local_key key = {.prefix_len = 128, .addr = addr_of(first, last)};
	const __u32 *flags = bpf_map_lookup_elem(&bh_local, &key);

	return flags ? *flags | OWN_IS : 0;
}

/* Most addresses are another machine's, and their line is empty: then it isn't loaded. */
static __always_inline bool may_be_whole(const struct bh_local_head *head, __u32 line)
{
	return READ_NOW(head->has_whole[line / 64 % (BH_LOCAL_LINES / 64)]) >> line % 64 & 1;
}

static __always_inline __u32 local_in_line(const struct bh_local_line *line, __u64 first,
					   __u64 last)
{
	for (__u32 i = 0; i < BH_LOCAL_LINE_ADDRESSES; i++) {
		if (is_at(&line->addr[i], first, last) && i < READ_NOW(line->count))
			return READ_NOW(line->flags[i]) | OWN_IS;
	}
	return READ_NOW(line->has_more) ? OWN_UNSURE : 0;
}

static __always_inline bool may_be_in_shorter(const struct bh_local_head *head, __u64 first,
					      __u64 last)
{
	struct bh_addr addr = addr_of(first, last);
	bool is_v4 = addr_is_mapped_v4(&addr);
	__u32 bit = bpf_ntohl(is_v4 ? addr.word[3] : addr.word[0]) >> 16;

	return READ_NOW(head->has_shorter[is_v4 ? BH_LOCAL_V4 : BH_LOCAL_V6][bit / 64]) >>
		       bit % 64 &
	       1;
}

/* Its BH_LOCAL_* and OWN_IS, or 0.  Global, of numbers only: verified once, as the next. */
__noinline __u32 local_flags(__u64 first, __u64 last)
{
	__u32 zero = 0, at = BH_LOCAL_LINE(first, last), stamp, flags = 0;
	const struct bh_local_head *head = bpf_map_lookup_elem(&bh_local_head, &zero);
	const struct bh_local_line *line = bpf_map_lookup_elem(&bh_local_lines, &at);

	if (!head || !line)
		return local_in_trie(first, last);
	stamp = READ_NOW(head->stamp);
	keep_order();
	if (may_be_whole(head, at))
		flags = local_in_line(line, first, last);
	if (!flags && may_be_in_shorter(head, first, last))
		flags = OWN_UNSURE;
	keep_order();
	if (flags == OWN_UNSURE || !is_stamp_valid(stamp) || READ_NOW(head->stamp) != stamp)
		return local_in_trie(first, last);
	return flags;
}

/* @flags: of a source that nobody but this machine has. */
static __always_inline bool is_own_source(__u32 flags)
{
	return (flags & (OWN_IS | BH_LOCAL_ANYONE)) == OWN_IS;
}

/* --- a workload's --- */

static __always_inline __u32 source_in_trie(__u32 endpoint, __u64 first, __u64 last)
{
	struct bh_source_key key = {
		.prefix_len = BH_SOURCE_ENDPOINT_BITS + 128,
		.endpoint = endpoint,
		.addr = addr_of(first, last),
	};
	const __u32 *flags = bpf_map_lookup_elem(&bh_sources, &key);

	return flags ? *flags | OWN_IS : 0;
}

static __always_inline __u32 source_in_line(const struct bh_source_line *line, __u64 first,
					    __u64 last)
{
	for (__u32 i = 0; i < BH_SOURCE_LINE_ADDRESSES; i++) {
		if (i >= READ_NOW(line->count))
			break;
		if (is_at(&line->addr[i], first, last))
			return OWN_IS;
	}
	return READ_NOW(line->has_more) ? OWN_UNSURE : 0;
}

/* Its BH_SOURCE_* and OWN_IS, or 0. */
__noinline __u32 source_flags(__u32 endpoint, __u64 first, __u64 last)
{
	const struct bh_source_line *line = bpf_map_lookup_elem(&bh_source_lines, &endpoint);
	__u32 stamp, flags;

	if (!line)
		return source_in_trie(endpoint, first, last);
	stamp = READ_NOW(line->stamp);
	keep_order();
	flags = source_in_line(line, first, last);
	keep_order();
	if (flags == OWN_UNSURE || !is_stamp_valid(stamp) || READ_NOW(line->stamp) != stamp)
		return source_in_trie(endpoint, first, last);
	return flags;
}

#endif
