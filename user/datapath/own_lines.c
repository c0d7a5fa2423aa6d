/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/own_lines.h"

#include <arpa/inet.h>
#include <string.h>

#include "datapath/datapath.h"
#include "util/address.h"

#define WHOLE 128 /* bits of an address */
#define FIRST 16  /* bits by which shorter prefixes are known */

/* What follows is seen after this, and what came before is not seen after the next one. */
static void stamp_begin(uint32_t *stamp)
{
	__atomic_store_n(stamp, *stamp | 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void stamp_end(uint32_t *stamp)
{
	uint32_t next = (*stamp | 1) + 1;

	__atomic_store_n(stamp, next ? next : 2, __ATOMIC_RELEASE);
}

/* --- sources --- */

void own_sources_begin(const struct own_lines *lines, uint16_t endpoint)
{
	stamp_begin(&lines->sources[endpoint].stamp);
}

void own_sources_end(const struct own_lines *lines, const struct workload_endpoint *w)
{
	struct bh_source_line *line = &lines->sources[w->id];
	uint16_t count = 0;
	bool has_more = w->link_local != NULL;

	for (size_t i = 0; i < w->source_count; i++) {
		if (w->sources[i].len == WHOLE && count < BH_SOURCE_LINE_ADDRESSES)
			line->addr[count++] = w->sources[i].addr;
		else
			has_more = true;
	}
	line->count = count;
	line->has_more = has_more;
	stamp_end(&line->stamp);
}

/* --- this machine's --- */

void own_local_begin(const struct own_lines *lines)
{
	stamp_begin(&lines->head->stamp);
}

static uint32_t line_of(const struct bh_addr *a)
{
	uint64_t half[2];

	memcpy(half, a, sizeof(half));
	return BH_LOCAL_LINE(half[0], half[1]);
}

static void enter_whole(const struct own_lines *lines, const struct bh_addr *a, uint32_t flags)
{
	uint32_t number = line_of(a);
	struct bh_local_line *line = &lines->local[number];

	lines->head->has_whole[number / 64] |= UINT64_C(1) << number % 64;
	if (line->count == BH_LOCAL_LINE_ADDRESSES) {
		line->has_more = 1;
		return;
	}
	line->addr[line->count] = *a;
	line->flags[line->count++] = (uint8_t)flags;
}

/* All of which the first bits are those of a prefix, or begin with them. */
static void mark(struct bh_local_head *head, enum bh_local_family family, uint32_t first,
		 uint32_t len)
{
	uint32_t count = len < FIRST ? 1u << (FIRST - len) : 1;

	for (uint32_t bit = first; bit < first + count; bit++)
		head->has_shorter[family][bit / 64] |= UINT64_C(1) << bit % 64;
}

static void enter_shorter(struct bh_local_head *head, const struct prefix *p)
{
	const struct prefix v4 = {{{0, 0, htonl(0xffff), 0}}, BH_V4_PREFIX_LEN};

	if (prefix_is_v4(p)) {
		mark(head, BH_LOCAL_V4, ntohl(p->addr.word[3]) >> FIRST, p->len - BH_V4_PREFIX_LEN);
		return;
	}
	mark(head, BH_LOCAL_V6, ntohl(p->addr.word[0]) >> FIRST, p->len);
	if (prefix_contains(p, &v4))
		mark(head, BH_LOCAL_V4, 0, 0);
}

void own_local_end(const struct own_lines *lines, const struct bh_local_key *keys,
		   const uint32_t *flags, size_t count)
{
	memset(lines->local, 0, BH_LOCAL_LINES * sizeof(*lines->local));
	memset(lines->head->has_whole, 0, sizeof(lines->head->has_whole));
	memset(lines->head->has_shorter, 0, sizeof(lines->head->has_shorter));
	for (size_t i = 0; i < count; i++) {
		const struct prefix p = {keys[i].addr, (uint8_t)keys[i].prefix_len};

		if (p.len == WHOLE)
			enter_whole(lines, &p.addr, flags[i]);
		else
			enter_shorter(lines->head, &p);
	}
	stamp_end(&lines->head->stamp);
}
