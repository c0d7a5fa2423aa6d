/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/prefix_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>

#include "policy/prefix_hash.h"
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

static bool is_prefix(const struct bh_prefix *entry, const struct bh_prefix *p)
{
	return entry->high == p->high && entry->low == p->low &&
	       BH_PREFIX_LEN(entry->word) == BH_PREFIX_LEN(p->word);
}

static struct bh_prefix *find(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			      const struct bh_prefix *p)
{
	uint64_t hash = prefix_hash(&head->hash, p);

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
			is_longer = found && BH_PREFIX_NEXT(found->word);
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

		node = found ? BH_PREFIX_NEXT(found->word) : 2 * node;
		if (found)
			identity = BH_PREFIX_IDENTITY(found->word);
	}
	return identity;
}

/* Of prefixes that are no runs. */
static uint32_t longest(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			const struct bh_prefix *whole)
{
	return prefix_entry_is_v4(whole) ? longest_v4(lines, head, whole)
					 : longest_v6(lines, head, whole);
}

uint32_t prefix_lines_identity(const struct bh_prefix_line *lines, const struct bh_prefixes *head,
			       const struct bh_addr *a)
{
	struct bh_prefix_line *at = (struct bh_prefix_line *)lines;
	const struct bh_prefix whole = prefix_entry_of(a, 0);
	const union bh_run_identities *run = NULL;

	if (!prefix_entry_is_v4(&whole) || (*prefix_lines_start(at, &whole) & BH_START_RUNS))
		run = runs_find(at, head, &whole);
	return run ? run_get(run, head, whole.low) : longest(at, head, &whole);
}

static struct bh_prefix *find_place(struct bh_prefix_line *line)
{
	for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
		if (!line->of[way].word)
			return &line->of[way];
	}
	return NULL;
}

/* Into the first of its lines that has a place. */
static int enter(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		 const struct bh_prefix *entry)
{
	uint64_t hash = prefix_hash(&head->hash, entry);
	struct bh_prefix *place = NULL;
	uint32_t n;

	for (n = 0; n < BH_PREFIX_LINES_OF; n++) {
		place = find_place(line_at(lines, head, hash, n));
		if (place)
			break;
	}
	if (!place)
		return -ENOSPC;
	*place = *entry;
	while (n--)
		line_at(lines, head, hash, n)->spills |= BH_PREFIX_SPILL(hash);
	return 0;
}

/* What is in a run is stored at once, or with the others that are there from now on. */
int prefix_lines_put(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	union bh_run_identities *place = runs_find(lines, head, entry);
	uint32_t identity = BH_PREFIX_IDENTITY(entry->word);
	__u64 *start = prefix_lines_start(lines, entry);
	struct run run;
	int err;

	if (place) {
		run_set(place, head, entry->low, identity);
		return 0;
	}
	run = run_of(head, entry, longest(lines, head, entry));
	run_set(&run.identity, head, entry->low, identity);
	err = runs_put(lines, head, &run);
	if (!err && run.is_v4)
		__atomic_store_n(start, *start | BH_START_RUNS, __ATOMIC_RELEASE);
	return err;
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

void prefix_lines_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			    const struct bh_prefix *entry)
{
	runs_clear_way(lines, head, entry);
}

int prefix_lines_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	uint64_t hash = prefix_hash(&head->hash, entry);
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
	union bh_run_identities *run = runs_find(lines, head, entry);

	if (run)
		run_set(run, head, entry->low, BH_PREFIX_IDENTITY(entry->word));
}

void prefix_lines_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head)
{
	runs_forget(lines, head);
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
