/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/prefix_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>

#include "policy/prefix_runs.h"
#include "util/address.h"

#define WHOLE 128 /* bits of an address */

struct bh_prefix prefix_entry_of(const struct bh_addr *a, uint32_t identity)
{
	return (struct bh_prefix){
		.high = (uint64_t)ntohl(a->word[0]) << 32 | ntohl(a->word[1]),
		.low = (uint64_t)ntohl(a->word[2]) << 32 | ntohl(a->word[3]),
		.word = BH_PREFIX(WHOLE, identity, 0),
	};
}

struct bh_prefix prefix_entry_cut(const struct bh_prefix *p, uint32_t len)
{
	return (struct bh_prefix){
		.high = len < 64 ? p->high & ~UINT64_C(0) << (64 - len) : p->high,
		.low = len > 64 ? p->low & ~UINT64_C(0) << (WHOLE - len) : 0,
		.word = BH_PREFIX(len, 0, 0),
	};
}

/* As in bpf/identify.h. */
static uint64_t hash_of(const struct bh_prefixes *head, const struct bh_prefix *p)
{
	const uint32_t *key = head->hash.key;
	uint32_t len = BH_PREFIX_LEN(p->word);
	uint64_t sum = (uint64_t)((uint32_t)(p->high >> 32) + key[0]) *
			       ((uint32_t)p->high + key[1]) +
		       (uint64_t)((uint32_t)(p->low >> 32) + key[2]) * ((uint32_t)p->low + key[3]) +
		       (uint64_t)(len + key[4]) * key[5];

	return (sum ^ sum >> 32) * head->hash.factor;
}

static struct bh_prefix_line *line_at(struct bh_prefix_line *lines, const struct bh_prefixes *head,
				      uint64_t hash, uint32_t n)
{
	return lines + BH_START_LINES + BH_PREFIX_LINE(hash, head->lines, n);
}

__u64 *prefix_lines_start(struct bh_prefix_line *lines, const struct bh_prefix *p)
{
	struct bh_start_line *starts = (struct bh_start_line *)lines;
	uint32_t number = (uint32_t)p->low >> 16;

	return &starts[number / BH_START_LINE_ENTRIES].start[number % BH_START_LINE_ENTRIES];
}

static bool is_v4(const struct bh_prefix *p)
{
	return !p->high && p->low >> 32 == 0xffff;
}

static bool is_address(const struct bh_prefix *entry, const struct bh_prefix *p)
{
	return entry->high == p->high && entry->low == p->low;
}

static bool is_prefix(const struct bh_prefix *entry, const struct bh_prefix *p)
{
	return is_address(entry, p) && BH_PREFIX_LEN(entry->word) == BH_PREFIX_LEN(p->word);
}

static struct bh_prefix *find(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			      const struct bh_prefix *p)
{
	uint64_t hash = hash_of(head, p);

	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		struct bh_prefix_line *line = line_at(lines, head, hash, n);

		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
			if (is_prefix(&line->of[way], p))
				return &line->of[way];
		}
		if (!(line->spills & BH_PREFIX_SPILL(hash)))
			break;
	}
	return NULL;
}

/* The rest is as in bpf/identify.h, too. */
static uint32_t longest_v4(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			   const struct bh_prefix *whole)
{
	const uint64_t start = *prefix_lines_start(lines, whole);
	uint32_t identity = BH_START_IDENTITY(start), n = 8;

	for (uint32_t half = 8; half; half /= 2) {
		const struct bh_prefix p = prefix_entry_cut(whole, 112 + n);
		uint32_t right = BH_START_RIGHT(start, n, half);
		const struct bh_prefix *found = NULL;
		bool is_longer = right;

		if (BH_START_HERE(start, n) || (right && BH_START_LEFT(start, n, half))) {
			found = find(lines, head, &p);
			is_longer = found && (found->word & BH_PREFIX_MORE);
		}
		if (found)
			identity = BH_PREFIX_IDENTITY(found->word);
		if (found && !is_longer)
			break;
		n = is_longer ? n + half / 2 : n - half / 2;
	}
	return identity;
}

static uint32_t longest_v6(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			   const struct bh_prefix *whole)
{
	uint32_t identity = head->otherwise, node = 1;

	while (node < 1 << BH_PREFIX_STEPS && head->length[node]) {
		const struct bh_prefix p = prefix_entry_cut(whole, head->length[node]);
		const struct bh_prefix *found = find(lines, head, &p);

		node = 2 * node + (found && (found->word & BH_PREFIX_MORE));
		if (found)
			identity = BH_PREFIX_IDENTITY(found->word);
		if (found && !(found->word & BH_PREFIX_MORE))
			break;
	}
	return identity;
}

static uint32_t identity_v4(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			    const struct bh_prefix *whole)
{
	const union bh_run_identities *run = NULL;

	if (*prefix_lines_start(lines, whole) & BH_START_RUNS)
		run = runs_find(lines, head, (uint32_t)whole->low);
	return run ? run_get(run, head, (uint32_t)whole->low) : longest_v4(lines, head, whole);
}

