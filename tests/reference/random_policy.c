/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/random_policy.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/services.h"
#include "util/cleanup.h"
#include "util/mem.h"

static uint32_t below(struct random_policy *r, uint32_t bound)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)((r->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % bound;
}

static bool one_in(struct random_policy *r, uint32_t n)
{
	return !below(r, n);
}

static struct prefix cut_to(const struct bh_addr *a, unsigned int len)
{
	struct prefix p = {.addr = *a, .len = (uint8_t)len};
	unsigned char *bytes = (unsigned char *)&p.addr;

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int kept = len > i * 8 ? len - i * 8 : 0;

		bytes[i] &= kept >= 8 ? 0xff : (unsigned char)(0xff00 >> kept);
	}
	return p;
}

/* Few bits vary, so that addresses meet: 10.0.x.y with small x and y, and the like in IPv6. */
static struct bh_addr some_address(struct random_policy *r)
{
	uint32_t low = below(r, 4) << 8 | below(r, 256) << (one_in(r, 3) ? 8 : 0) | below(r, 16);

	if (one_in(r, 2))
		return (struct bh_addr){{0, 0, htonl(0xffff), htonl(0x0a000000 | low)}};
	return (struct bh_addr){{htonl(0xfd000000), 0, 0, htonl(low)}};
}

static struct prefix some_prefix(struct random_policy *r)
{
	static const uint8_t lens[] = {128, 128, 127, 126, 124, 122, 120, 118, 112, 104};
	struct bh_addr a = some_address(r);
	unsigned int len = lens[below(r, COUNT(lens))];

	if (one_in(r, 12))
		len = addr_is_v4(&a) ? 96 : 0;
	return cut_to(&a, len);
}

static void note_prefix(struct random_policy *r, struct prefix p)
{
	vec_push(&r->prefixes, p);
}

static bool is_taken(const struct random_policy *r, const struct prefix *p)
{
	vec_foreach (zone, &r->policy->zones) {
		vec_foreach (placed, &zone->prefixes) {
			if (!prefix_cmp(&placed->prefix, p))
				return true;
		}
	}
	vec_foreach (workload, &r->policy->workloads) {
		vec_foreach (placed, &workload->prefixes) {
			if (!prefix_cmp(&placed->prefix, p))
				return true;
		}
	}
	return false;
}

static void add_prefixes(struct random_policy *r, placed_prefixes *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct prefix p = some_prefix(r);

		if (is_taken(r, &p))
			continue;
		note_prefix(r, p);
		vec_push(out, (struct placed_prefix){.prefix = p});
	}
}

static enum mode some_mode(struct random_policy *r, bool can_be_unset)
{
	if (can_be_unset && one_in(r, 2))
		return MODE_UNSET;
	return one_in(r, 2) ? MODE_ENFORCE : one_in(r, 2) ? MODE_AUDIT : MODE_OFF;
}

static char *numbered(const char *word, size_t n)
{
	struct text t = TEXT_INIT;

	text_addf(&t, "%s%zu", word, n);
	return text_take(&t);
}

static void add_zone(struct random_policy *r)
{
	struct policy *p = r->policy;

	vec_push(&p->zones, (struct zone){.name = numbered("zone", p->zones.count)});
	p->zones.items[p->zones.count - 1].mode = some_mode(r, false);
	add_prefixes(r, &p->zones.items[p->zones.count - 1].prefixes, below(r, 4));
}

static void add_workload(struct random_policy *r)
{
	struct policy *p = r->policy;
	struct workload *w;

	vec_push(&p->workloads,
		 (struct workload){WORKLOAD_ALONE, .name = numbered("w", p->workloads.count)});
	w = &p->workloads.items[p->workloads.count - 1];
	w->zone = one_in(r, 4) ? POLICY_NONE : below(r, (uint32_t)p->zones.count);
	w->mode = some_mode(r, true);
	w->document_mode = some_mode(r, false);
	add_prefixes(r, &w->prefixes, 1 + below(r, 3));
	for (uint32_t key = 0; key < 3; key++) {
		if (one_in(r, 2))
			vec_push(&w->labels, (struct label){.key = numbered("k", key),
							    .value = numbered("v", below(r, 3))});
	}
}

static struct selector *some_selector(struct random_policy *r, unsigned int depth);

