/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/prefix_runs.h"

#include <errno.h>

#include "policy/prefix_hash.h"

#define EACH (BH_RUN_WAYS / 2) /* IPv4 runs in half a line */

/* The lines of one family. */
struct part {
	bool is_v4;
	uint32_t count;
	unsigned int ways;
	struct bh_prefix_line *first;
};

union line {
	struct bh_prefix_line any;
	struct bh_run_line v4;
	struct bh_run6_line v6;
};

static struct part part_of(struct bh_prefix_line *lines, const struct bh_prefixes *head, bool is_v4)
{
	struct bh_prefix_line *runs = lines + BH_START_LINES + head->lines;

	if (is_v4)
		return (struct part){true, head->runs, BH_RUN_WAYS, runs};
	return (struct part){false, head->runs6, BH_RUN6_WAYS, runs + head->runs};
}

uint32_t run_bits_for(size_t identities)
{
	return identities > BH_RUN_IDENTITIES ? BH_RUN_BITS_WIDE : BH_RUN_BITS;
}

uint32_t run_get(const union bh_run_identities *run, const struct bh_prefixes *head,
		 uint64_t address)
{
	if (head->run_bits == BH_RUN_BITS_WIDE)
		return run->wide[address % BH_RUN_ADDRESSES_WIDE];
	return run->of[address % BH_RUN_ADDRESSES];
}

void run_set(union bh_run_identities *run, const struct bh_prefixes *head, uint64_t address,
	     uint32_t identity)
{
	if (head->run_bits == BH_RUN_BITS_WIDE)
		__atomic_store_n(&run->wide[address % BH_RUN_ADDRESSES_WIDE], identity,
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n(&run->of[address % BH_RUN_ADDRESSES], (uint16_t)identity,
				 __ATOMIC_RELEASE);
}

static struct run key_of(const struct bh_prefixes *head, const struct bh_prefix *address)
{
	if (prefix_entry_is_v4(address))
		return (struct run){.is_v4 = true, .low = BH_RUN_KEY(address->low, head->run_bits)};
	return (struct run){.high = address->high,
			    .low = BH_RUN6_LOW(address->low, head->run_bits)};
}

struct run run_of(const struct bh_prefixes *head, const struct bh_prefix *address,
		  uint32_t identity)
{
	struct run run = key_of(head, address);

	for (uint32_t i = 0; i < 1u << head->run_bits; i++)
		run_set(&run.identity, head, i, identity);
	return run;
}

static bool is_key(const struct run *a, const struct run *b)
{
	return a->high == b->high && a->low == b->low;
}

bool run_is_of(const struct run *run, const struct bh_prefixes *head,
	       const struct bh_prefix *address)
{
	const struct run key = key_of(head, address);

	return run->is_v4 == key.is_v4 && is_key(run, &key);
}

/* --- one place in a line --- */

/* Its key is BH_RUN_GONE, or 0: none is there. */
static struct run run_at(const struct part *part, const union line *line, unsigned int way)
{
	const struct bh_run_half *half = &line->v4.half[way / EACH % 2];
	const struct bh_run6 *run = &line->v6.run[way % BH_RUN6_WAYS];

	if (part->is_v4)
		return (struct run){true, 0, half->key[way % EACH], half->identity[way % EACH]};
	return (struct run){false, run->high, run->low & ~(uint64_t)BH_RUN6_SPILL, run->identity};
}

static bool is_taken(const struct run *run)
{
	return run->low && run->low != BH_RUN_GONE;
}

static union bh_run_identities *identities_at(const struct part *part, union line *line,
					      unsigned int way)
{
	if (part->is_v4)
		return &line->v4.half[way / EACH].identity[way % EACH];
	return &line->v6.run[way].identity;
}

/* A key, or 0, or BH_RUN_GONE: what a search sees first of it, and is stored at once. */
static void set_low(const struct part *part, union line *line, unsigned int way, uint64_t low)
{
	__u32 *key = &line->v4.half[way / EACH % 2].key[way % EACH];
	__u64 *key6 = &line->v6.run[way % BH_RUN6_WAYS].low;

	if (part->is_v4)
		__atomic_store_n(key, (uint32_t)low, __ATOMIC_RELEASE);
	else
		__atomic_store_n(key6, low | (*key6 & BH_RUN6_SPILL), __ATOMIC_RELEASE);
}

/* Who finds the key finds all that goes with it. */
static void write_run(const struct part *part, union line *line, unsigned int way,
		      const struct run *run)
{
	*identities_at(part, line, way) = run->identity;
	if (!part->is_v4)
		line->v6.run[way].high = run->high;
	set_low(part, line, way, run->low);
}

static bool has_spilled(const struct part *part, const union line *line, uint64_t hash)
{
	if (part->is_v4)
		return line->v4.half[hash >> 31 & 1].spills & BH_RUN_SPILL(hash);
	return line->v6.run[BH_RUN6_SPILL_AT(hash)].low & BH_RUN6_SPILL;
}

static void set_spilled(const struct part *part, union line *line, uint64_t hash)
{
	__u32 *spills = &line->v4.half[hash >> 31 & 1].spills;
	__u64 *key6 = &line->v6.run[BH_RUN6_SPILL_AT(hash)].low;

	if (part->is_v4)
		__atomic_store_n(spills, *spills | BH_RUN_SPILL(hash), __ATOMIC_RELEASE);
	else
		__atomic_store_n(key6, *key6 | BH_RUN6_SPILL, __ATOMIC_RELEASE);
}

/* --- as in bpf/identify.h --- */

static uint64_t hash_of(const struct bh_prefixes *head, const struct run *run)
{
	const struct bh_prefix key = {.high = run->high, .low = run->low};
	uint64_t sum = (uint64_t)((uint32_t)run->low + head->hash.key[4]) * head->hash.key[5];

	return run->is_v4 ? (sum ^ sum >> 32) * head->hash.factor : prefix_hash(&head->hash, &key);
}

static union line *line_at(const struct part *part, uint64_t hash, uint32_t n)
{
	return (union line *)(part->first + BH_PREFIX_LINE(hash, part->count, n));
}

/* part->ways: it has not that key. */
static unsigned int way_of(const struct part *part, const union line *line, const struct run *key)
{
	for (unsigned int way = 0; way < part->ways; way++) {
		const struct run run = run_at(part, line, way);

		if (is_key(&run, key))
			return way;
	}
	return part->ways;
}

static unsigned int free_way(const struct part *part, const union line *line)
{
	unsigned int way = 0;

	while (way < part->ways && run_at(part, line, way).low)
		way++;
	return way;
}

union bh_run_identities *runs_find(struct bh_prefix_line *lines, const struct bh_prefixes *head,
				   const struct bh_prefix *address)
{
	const struct run key = key_of(head, address);
	const struct part part = part_of(lines, head, key.is_v4);
	uint64_t hash = hash_of(head, &key);

	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		union line *line = line_at(&part, hash, n);
		unsigned int way = way_of(&part, line, &key);

		if (way < part.ways)
			return identities_at(&part, line, way);
		if (!has_spilled(&part, line, hash))
			break;
	}
	return NULL;
}

