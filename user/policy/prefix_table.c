/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/prefix_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>

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
		       (uint64_t)((uint32_t)(p->low >> 32) + key[2]) *
			       ((uint32_t)p->low + key[3]) +
		       (uint64_t)(len + key[4]) * key[5];

	return (sum ^ sum >> 32) * head->hash.factor;
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
		struct bh_prefix_line *line = lines + BH_PREFIX_LINE(hash, head->lines, n);

		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
			if (is_prefix(&line->of[way], p))
				return &line->of[way];
		}
		if (!(line->spills & BH_PREFIX_SPILL(hash)))
			break;
	}
	return NULL;
}

uint32_t prefix_lines_identity(const struct bh_prefix_line *lines, const struct bh_prefixes *head,
			       const struct bh_addr *a)
{
	struct bh_prefix_line *at = (struct bh_prefix_line *)lines;
	enum bh_family family = addr_is_v4(a) ? BH_FAMILY_V4 : BH_FAMILY_V6;
	const struct bh_prefix whole = prefix_entry_of(a, 0);
	const struct bh_prefix *found = find(at, head, &whole);
	uint32_t identity = head->otherwise[family], node = 1;

	if (found)
		return BH_PREFIX_IDENTITY(found->word);
	while (node < 1 << BH_PREFIX_STEPS && head->length[family][node]) {
		const struct bh_prefix p = prefix_entry_cut(&whole, head->length[family][node]);

		found = find(at, head, &p);
		node = 2 * node + (found && (found->word & BH_PREFIX_MORE));
		if (found)
			identity = BH_PREFIX_IDENTITY(found->word);
		if (found && !(found->word & BH_PREFIX_MORE))
			break;
	}
	return identity;
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
		place = find_place(lines + BH_PREFIX_LINE(hash, head->lines, n), entry);
		if (place)
			break;
	}
	if (!place)
		return -ENOSPC;
	place->high = entry->high;
	place->low = entry->low;
	store(&place->word, entry->word);
	while (n--) {
		struct bh_prefix_line *line = lines + BH_PREFIX_LINE(hash, head->lines, n);

		store(&line->spills, line->spills | BH_PREFIX_SPILL(hash));
	}
	return 0;
}

int prefix_lines_put(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	struct bh_prefix *place = find(lines, head, entry);

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

int prefix_lines_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry)
{
	uint64_t hash = hash_of(head, entry);
	int err = enter(lines, head, entry);

	for (uint32_t n = 0; err && n < BH_PREFIX_LINES_OF; n++) {
		if (make_place(lines, head, lines + BH_PREFIX_LINE(hash, head->lines, n)))
			err = enter(lines, head, entry);
	}
	return err;
}

void prefix_lines_drop(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		       const struct bh_addr *a)
{
	const struct bh_prefix whole = prefix_entry_of(a, 0);
	struct bh_prefix *place = find(lines, head, &whole);

	if (place)
		store(&place->word, BH_PREFIX_GONE);
}

void prefix_lines_forget(struct bh_prefix_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++) {
			if (lines[i].of[way].word == BH_PREFIX_GONE)
				store(&lines[i].of[way].word, 0);
		}
	}
}

uint64_t prefix_lines_used(const struct bh_prefix_line *lines, size_t count)
{
	uint64_t used = 0;

	for (size_t i = 0; i < count; i++) {
		for (unsigned int way = 0; way < BH_PREFIX_WAYS; way++)
			used += BH_PREFIX_LEN(lines[i].of[way].word) != 0;
	}
	return used;
}
