/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/service_class.h"

#include <netinet/in.h>
#include <string.h>

#include "util/bitset.h"
#include "util/partition.h"

#define TABLE_PLACES 65536u
#define PLACES       (BH_SERVICE_PROTO * TABLE_PLACES + 256)

static uint32_t place_of(enum bh_service_table table, uint16_t number)
{
	return (uint32_t)table * TABLE_PLACES + number;
}

static uint32_t table_end(enum bh_service_table table)
{
	return table == BH_SERVICE_PROTO ? PLACES : ((uint32_t)table + 1) * TABLE_PLACES;
}

/* Protocols with a table of their own, and whose packets are looked up there. */
static const struct {
	uint8_t proto;
	enum bh_service_table table;
	uint8_t families;
} own_table[] = {
	{IPPROTO_TCP, BH_SERVICE_TCP, FAMILY_V4 | FAMILY_V6},
	{IPPROTO_UDP, BH_SERVICE_UDP, FAMILY_V4 | FAMILY_V6},
	{IPPROTO_SCTP, BH_SERVICE_SCTP, FAMILY_V4 | FAMILY_V6},
	{IPPROTO_ICMP, BH_SERVICE_ICMP, FAMILY_V4},
	{IPPROTO_ICMPV6, BH_SERVICE_ICMP6, FAMILY_V6},
};

uint8_t service_families(enum bh_service_table table, uint16_t number)
{
	for (size_t i = 0; i < COUNT(own_table); i++) {
		if (table == own_table[i].table)
			return own_table[i].families;
		if (table == BH_SERVICE_PROTO && number == own_table[i].proto)
			return (uint8_t)((FAMILY_V4 | FAMILY_V6) & ~own_table[i].families);
	}
	return FAMILY_V4 | FAMILY_V6;
}

struct place_range {
	uint32_t lo, hi;
};
typedef VEC(struct place_range) place_ranges;

static struct place_range whole_table(enum bh_service_table table)
{
	return (struct place_range){place_of(table, 0), table_end(table) - 1};
}

/*
 * A whole table and its protocol's number mean the same: proto/6 is every TCP port, and whoever
 * allows all of ICMP means proto 1 over IPv6 too, which is looked up by number.
 */
static void add_synonym(const struct service_range *range, size_t i, place_ranges *out)
{
	uint32_t number = place_of(BH_SERVICE_PROTO, own_table[i].proto);
	bool has_number = range->table == BH_SERVICE_PROTO && range->lo <= own_table[i].proto &&
			  own_table[i].proto <= range->hi;
	bool is_whole = range->table == own_table[i].table && range->lo == 0 &&
			range->hi == TABLE_PLACES - 1;

	if (has_number)
		vec_push(out, whole_table(own_table[i].table));
	if (is_whole && service_families(BH_SERVICE_PROTO, own_table[i].proto))
		vec_push(out, (struct place_range){number, number});
}

/* Where the numbers of @s are; a place may be in several ranges. */
static void places_of(const services *s, place_ranges *out)
{
	out->count = 0;
	vec_foreach (range, s) {
		vec_push(out, (struct place_range){place_of(range->table, range->lo),
						   place_of(range->table, range->hi)});
		for (size_t i = 0; i < COUNT(own_table); i++)
			add_synonym(range, i, out);
	}
}

bool services_have(const services *s, enum bh_service_table table, uint16_t number)
{
	uint32_t place = place_of(table, number);
	place_ranges ranges = {};
	bool is_found = false;

	places_of(s, &ranges);
	vec_foreach (range, &ranges)
		is_found |= range->lo <= place && place <= range->hi;
	vec_release(&ranges);
	return is_found;
}

static void cut(struct service_partition *p, const struct atoms *a)
{
	_free_ uint64_t *starts = bitset_new(PLACES + 1);
	place_ranges ranges = {};

	for (enum bh_service_table t = 0; t < BH_SERVICE_TABLES; t++)
		bitset_add(starts, place_of(t, 0));
	vec_foreach (list, &a->services) {
		places_of(*list, &ranges);
		vec_foreach (range, &ranges) {
			bitset_add(starts, range->lo);
			bitset_add(starts, range->hi + 1);
		}
	}
	vec_release(&ranges);
	for (size_t lo = 0; lo < PLACES;) {
		size_t next = bitset_next(starts, PLACES, lo + 1);

		vec_push(&p->intervals,
			 (struct service_interval){.lo = (uint32_t)lo, .hi = (uint32_t)next - 1});
		lo = next;
	}
}

/* The interval that a place is in. */
static uint32_t interval_at(const struct service_partition *p, uint32_t place)
{
	size_t lo = 0, hi = p->intervals.count;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->intervals.items[mid].lo <= place)
			lo = mid;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

/* Element 0 is mentioned by nothing; element 1 + i is interval i. */
static void split_by_lists(struct partition *parts, const struct service_partition *p,
			   const struct atoms *a)
{
	_free_ uint32_t *seen = xcalloc(p->intervals.count, sizeof(*seen));
	place_ranges ranges = {};
	VEC(uint32_t) members = {};

	for (uint32_t n = 0; n < a->services.count; n++) {
		members.count = 0;
		places_of(a->services.items[n], &ranges);
		vec_foreach (range, &ranges) {
			uint32_t last = interval_at(p, range->hi);

			for (uint32_t i = interval_at(p, range->lo); i <= last; i++) {
				if (seen[i] != n + 1)
					vec_push(&members, i + 1);
				seen[i] = n + 1;
			}
		}
		partition_split(parts, members.items, members.count);
	}
	vec_release(&ranges);
	vec_release(&members);
}