uint32_t prefix_lines_identity(const struct bh_prefix_line *lines, const struct bh_prefixes *head,
			       const struct bh_addr *a)
{
	struct bh_prefix_line *at = (struct bh_prefix_line *)lines;
	const struct bh_prefix whole = prefix_entry_of(a, 0), *found;

	if (is_v4(&whole))
		return identity_v4(at, head, &whole);
	found = find(at, head, &whole);
	return found ? BH_PREFIX_IDENTITY(found->word) : longest_v6(at, head, &whole);
}

/*
 * A place where none was, or this same address: who has loaded a word may load the address that
 * goes with it long after, as long as it is a program.
 */
static struct bh_prefix *find_place(struct bh_prefix_line *line, const struct bh_prefix *p)
{
	for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
		struct bh_prefix *entry = &line->of[way];

		if (!entry->word || (entry->word == BH_PREFIX_GONE && is_address(entry, p)))
			return entry;
	}
	return NULL;
}

static void store(__u64 *place, uint64_t value)
{
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
}

/* Into the first of its lines that has a place.  Each store is one that programs may see alone. */
static int enter(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		 const struct bh_prefix *entry)
{
	uint64_t hash = hash_of(head, entry);
	struct bh_prefix *place = NULL;
	uint32_t n;

	for (n = 0; n < BH_PREFIX_LINES_OF; n++) {
		place = find_place(line_at(lines, head, hash, n), entry);
		if (place)
			break;
	}
	if (!place)
		return -ENOSPC;
	place->high = entry->high;
	place->low = entry->low;
	store(&place->word, entry->word);
	while (n--) {
		struct bh_prefix_line *line = line_at(lines, head, hash, n);

		store(&line->spills, line->spills | BH_PREFIX_SPILL(hash));
	}
	return 0;
}

/* What is in a run is stored at once, or with the others that are there from now on. */
static int put_v4(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		  const struct bh_prefix *entry)
{
	uint32_t address = (uint32_t)entry->low, identity = BH_PREFIX_IDENTITY(entry->word);
	union bh_run_identities *place = runs_find(lines, head, address);
	__u64 *start = prefix_lines_start(lines, entry);
	struct run run;
	int err;

	if (place) {
		run_set(place, head, address, identity);
		return 0;
	}
	run = run_of(head, address, longest_v4(lines, head, entry));
	run_set(&run.identity, head, address, identity);
	err = runs_put(lines, head, &run);
	if (!err)
		store(start, *start | BH_START_RUNS);
	return err;
}

int prefix_lines_put(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	struct bh_prefix *place;

	if (is_v4(entry))
		return put_v4(lines, head, entry);
	place = find(lines, head, entry);
	if (!place)
		return enter(lines, head, entry);
	store(&place->word, entry->word);
	return 0;
}

/* Whether one of the entries of a full line has found a place elsewhere. */
static bool make_place(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		       struct bh_prefix_line *line)
{
	for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
		struct bh_prefix *entry = &line->of[way];

		if (enter(lines, head, entry))
			continue;
		*entry = (struct bh_prefix){};
		return true;
	}
	return false;
}

/* The same while programs read: its place is kept, as that of one that is gone. */
static bool lend_place(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		       struct bh_prefix_line *line)
{
	for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
		struct bh_prefix *entry = &line->of[way];

		if (!BH_PREFIX_LEN(entry->word) || enter(lines, head, entry))
			continue;
		store(&entry->word, BH_PREFIX_GONE);
		return true;
	}
	return false;
}

void prefix_lines_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			    const struct bh_prefix *entry)
{
	uint64_t hash = hash_of(head, entry);

	if (is_v4(entry)) {
		runs_clear_way(lines, head, (uint32_t)entry->low);
		return;
	}
	for (uint32_t n = 0; n < BH_PREFIX_LINES_OF; n++) {
		if (lend_place(lines, head, line_at(lines, head, hash, n)))
			return;
	}
}

int prefix_lines_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	uint64_t hash = hash_of(head, entry);
	int err = enter(lines, head, entry);

	for (uint32_t n = 0; err && n < BH_PREFIX_LINES_OF; n++) {
		if (make_place(lines, head, line_at(lines, head, hash, n)))
			err = enter(lines, head, entry);
	}
	return err;
}

void prefix_lines_drop(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		       const struct bh_prefix *entry)
{
	struct bh_prefix *place;
	union bh_run_identities *run;

	if (is_v4(entry)) {
		run = runs_find(lines, head, (uint32_t)entry->low);
		if (run)
			run_set(run, head, (uint32_t)entry->low, BH_PREFIX_IDENTITY(entry->word));
		return;
	}
	place = find(lines, head, entry);
	if (place)
		store(&place->word, BH_PREFIX_GONE);
}

void prefix_lines_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	runs_forget(lines, head);
	lines += BH_START_LINES;
	for (size_t i = 0; i < head->lines; i++) {
		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
			if (lines[i].of[way].word == BH_PREFIX_GONE)
				store(&lines[i].of[way].word, 0);
		}
	}
}

uint64_t prefix_lines_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	uint64_t used = runs_used(lines, head);

	lines += BH_START_LINES;
	for (size_t i = 0; i < head->lines; i++) {
		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++)
			used += BH_PREFIX_LEN(lines[i].of[way].word) != 0;
	}
	return used;
}
