/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Address -> identity -> class. */
#ifndef BPF_IDENTIFY_H
#define BPF_IDENTIFY_H

#include <bpf/bpf_endian.h>

#include "config.h"
#include "maps.h"
#include "order.h"
#include "packet.h"

/* The entry's word if it is this prefix, else 0; without a branch. */
static __always_inline __u64 word_if(const struct bh_prefix *entry, __u64 high, __u64 low,
				     __u32 len)
{
	__u64 word = entry->word;
	__u64 differs = (entry->high ^ high) | (entry->low ^ low) | (BH_PREFIX_LEN(word) ^ len);
	__u64 negated = -differs;

	/* So that the compiler doesn't find the comparison in this. */
	asm volatile("" : "+r"(negated));
	return word & (((differs | negated) >> 63) - 1);
}

static __always_inline __u64 hash_of(const struct bh_prefixes *t, __u64 high, __u64 low, __u32 len)
{
	const __u32 *key = t->hash.key;
	__u64 sum = (__u64)((__u32)(high >> 32) + key[0]) * ((__u32)high + key[1]) +
		    (__u64)((__u32)(low >> 32) + key[2]) * ((__u32)low + key[3]) +
		    (__u64)(len + key[4]) * key[5];

	return (sum ^ sum >> 32) * t->hash.factor;
}

/* The word of an entry, or 0. */
static __always_inline __u64 find_prefix(const struct bh_prefixes *t, __u64 high, __u64 low,
					 __u32 len)
{
	__u64 hash = hash_of(t, high, low, len), found = 0;

#pragma clang loop unroll(disable)
	for (__u32 n = 0; n < BH_PREFIX_LINES_OF; n++) {
		__u32 at = t->line + BH_START_LINES + BH_PREFIX_LINE(hash, t->lines, n);
		const struct bh_prefix_line *line = bpf_map_lookup_elem(&bh_prefixes, &at);

		if (!line)
			break;
		for (int way = 0; way < BH_PREFIX_WAYS; way++) {
			found |= word_if(&line->of[way], high, low, len);
			/* One after the other: there are no registers for all of them. */
			asm volatile("" : "+r"(found));
		}
		if (!(line->spills & BH_PREFIX_SPILL(hash)))
			break;
	}
	return found;
}

/* Where nothing of the length is, and all that is left is on one side of it, nobody looks. */
static __always_inline __u32 longest_v4(const struct bh_prefixes *t, __u64 low, __u64 start)
{
	__u32 identity = BH_START_IDENTITY(start), n = 8;

#pragma clang loop unroll(disable)
	for (__u32 half = 8; half; half /= 2) {
		__u32 right = BH_START_RIGHT(start, n, half), here = BH_START_HERE(start, n);
		__u64 both = -(__u64)right & -(__u64)BH_START_LEFT(start, n, half);
		__u64 found = 0, more;

		asm volatile("" : "+r"(both));
		if (here | both >> 63)
			found = find_prefix(t, 0, low & ~0ull << (16 - n), 112 + n);
		else if (right)
			found = BH_PREFIX(0, 0, 1);
		/* Found or not, verifiers know the same of where to look next. */
		more = found >> 8 & 1;
		asm volatile("" : "+r"(more));
		n += (__u32)more * half - half / 2;
		if (!BH_PREFIX_LEN(found))
			continue;
		identity = BH_PREFIX_IDENTITY(found);
		if (!more)
			break;
	}
	return identity;
}

/* --- runs --- */

#define RUN_NONE 0xffffffffu

/* In bytes from @begin on: where the identities are of the run that has that key; 0: none has.
 * Without a branch: nobody could foresee it. */
static __always_inline __u64 place_in_half(const struct bh_run_half *half, __u32 key, __u64 begin)
{
	__u64 found = 0;

	for (__u64 way = 0; way < BH_RUN_WAYS / 2; way++) {
		__u64 differs = (__u64)(READ_NOW(half->key[way]) ^ key) - 1;

		/* So that the compiler doesn't find the comparison in this. */
		barrier_var(differs);
		found |= (__u64)((__s64)differs >> 63) & (begin + 16 + way * 16);
	}
	return found;
}