static enum bh_service_table table_of(uint32_t place)
{
	return (enum bh_service_table)(place / TABLE_PLACES);
}

struct service_number service_at(uint32_t place)
{
	return (struct service_number){table_of(place), (uint16_t)(place % TABLE_PLACES)};
}

/* An interval of the table of protocols may hold numbers of several kinds; no other does. */
static uint8_t interval_families(const struct service_interval *interval)
{
	enum bh_service_table table = table_of(interval->lo);
	uint32_t last = table == BH_SERVICE_PROTO ? interval->hi : interval->lo;
	uint8_t families = 0;

	for (uint32_t place = interval->lo; place <= last; place++)
		families |= service_families(table, (uint16_t)(place % TABLE_PLACES));
	return families;
}

void service_partition_build(struct service_partition *p, const struct atoms *a)
{
	_partition_ struct partition parts = {};

	memset(p, 0, sizeof(*p));
	cut(p, a);
	partition_init(&parts, (uint32_t)p->intervals.count + 1, NULL);
	split_by_lists(&parts, p, a);
	partition_number(&parts);
	p->classes = parts.parts;
	p->families = xcalloc(p->classes, sizeof(*p->families));
	for (uint32_t i = 0; i < p->intervals.count; i++) {
		struct service_interval *interval = &p->intervals.items[i];

		interval->class = parts.part[i + 1];
		p->families[interval->class] |= interval_families(interval);
	}
}

void service_partition_release(struct service_partition *p)
{
	vec_release(&p->intervals);
	free(p->families);
	memset(p, 0, sizeof(*p));
}

void service_partition_add(const struct service_partition *p, const services *s, uint64_t *set)
{
	place_ranges ranges = {};

	places_of(s, &ranges);
	vec_foreach (range, &ranges) {
		uint32_t last = interval_at(p, range->hi);

		for (uint32_t i = interval_at(p, range->lo); i <= last; i++)
			bitset_add(set, p->intervals.items[i].class);
	}
	vec_release(&ranges);
}

void service_partition_families(const struct service_partition *p, const services *s,
				uint8_t *families)
{
	place_ranges ranges = {};

	places_of(s, &ranges);
	vec_foreach (range, &ranges) {
		uint32_t last = interval_at(p, range->hi);

		for (uint32_t i = interval_at(p, range->lo); i <= last; i++) {
			struct service_interval part = p->intervals.items[i];

			if (part.lo < range->lo)
				part.lo = range->lo;
			if (part.hi > range->hi)
				part.hi = range->hi;
			families[part.class] |= interval_families(&part);
		}
	}
	vec_release(&ranges);
}

/* Whether the numbers end right before the range begins. */
static bool go_on_in(const services *numbers, const struct service_range *range)
{
	const struct service_range *last;

	if (!numbers->count)
		return false;
	last = &numbers->items[numbers->count - 1];
	return last->table == range->table && last->hi + 1 == range->lo;
}

static void add_numbers(services *numbers, uint32_t lo, uint32_t hi)
{
	struct service_range range = {
		.table = table_of(lo),
		.lo = (uint16_t)(lo % TABLE_PLACES),
		.hi = (uint16_t)(hi % TABLE_PLACES),
	};

	if (go_on_in(numbers, &range))
		numbers->items[numbers->count - 1].hi = range.hi;
	else
		vec_push(numbers, range);
}

/* Protocols with a table of their own are listed there, not by number. */
static bool has_own_table(uint32_t place)
{
	for (size_t i = 0; i < COUNT(own_table); i++) {
		if (place == place_of(BH_SERVICE_PROTO, own_table[i].proto))
			return true;
	}
	return false;
}

void service_partition_numbers(const struct service_partition *p, services *ret)
{
	vec_foreach (interval, &p->intervals) {
		services *numbers = &ret[interval->class];

		if (table_of(interval->lo) != BH_SERVICE_PROTO) {
			add_numbers(numbers, interval->lo, interval->hi);
			continue;
		}
		for (uint32_t place = interval->lo; place <= interval->hi; place++) {
			if (!has_own_table(place))
				add_numbers(numbers, place, place);
		}
	}
}

static bool interval_example(const struct service_interval *interval, uint8_t families,
			     struct service_number *ret)
{
	for (uint32_t place = interval->lo; place <= interval->hi; place++) {
		struct service_number n = {table_of(place), (uint16_t)(place % TABLE_PLACES)};

		if (service_families(n.table, n.number) & families) {
			*ret = n;
			return true;
		}
		if (n.table != BH_SERVICE_PROTO)
			break;
	}
	return false;
}

bool service_partition_example(const struct service_partition *p, uint32_t class, const services *s,
			       uint8_t families, struct service_number *ret)
{
	place_ranges ranges = {};
	bool is_found = false;

	places_of(s, &ranges);
	vec_foreach (range, &ranges) {
		uint32_t last = interval_at(p, range->hi);

		for (uint32_t i = interval_at(p, range->lo); i <= last && !is_found; i++)
			is_found = p->intervals.items[i].class == class &&
				   interval_example(&p->intervals.items[i], families, ret);
	}
	vec_release(&ranges);
	return is_found;
}

void service_partition_lines(const struct service_partition *p, struct bh_service_line *lines)
{
	vec_foreach (interval, &p->intervals) {
		for (uint32_t place = interval->lo; place <= interval->hi; place++)
			lines[place / BH_SERVICE_LINE_ENTRIES]
				.class[place % BH_SERVICE_LINE_ENTRIES] = (uint16_t)interval->class;
	}
}
