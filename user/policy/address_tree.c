/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_tree.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

typedef unsigned __int128 addresses; /* how many; 2^128 is 0 */

static const struct prefix all_v6 = {.len = 0};

static struct prefix all_v4(void)
{
	return (struct prefix){.addr = {{0, 0, htonl(0xffff), 0}}, .len = BH_V4_PREFIX_LEN};
}

/* What a node says of its own; nodes that only cut say nothing. */
struct claim {
	uint32_t zone;
	uint32_t workload;
};

struct builder {
	struct address_tree *tree;
	const struct policy *policy;
	addresses *taken; /* by inner nodes */
};

static void add_node(struct address_tree *t, const struct prefix *p, struct claim claim)
{
	vec_push(&t->nodes,
		 (struct address_node){
			 .prefix = *p,
			 .zone = claim.zone,
			 .workload = claim.workload,
			 .is_claimed = claim.zone != ADDRESS_NONE || claim.workload != ADDRESS_NONE,
		 });
}

static void add_claims(struct address_tree *t, const struct policy *p)
{
	for (uint32_t i = 0; i < p->zones.count; i++) {
		vec_foreach (placed, &p->zones.items[i].prefixes)
			add_node(t, &placed->prefix, (struct claim){i, ADDRESS_NONE});
	}
	for (uint32_t i = 0; i < p->workloads.count; i++) {
		vec_foreach (placed, &p->workloads.items[i].prefixes)
			add_node(t, &placed->prefix, (struct claim){ADDRESS_NONE, i});
	}
}

static void add_cuts(struct address_tree *t, const struct atoms *a, const struct environment *env)
{
	const struct claim none = {ADDRESS_NONE, ADDRESS_NONE};
	const struct prefix v4 = all_v4();

	add_node(t, &all_v6, none);
	add_node(t, &v4, none);
	vec_foreach (cidr, &a->cidrs) {
		add_node(t, &(*cidr)->prefix, none);
		vec_foreach (except, &(*cidr)->except)
			add_node(t, &except->prefix, none);
	}
	for (size_t i = 0; i < env->host_count; i++) {
		struct prefix host = prefix_of_addr(&env->host[i]);

		add_node(t, &host, none);
		t->nodes.items[t->nodes.count - 1].is_host = true;
	}
}

#define DIGITS (sizeof(struct bh_addr) + 1) /* of a prefix: its bytes, then its length */

static unsigned char digit_of(const struct address_node *node, size_t digit)
{
	const unsigned char *bytes = (const unsigned char *)&node->prefix.addr;

	return digit < sizeof(node->prefix.addr) ? bytes[digit] : node->prefix.len;
}

/* How many have which value there. */
typedef uint32_t digit_counts[256];

static void count_digits(const struct address_tree *t, digit_counts counts[static DIGITS])
{
	vec_foreach (node, &t->nodes) {
		for (size_t digit = 0; digit < DIGITS; digit++)
			counts[digit][digit_of(node, digit)]++;
	}
}

/* @counts become places. */
static void order_by(const struct address_tree *t, size_t digit, digit_counts counts,
		     const uint32_t *from, uint32_t *to)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 256; i++) {
		uint32_t count = counts[i];

		counts[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < t->nodes.count; i++)
		to[counts[digit_of(&t->nodes.items[from[i]], digit)]++] = from[i];
}

/* As prefix_cmp(), digit by digit: most digits are alike in all of them. */
static void sort_nodes(struct address_tree *t)
{
	const size_t count = t->nodes.count;
	_free_ uint32_t *order = xcalloc(count, sizeof(*order));
	_free_ uint32_t *next = xcalloc(count, sizeof(*next));
	_free_ digit_counts *counts = xcalloc(DIGITS, sizeof(*counts));
	typeof(t->nodes) sorted = {};

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	count_digits(t, counts);
	for (size_t digit = DIGITS; digit-- > 0;) {
		uint32_t *was = order;

		if (counts[digit][digit_of(&t->nodes.items[0], digit)] == count)
			continue;
		order_by(t, digit, counts[digit], order, next);
		order = next;
		next = was;
	}
	vec_reserve(&sorted, count);
	for (size_t i = 0; i < count; i++)
		vec_push(&sorted, t->nodes.items[order[i]]);
	vec_release(&t->nodes);
	memcpy(&t->nodes, &sorted, sizeof(sorted));
}