static void fill_labels(struct random_policy *r, struct selector *s)
{
	for (uint32_t i = 0; i <= below(r, 2); i++) {
		struct requirement requirement = {
			.kind = (enum requirement_kind)below(r, 4),
			.key = numbered("k", below(r, 4)),
		};
		bool has_values = requirement.kind == REQUIRE_IN ||
				  requirement.kind == REQUIRE_NOT_IN;

		for (uint32_t j = 0; has_values && j <= below(r, 2); j++)
			vec_push(&requirement.values, numbered("v", below(r, 4)));
		vec_push(&s->requirements, requirement);
	}
}

/* Excepts lie within the cidr and are narrower. */
static void fill_cidr(struct random_policy *r, struct selector *s)
{
	s->prefix = some_prefix(r);
	if (r->prefixes.count && one_in(r, 3))
		s->prefix = r->prefixes.items[below(r, (uint32_t)r->prefixes.count)];
	note_prefix(r, s->prefix);
	for (uint32_t i = 0; i < below(r, 8); i++) {
		struct prefix except = some_prefix(r);
		bool is_one_family = prefix_is_v4(&except) == prefix_is_v4(&s->prefix);

		if (!is_one_family || except.len <= s->prefix.len ||
		    !prefix_contains(&s->prefix, &except))
			continue;
		note_prefix(r, except);
		vec_push(&s->except, (struct placed_prefix){.prefix = except});
	}
}

static void fill_children(struct random_policy *r, struct selector *s, unsigned int depth)
{
	uint32_t count = s->kind == SELECT_EXCEPT ? 1 : 1 + below(r, 3);

	for (uint32_t i = 0; i < count; i++)
		vec_push(&s->children, some_selector(r, depth + 1));
}

static struct selector *some_selector(struct random_policy *r, unsigned int depth)
{
	static const enum selector_kind kinds[] = {
		SELECT_WORKLOAD, SELECT_WORKLOAD, SELECT_WORKLOAD, SELECT_ZONE,   SELECT_ZONE,
		SELECT_LABELS,   SELECT_LABELS,   SELECT_CIDR,     SELECT_CIDR,   SELECT_ANY,
		SELECT_OUTSIDE,  SELECT_HOST,     SELECT_EXCEPT,   SELECT_ALL_OF, SELECT_ONE_OF,
	};
	uint32_t leaves = COUNT(kinds) - 3;
	enum selector_kind kind = kinds[below(r, depth < 3 ? COUNT(kinds) : leaves)];
	struct selector *s = selector_new(kind, (struct span){});

	if (kind == SELECT_WORKLOAD)
		s->workload = below(r, (uint32_t)r->policy->workloads.count);
	if (kind == SELECT_ZONE)
		s->zone = below(r, (uint32_t)r->policy->zones.count);
	if (kind == SELECT_LABELS)
		fill_labels(r, s);
	if (kind == SELECT_CIDR)
		fill_cidr(r, s);
	if (kind >= SELECT_EXCEPT)
		fill_children(r, s, depth);
	return s;
}

static struct service_range some_range(struct random_policy *r)
{
	struct service_range range = {.table = (enum bh_service_table)below(r, BH_SERVICE_TABLES)};
	uint32_t lo = 10 * below(r, 8), hi = lo + (one_in(r, 2) ? 0 : below(r, 40));

	if (range.table == BH_SERVICE_ICMP || range.table == BH_SERVICE_ICMP6) {
		lo = below(r, 12) << 8 | (one_in(r, 2) ? 0 : below(r, 3));
		hi = one_in(r, 2) ? lo : lo | 0xff;
	}
	if (range.table == BH_SERVICE_PROTO) {
		static const uint8_t numbers[] = {0, 1, 6, 17, 47, 50, 58, 132, 254, 255};

		lo = hi = numbers[below(r, COUNT(numbers))];
	} else if (one_in(r, 8)) {
		lo = 0;
		hi = 65535;
	} else if (one_in(r, 8)) {
		lo = hi = one_in(r, 2) ? 65535 : 0;
	}
	range.lo = (uint16_t)lo;
	range.hi = (uint16_t)hi;
	return range;
}

static void fill_services(struct random_policy *r, services *out)
{
	uint32_t count = 1 + below(r, 3);

	if (one_in(r, 6)) {
		services_add_any(out);
	} else {
		for (uint32_t i = 0; i < count; i++) {
			vec_push(out, some_range(r));
			vec_push(&r->edges, out->items[out->count - 1]);
		}
	}
	services_normalise(out);
}