static __always_inline __u64 place_of_run(const struct bh_run_line *line, __u32 key)
{
	return place_in_half(&line->half[0], key, 0) | place_in_half(&line->half[1], key, 64);
}

static __always_inline bool has_spilled(const struct bh_run_line *line, __u64 hash)
{
	return READ_NOW(line->half[hash >> 31 & 1].spills) & BH_RUN_SPILL(hash);
}

#define RUN_PLACES 0x70 /* the bits of what is found */

/* Loaded from where the key says: a CPU keeps such loads in order. */
static __always_inline __u32 identity_in_run(const void *line, __u64 place, __u32 bits,
					     __u32 address)
{
	const union bh_run_identities *run;

	/* Else halves are masked before they are joined, where 6.1 sees no bound any more. */
	barrier_var(place);
	run = line + (place & RUN_PLACES);
	if (bits == BH_RUN_BITS_WIDE)
		return READ_NOW(run->wide[address & (BH_RUN_ADDRESSES_WIDE - 1)]);
	return READ_NOW(run->of[address & (BH_RUN_ADDRESSES - 1)]);
}

/* An address's identity; RUN_NONE: it is in no run. */
static __always_inline __u32 find_in_run(const struct bh_prefixes *t, __u32 address)
{
	__u32 bits = t->run_bits, key = BH_RUN_KEY(address, bits & 31);
	__u64 sum = (__u64)(key + t->hash.key[4]) * t->hash.key[5];
	__u64 hash = (sum ^ sum >> 32) * t->hash.factor, place;

#pragma clang loop unroll(disable)
	for (__u32 n = 0; n < BH_PREFIX_LINES_OF; n++) {
		__u32 at = t->line + BH_START_LINES + t->lines + BH_PREFIX_LINE(hash, t->runs, n);
		const struct bh_run_line *line = bpf_map_lookup_elem(&bh_prefixes, &at);

		if (!line)
			break;
		place = place_of_run(line, key);
		if (place)
			return identity_in_run(line, place, bits, address);
		if (!has_spilled(line, hash))
			break;
	}
	return RUN_NONE;
}

/* The same of IPv6, whose key is two words: the first one is loaded first. */
static __always_inline __u64 place_of_run6(const struct bh_run6_line *line, __u64 high, __u64 low)
{
	__u64 found = 0;

	for (__u64 way = 0; way < BH_RUN6_WAYS; way++) {
		const struct bh_run6 *run = &line->run[way];
		__u64 held = READ_NOW(run->low), none = 0, differs, negated;

		barrier_var(none);
		if (bh_is_weakly_ordered)
			run = (const void *)((const char *)run + (held & none));
		differs = (READ_NOW(run->high) ^ high) | ((held ^ low) & ~(__u64)BH_RUN6_SPILL);
		negated = -differs;
		barrier_var(negated);
		found |= (((differs | negated) >> 63) - 1) & (way * sizeof(*run) + 16);
	}
	return found;
}

static __always_inline __u32 find_in_run6(const struct bh_prefixes *t, __u64 high, __u64 low)
{
	__u64 key = BH_RUN6_LOW(low, t->run_bits & 63), hash = hash_of(t, high, key, 0), place;
	__u32 first = t->line + BH_START_LINES + t->lines + t->runs;

#pragma clang loop unroll(disable)
	for (__u32 n = 0; n < BH_PREFIX_LINES_OF; n++) {
		__u32 at = first + BH_PREFIX_LINE(hash, t->runs6, n);
		const struct bh_run6_line *line = bpf_map_lookup_elem(&bh_prefixes, &at);

		if (!line)
			break;
		place = place_of_run6(line, high, key);
		if (place)
			return identity_in_run(line, place, t->run_bits, (__u32)low);
		if (!(READ_NOW(line->run[BH_RUN6_SPILL_AT(hash)].low) & BH_RUN6_SPILL))
			break;
	}
	return RUN_NONE;
}