/* Sorts, and makes one node of those with one prefix: at most one of them is a claim. */
static void merge_equal(struct address_tree *t)
{
	size_t kept = 0;

	sort_nodes(t);
	vec_foreach (node, &t->nodes) {
		struct address_node *last = kept ? &t->nodes.items[kept - 1] : NULL;

		if (!last || prefix_cmp(&last->prefix, &node->prefix) != 0) {
			t->nodes.items[kept++] = *node;
			continue;
		}
		last->is_host |= node->is_host;
		last->is_claimed |= node->is_claimed;
		if (node->zone != ADDRESS_NONE)
			last->zone = node->zone;
		if (node->workload != ADDRESS_NONE)
			last->workload = node->workload;
	}
	t->nodes.count = kept;
}

static addresses prefix_size(const struct prefix *p)
{
	return p->len ? (addresses)1 << (128 - p->len) : 0;
}

/* The zone that a workload says it is in, or POLICY_NONE. */
static size_t declared_zone(const struct policy *p, uint32_t workload)
{
	const struct workload *w = &p->workloads.items[workload];
	size_t of_group = POLICY_NONE;

	if (w->group != POLICY_NONE)
		of_group = p->workloads.items[w->group].zone;
	return of_group == POLICY_NONE ? w->zone : of_group;
}

uint32_t address_tree_zone(const struct policy *p, uint32_t workload, uint32_t longest_zone)
{
	size_t declared = declared_zone(p, workload);

	return declared == POLICY_NONE ? longest_zone : (uint32_t)declared;
}

/* Turns a node's claim into who really owns its addresses, given who owns those around it. */
static void settle_owner(struct builder *b, uint32_t i)
{
	struct address_node *node = &b->tree->nodes.items[i];
	const struct address_node *around = NULL;
	uint32_t zone = ADDRESS_NONE;

	if (node->parent != ADDRESS_NONE)
		around = &b->tree->nodes.items[node->parent];
	if (around && prefix_is_v4(&around->prefix) != prefix_is_v4(&node->prefix))
		around = NULL;
	if (around)
		zone = around->longest_zone;
	if (node->zone != ADDRESS_NONE) {
		zone = node->zone;
	} else if (node->workload != ADDRESS_NONE) {
		node->zone = address_tree_zone(b->policy, node->workload, zone);
	} else if (around) {
		node->zone = around->zone;
		node->workload = around->workload;
	}
	node->longest_zone = zone;
}

static void nest(struct builder *b)
{
	struct address_node *nodes = b->tree->nodes.items;
	size_t count = b->tree->nodes.count;
	uint32_t around = ADDRESS_NONE;

	for (uint32_t i = 0; i < count; i++) {
		while (around != ADDRESS_NONE &&
		       !prefix_contains(&nodes[around].prefix, &nodes[i].prefix)) {
			nodes[around].end = i;
			around = nodes[around].parent;
		}
		nodes[i].parent = around;
		if (around != ADDRESS_NONE)
			b->taken[around] += prefix_size(&nodes[i].prefix);
		settle_owner(b, i);
		around = i;
	}
	for (; around != ADDRESS_NONE; around = nodes[around].parent)
		nodes[around].end = (uint32_t)count;
	for (uint32_t i = 0; i < count; i++) {
		bool has_inner = nodes[i].end > i + 1;

		nodes[i].has_free = !has_inner || b->taken[i] != prefix_size(&nodes[i].prefix);
	}
}

void address_tree_build(struct address_tree *t, const struct policy *p, const struct atoms *a,
			const struct environment *env)
{
	struct builder b = {.tree = t, .policy = p};

	memset(t, 0, sizeof(*t));
	add_claims(t, p);
	add_cuts(t, a, env);
	merge_equal(t);
	b.taken = xcalloc(t->nodes.count, sizeof(*b.taken));
	nest(&b);
	free(b.taken);
}

void address_tree_release(struct address_tree *t)
{
	vec_release(&t->nodes);
}

