/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/prefix_runs.h"

#include <errno.h>
#include <stdbool.h>

/* A place in a line. */
struct place {
	struct bh_run_line *line;
	unsigned int way;
};

uint32_t run_bits_for(size_t identities)
{
	return identities > BH_RUN_IDENTITIES ? BH_RUN_BITS_WIDE : BH_RUN_BITS;
}

uint32_t run_get(const union bh_run_identities *run, const struct bh_prefixes *head,
		 uint32_t address)
{
	if (head->run_bits == BH_RUN_BITS_WIDE)
		return run->wide[address % BH_RUN_ADDRESSES_WIDE];
	return run->of[address % BH_RUN_ADDRESSES];
}

void run_set(union bh_run_identities *run, const struct bh_prefixes *head, uint32_t address,
	     uint32_t identity)
{
	if (head->run_bits == BH_RUN_BITS_WIDE)
		__atomic_store_n(&run->wide[address % BH_RUN_ADDRESSES_WIDE], identity,
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n(&run->of[address % BH_RUN_ADDRESSES], (uint16_t)identity,
				 __ATOMIC_RELEASE);
}

struct run run_of(const struct bh_prefixes *head, uint32_t address, uint32_t identity)
{
	struct run run = {.key = BH_RUN_KEY(address, head->run_bits)};

	for (uint32_t i = 0; i < 1u << head->run_bits; i++)
		run_set(&run.identity, head, i, identity);
	return run;
}

/* As in bpf/identify.h, as is what follows. */
static uint64_t hash_of(const struct bh_prefixes *head, uint32_t key)
{
	uint64_t sum = (uint64_t)(key + head->hash.key[4]) * head->hash.key[5];

	return (sum ^ sum >> 32) * head->hash.factor;
}

static struct bh_run_line *first_of(const struct bh_prefix_line *lines,
				    const struct bh_prefixes *head)
{
	return (struct bh_run_line *)(lines + BH_START_LINES + head->lines);
}

static struct bh_run_line *line_at(struct bh_prefix_line *lines, const struct bh_prefixes *head,
				   uint64_t hash, uint32_t n)
{
	return first_of(lines, head) + BH_PREFIX_LINE(hash, head->runs, n);
}

/* BH_RUN_WAYS: it has not that key. */
static unsigned int way_of(const struct bh_run_line *line, uint32_t key)
{
	unsigned int way = 0;

	while (way < BH_RUN_WAYS && line->key[way] != key)
		way++;
	return way;
}

union bh_run_identities *runs_find(struct bh_prefix_line *lines, const struct bh_prefixes *head,
				   uint32_t address)
{
	uint32_t key = BH_RUN_KEY(address, head->run_bits);
	uint64_t hash = hash_of(head, key);

	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		struct bh_run_line *line = line_at(lines, head, hash, n);
		unsigned int way = way_of(line, key);

		if (way < BH_RUN_WAYS)
			return &line->identity[way];
		if (!(line->spills & BH_PREFIX_SPILL(hash)))
			break;
	}
	return NULL;
}

/* Who finds the key finds all that goes with it. */
static void write_run(const struct place *place, const struct run *run)
{
	place->line->identity[place->way] = run->identity;
	__atomic_store_n(&place->line->key[place->way], run->key, __ATOMIC_RELEASE);
}

int runs_put(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run)
{
	uint64_t hash = hash_of(head, run->key);
	struct place place = {};
	uint32_t n;

	for (n = 0; n < BH_PREFIX_LINES_OF; n++) {
		place.line = line_at(lines, head, hash, n);
		place.way = way_of(place.line, 0);
		if (place.way < BH_RUN_WAYS)
			break;
	}
	if (n == BH_PREFIX_LINES_OF)
		return -ENOSPC;
	write_run(&place, run);
	while (n--) {
		struct bh_run_line *line = line_at(lines, head, hash, n);

		__atomic_store_n(&line->spills, line->spills | BH_PREFIX_SPILL(hash),
				 __ATOMIC_RELEASE);
	}
	return 0;
}

/* Whether a run of a full line has found a place elsewhere; what its old one has is @left. */
static bool move_one(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     struct bh_run_line *line, uint32_t left)
{
	for (unsigned int way = 0; way < BH_RUN_WAYS; way++) {
		const struct run run = {line->key[way], line->identity[way]};

		if (run.key == BH_RUN_GONE || runs_put(lines, head, &run))
			continue;
		__atomic_store_n(&line->key[way], left, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

int runs_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run)
{
	uint64_t hash = hash_of(head, run->key);
	int err = runs_put(lines, head, run);

	for (uint32_t n = 0; err && n < BH_PREFIX_LINES_OF; n++) {
		if (move_one(lines, head, line_at(lines, head, hash, n), 0))
			err = runs_put(lines, head, run);
	}
	return err;
}

void runs_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head, uint32_t address)
{
	uint64_t hash = hash_of(head, BH_RUN_KEY(address, head->run_bits));

	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		if (move_one(lines, head, line_at(lines, head, hash, n), BH_RUN_GONE))
			return;
	}
}

void runs_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	struct bh_run_line *line = first_of(lines, head);

	for (size_t i = 0; i < head->runs; i++, line++) {
		for (unsigned int way = 0; way < BH_RUN_WAYS; way++) {
			if (line->key[way] == BH_RUN_GONE)
				__atomic_store_n(&line->key[way], 0, __ATOMIC_RELEASE);
		}
	}
}

uint64_t runs_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	const struct bh_run_line *line = first_of(lines, head);
	uint64_t used = 0;

	for (size_t i = 0; i < head->runs; i++, line++) {
		for (unsigned int way = 0; way < BH_RUN_WAYS; way++)
			used += line->key[way] > BH_RUN_GONE;
	}
	return used;
}