static __always_inline __u32 longest_v6(const struct bh_prefixes *t, __u64 high, __u64 low)
{
	__u32 identity = t->otherwise, node = 1;

	for (int i = 0; i < BH_PREFIX_STEPS; i++) {
		const __u8 *length = &t->length[node & ((1 << BH_PREFIX_STEPS) - 1)];
		__u32 len = *length;
		__u64 found;

		if (!len || node >> BH_PREFIX_STEPS)
			break;
		found = find_prefix(t, len < 64 ? high & ~0ull << (64 - len) : high,
				    len > 64 ? low & ~0ull << (128 - len) : 0, READ_NOW(*length));
		if (found)
			identity = BH_PREFIX_IDENTITY(found);
		node = found ? BH_PREFIX_NEXT(found) : node * 2;
		/* As above; for that the length was read again, too. */
		asm volatile("" : "+r"(node));
	}
	return identity;
}

static __always_inline const struct bh_prefixes *prefixes_of(__u32 slot)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &slot);

	return policy ? &policy->prefixes : NULL;
}

/* Global functions, of numbers only: those are verified once, whoever calls them. */
__noinline __u32 identity_from_start(__u64 low, __u32 slot, __u64 start);
__noinline __u64 start_of_v4(__u64 low, __u32 slot);
__noinline __u32 identity_of_v6(__u64 high, __u64 low, __u32 slot);

__noinline __u32 identity_from_start(__u64 low, __u32 slot, __u64 start)
{
	const struct bh_prefixes *t = prefixes_of(slot);

	return t ? longest_v4(t, low, start) : 0;
}

/* BH_START(): of the address itself, with nothing longer, where it is in a run.  Not together with
 * the search from there: older kernels count more stack of each function in a chain of calls. */
__noinline __u64 start_of_v4(__u64 low, __u32 slot)
{
	__u32 number = (__u32)low >> 16, identity, at;
	const struct bh_prefixes *t = prefixes_of(slot);
	const struct bh_start_line *line;
	__u64 start;

	if (!t)
		return 0;
	at = t->line + number / BH_START_LINE_ENTRIES;
	line = bpf_map_lookup_elem(&bh_prefixes, &at);
	if (!line)
		return 0;
	start = READ_NOW(line->start[number % BH_START_LINE_ENTRIES]);
	if (!(start & BH_START_RUNS))
		return start;
	identity = find_in_run(t, (__u32)low);
	return identity == RUN_NONE ? start : BH_START(identity, 0);
}

static __always_inline __u32 identity_of_v4(__u64 low, __u32 slot)
{
	__u64 start = start_of_v4(low, slot);

	if (!BH_START_SIDE(start, 1, BH_START_BITS + 1))
		return BH_START_IDENTITY(start);
	return identity_from_start(low, slot, start);
}

__noinline __u32 identity_of_v6(__u64 high, __u64 low, __u32 slot)
{
	const struct bh_prefixes *t = prefixes_of(slot);
	__u32 identity;

	if (!t)
		return 0;
	identity = find_in_run6(t, high, low);
	return identity != RUN_NONE ? identity : longest_v6(t, high, low);
}

/* Identity 0 is `outside`: no prefix of the slot has the address. */
static __always_inline __u32 identify(const struct bh_addr *addr, __u32 slot)
{
	__u64 high = (__u64)bpf_ntohl(addr->word[0]) << 32 | bpf_ntohl(addr->word[1]);
	__u64 low = (__u64)bpf_ntohl(addr->word[2]) << 32 | bpf_ntohl(addr->word[3]);

	if (!high && low >> 32 == 0xffff)
		return identity_of_v4(low, slot);
	return identity_of_v6(high, low, slot);
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