static void add_rule(struct random_policy *r)
{
	struct rule rule = {
		.name = numbered("rule", r->policy->rules.count),
		.action = one_in(r, 3) ? ACTION_DENY : ACTION_ALLOW,
		.log = one_in(r, 2),
		.service_text = xstrdup(""),
		.sides = SIDE_BOTH,
		.from = some_selector(r, 0),
		.to = some_selector(r, 0),
	};

	rule.tier = rule.action == ACTION_ALLOW ? TIER_NETWORK : TIER_ZONE;
	fill_services(r, &rule.services);
	vec_push(&r->policy->rules, rule);
}

static void add_promises(struct random_policy *r)
{
	struct never never = {
		.name = xstrdup("never"), .from = some_selector(r, 0), .to = some_selector(r, 0)};
	struct expect expect = {.from = some_selector(r, 0),
				.to = some_selector(r, 0),
				.verdict = (enum bh_verdict)below(r, BH_VERDICT_COUNT)};

	fill_services(r, &never.services);
	fill_services(r, &expect.services);
	vec_push(&r->policy->nevers, never);
	vec_push(&r->policy->expects, expect);
}

void random_policy_make(struct random_policy *r, uint64_t seed, uint32_t workloads)
{
	/* A few small policies, some that have more classes than a block has columns. */
	static const uint32_t sizes[] = {1, 4, 4, 10, 10, 10, 20, 60};
	uint32_t size;

	memset(r, 0, sizeof(*r));
	r->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	r->policy = policy_new();
	size = sizes[below(r, COUNT(sizes))];
	if (size > workloads)
		size = workloads;
	for (uint32_t i = 0; i <= below(r, 5); i++)
		add_zone(r);
	for (uint32_t i = 0; i < size; i++)
		add_workload(r);
	for (uint32_t i = below(r, 3); i > 0; i--)
		vec_push(&r->hosts, some_address(r));
	for (uint32_t i = below(r, 3 * size + 2); i > 0; i--)
		add_rule(r);
	for (uint32_t i = below(r, 4); i > 0; i--)
		add_promises(r);
}

void random_policy_release(struct random_policy *r)
{
	policy_free(r->policy);
	vec_release(&r->hosts);
	vec_release(&r->prefixes);
	vec_release(&r->edges);
}

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

static struct bh_addr edge_address(struct random_policy *r)
{
	struct bh_addr a;

	if (r->hosts.count && one_in(r, 8))
		return r->hosts.items[below(r, (uint32_t)r->hosts.count)];
	if (!r->prefixes.count || one_in(r, 8))
		return some_address(r);
	const struct prefix *p = &r->prefixes.items[below(r, (uint32_t)r->prefixes.count)];
	bool is_last = one_in(r, 2);

	a = is_last ? prefix_last(p) : p->addr;
	return one_in(r, 3) ? neighbour(a, is_last) : a;
}

/* Where a packet of this family is never looked up, another number is asked for. */
bool question_is_possible(const struct reference_question *q)
{
	bool is_v4 = addr_is_v4(&q->src);

	if (q->table == BH_SERVICE_ICMP)
		return is_v4;
	if (q->table == BH_SERVICE_ICMP6)
		return !is_v4;
	if (q->table != BH_SERVICE_PROTO)
		return true;
	if (q->number == 1 || q->number == 58)
		return is_v4 == (q->number == 58);
	return q->number < 256 && q->number != 6 && q->number != 17 && q->number != 132;
}

static void ask_service(struct random_policy *r, struct reference_question *q)
{
	struct service_range range;

	do {
		range = r->edges.count && !one_in(r, 6)
				? r->edges.items[below(r, (uint32_t)r->edges.count)]
				: some_range(r);
		q->table = range.table;
		q->number = one_in(r, 2) ? range.lo : range.hi;
		if (one_in(r, 3))
			q->number = (uint16_t)(q->number + (one_in(r, 2) ? 1 : -1));
	} while (!question_is_possible(q));
}

struct reference_question random_question(struct random_policy *r)
{
	struct reference_question q;

	q.src = edge_address(r);
	do
		q.dst = edge_address(r);
	while (addr_is_v4(&q.dst) != addr_is_v4(&q.src) && !one_in(r, 64));
	if (addr_is_v4(&q.dst) != addr_is_v4(&q.src))
		q.dst = q.src;
	ask_service(r, &q);
	return q;
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