/* The first node that is not before @p. */
static uint32_t lower_bound(const struct address_tree *t, const struct prefix *p)
{
	size_t lo = 0, hi = t->nodes.count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (prefix_cmp(&t->nodes.items[mid].prefix, p) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

uint32_t address_tree_lookup(const struct address_tree *t, const struct bh_addr *a)
{
	struct prefix p = prefix_of_addr(a);
	uint32_t i = lower_bound(t, &p);

	if (i == t->nodes.count || prefix_cmp(&t->nodes.items[i].prefix, &p) != 0)
		i--;
	while (!prefix_has(&t->nodes.items[i].prefix, a))
		i = t->nodes.items[i].parent;
	return i;
}

struct hole {
	uint32_t start, end; /* nodes */
};
typedef VEC(struct hole) hole_list;

static int hole_cmp(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void add_hole(const struct address_tree *t, const struct prefix *p, hole_list *out)
{
	uint32_t i = lower_bound(t, p);

	if (i < t->nodes.count && prefix_cmp(&t->nodes.items[i].prefix, p) == 0)
		vec_push(out, (struct hole){i, t->nodes.items[i].end});
}

static void find_holes(const struct address_tree *t, const struct selector *cidr, hole_list *out)
{
	const struct prefix v4 = all_v4();

	vec_foreach (except, &cidr->except)
		add_hole(t, &except->prefix, out);
	if (!prefix_is_v4(&cidr->prefix) && prefix_contains(&cidr->prefix, &v4))
		add_hole(t, &v4, out);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), hole_cmp);
}

void address_tree_select(const struct address_tree *t, const struct selector *cidr,
			 node_numbers *ret)
{
	const struct address_node *nodes = t->nodes.items;
	uint32_t i = lower_bound(t, &cidr->prefix);
	hole_list holes = {};
	size_t next = 0;

	if (i == t->nodes.count || prefix_cmp(&nodes[i].prefix, &cidr->prefix) != 0)
		vec_push(ret, address_tree_lookup(t, &cidr->prefix.addr));
	find_holes(t, cidr, &holes);
	while (i < t->nodes.count && prefix_contains(&cidr->prefix, &nodes[i].prefix)) {
		while (next < holes.count && holes.items[next].end <= i)
			next++;
		if (next < holes.count && holes.items[next].start <= i) {
			i = holes.items[next].end;
			continue;
		}
		if (nodes[i].has_free)
			vec_push(ret, i);
		i++;
	}
	vec_release(&holes);
}

/* The address after @a; false after the last. */
static bool addr_next(struct bh_addr *a)
{
	unsigned char *bytes = (unsigned char *)a->word;

	for (int i = sizeof(*a) - 1; i >= 0; i--) {
		if (++bytes[i])
			return true;
	}
	return false;
}

/* The first address from @at on that is in the node and in none within it. */
static bool first_free(const struct address_tree *t, uint32_t node, struct bh_addr at,
		       struct bh_addr *ret)
{
	const struct address_node *nodes = t->nodes.items;

	for (uint32_t i = node + 1; i < nodes[node].end; i = nodes[i].end) {
		struct bh_addr last = prefix_last(&nodes[i].prefix);

		if (addr_cmp(&last, &at) < 0)
			continue;
		if (!prefix_has(&nodes[i].prefix, &at))
			break;
		at = last;
		if (!addr_next(&at))
			return false;
	}
	if (!prefix_has(&nodes[node].prefix, &at))
		return false;
	*ret = at;
	return true;
}

bool address_tree_example(const struct address_tree *t, uint32_t node, struct bh_addr *ret)
{
	/* Of the ranges for documentation: what stands for "somewhere outside" in messages. */
	static const char *const documentation[] = {"198.51.100.1", "2001:db8::1"};
	/* Where machines' addresses begin: no packet may have one of 0.0.0.0/8 or ::/96. */
	static const char *const first_ones[] = {"1.0.0.1", "2000::1"};
	const struct prefix *prefix = &t->nodes.items[node].prefix;
	struct bh_addr at;

	for (size_t i = 0; i < COUNT(documentation); i++) {
		if (addr_parse(documentation[i], &at) || address_tree_lookup(t, &at) != node)
			continue;
		*ret = at;
		return true;
	}
	for (size_t i = 0; i < COUNT(first_ones); i++) {
		if (!addr_parse(first_ones[i], &at) && addr_is_v4(&at) == prefix_is_v4(prefix) &&
		    prefix_has(prefix, &at) && first_free(t, node, at, ret))
			return true;
	}
	/* The first address of a prefix is a subnet's, not a machine's. */
	at = prefix->addr;
	if (addr_next(&at) && first_free(t, node, at, ret))
		return true;
	return first_free(t, node, prefix->addr, ret);
}