int runs_put(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run)
{
	const struct part part = part_of(lines, head, run->is_v4);
	uint64_t hash = hash_of(head, run);
	union line *line = NULL;
	unsigned int way = 0;
	uint32_t n;

	for (n = 0; n < BH_PREFIX_LINES_OF; n++) {
		line = line_at(&part, hash, n);
		way = free_way(&part, line);
		if (way < part.ways)
			break;
	}
	if (n == BH_PREFIX_LINES_OF)
		return -ENOSPC;
	write_run(&part, line, way, run);
	while (n--)
		set_spilled(&part, line_at(&part, hash, n), hash);
	return 0;
}

/* Whether a run of a full line has found a place elsewhere; what its old one has is @left. */
static bool move_one(struct bh_prefix_line *lines, const struct bh_prefixes *head, bool is_v4,
		     union line *line, uint32_t left)
{
	const struct part part = part_of(lines, head, is_v4);

	for (unsigned int way = 0; way < part.ways; way++) {
		const struct run run = run_at(&part, line, way);

		if (!is_taken(&run) || runs_put(lines, head, &run))
			continue;
		set_low(&part, line, way, left);
		return true;
	}
	return false;
}

int runs_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run)
{
	const struct part part = part_of(lines, head, run->is_v4);
	uint64_t hash = hash_of(head, run);
	int err = runs_put(lines, head, run);

	for (uint32_t n = 0; err && n < BH_PREFIX_LINES_OF; n++) {
		if (move_one(lines, head, run->is_v4, line_at(&part, hash, n), 0))
			err = runs_put(lines, head, run);
	}
	return err;
}

void runs_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		    const struct bh_prefix *address)
{
	const struct run key = key_of(head, address);
	const struct part part = part_of(lines, head, key.is_v4);
	uint64_t hash = hash_of(head, &key);

	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		if (move_one(lines, head, key.is_v4, line_at(&part, hash, n), BH_RUN_GONE))
			return;
	}
}

/* --- all of them --- */

static void forget_part(const struct part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		union line *line = (union line *)(part->first + i);

		for (unsigned int way = 0; way < part->ways; way++) {
			if (run_at(part, line, way).low == BH_RUN_GONE)
				set_low(part, line, way, 0);
		}
	}
}

void runs_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		const struct part part = part_of(lines, head, is_v4);

		forget_part(&part);
	}
}

static uint64_t part_used(const struct part *part)
{
	uint64_t used = 0;

	for (size_t i = 0; i < part->count; i++) {
		const union line *line = (const union line *)(part->first + i);

		for (unsigned int way = 0; way < part->ways; way++) {
			const struct run run = run_at(part, line, way);

			used += is_taken(&run);
		}
	}
	return used;
}

uint64_t runs_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	uint64_t used = 0;

	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		const struct part part = part_of((struct bh_prefix_line *)lines, head, is_v4);

		used += part_used(&part);
	}
	return used;
}
