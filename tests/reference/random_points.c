/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/random_policy.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/reference/random_parts.h"
#include "util/cleanup.h"

/* The address next to @a, on one side or the other. */
static struct bh_addr neighbour(struct bh_addr a, bool is_up)
{
	unsigned char *bytes = (unsigned char *)&a;

	for (int i = 15; i >= 0; i--) {
		bytes[i] = (unsigned char)(bytes[i] + (is_up ? 1 : -1));
		if (bytes[i] != (is_up ? 0 : 0xff))
			break;
	}
	return a;
}

/* A pod or a node, if the dice find one. */
static const struct workload *somebody(struct random_policy *r)
{
	const struct policy *p = r->policy;
	const struct workload *w =
		&p->workloads.items[random_below(r, (uint32_t)p->workloads.count)];

	return w->kind != WORKLOAD_GROUP && w->prefixes.count ? w : NULL;
}

struct bh_addr random_address(struct random_policy *r)
{
	const struct workload *w = random_one_in(r, 2) ? somebody(r) : NULL;
	struct bh_addr a;

	if (w)
		return w->prefixes.items[random_below(r, (uint32_t)w->prefixes.count)].prefix.addr;
	if (r->hosts.count && random_one_in(r, 8))
		return r->hosts.items[random_below(r, (uint32_t)r->hosts.count)];
	if (!r->prefixes.count || random_one_in(r, 8))
		return random_any_address(r);
	const struct prefix *p = &r->prefixes.items[random_below(r, (uint32_t)r->prefixes.count)];
	bool is_last = random_one_in(r, 2);

	a = is_last ? prefix_last(p) : p->addr;
	return random_one_in(r, 3) ? neighbour(a, is_last) : a;
}

bool is_asked(bool is_v4, enum bh_service_table table, uint16_t number)
{
	if (table == BH_SERVICE_ICMP)
		return is_v4;
	if (table == BH_SERVICE_ICMP6)
		return !is_v4;
	if (table != BH_SERVICE_PROTO)
		return true;
	if (number == 1 || number == 58)
		return is_v4 == (number == 58);
	return number < 256 && number != 6 && number != 17 && number != 132;
}

struct service_range random_service(struct random_policy *r)
{
	struct service_range range;

	do {
		range = r->edges.count && !random_one_in(r, 6)
				? r->edges.items[random_below(r, (uint32_t)r->edges.count)]
				: random_range(r);
		range.lo = random_one_in(r, 2) ? range.lo : range.hi;
		if (random_one_in(r, 3))
			range.lo = (uint16_t)(range.lo + (random_one_in(r, 2) ? 1 : -1));
		range.hi = range.lo;
	} while (!is_asked(true, range.table, range.lo) && !is_asked(false, range.table, range.lo));
	return range;
}

static void add_point(struct random_points *points, struct bh_addr a)
{
	vec_foreach (known, &points->addresses) {
		if (!addr_cmp(known, &a))
			return;
	}
	vec_push(&points->addresses, a);
}

/* A number may begin a range, or be the first after one. */
static void add_numbers(struct random_points *points, enum bh_service_table table, uint32_t number)
{
	uint32_t end = table == BH_SERVICE_PROTO ? 256 : 65536;

	if (number >= end)
		return;
	vec_foreach (known, &points->services) {
		if (known->table == table && known->lo == number)
			return;
	}
	vec_push(&points->services, (struct service_range){.table = table, .lo = (uint16_t)number});
}

void random_points_make(struct random_points *points, const struct random_policy *r)
{
	static const uint8_t own_tables[] = {1, 6, 17, 58, 132};

	memset(points, 0, sizeof(*points));
	add_point(points, (struct bh_addr){});
	add_point(points, (struct bh_addr){{0, 0, htonl(0xffff), 0}});
	vec_foreach (p, &r->prefixes) {
		struct bh_addr last = prefix_last(p);

		add_point(points, p->addr);
		add_point(points, neighbour(last, true));
	}
	vec_foreach (host, &r->hosts) {
		add_point(points, *host);
		add_point(points, neighbour(*host, true));
	}
	for (enum bh_service_table t = 0; t < BH_SERVICE_TABLES; t++)
		add_numbers(points, t, 0);
	for (size_t i = 0; i < COUNT(own_tables); i++) {
		add_numbers(points, BH_SERVICE_PROTO, own_tables[i]);
		add_numbers(points, BH_SERVICE_PROTO, own_tables[i] + 1u);
	}
	vec_foreach (edge, &r->edges) {
		add_numbers(points, edge->table, edge->lo);
		add_numbers(points, edge->table, edge->hi + 1u);
	}
}

void random_points_release(struct random_points *points)
{
	vec_release(&points->addresses);
	vec_release(&points->services);
}
