/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/cover.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/pairs.h"
#include "util/bitset.h"

#define FAMILIES   2
#define SHARE_ALL  (UINT64_C(1) << 32)
#define NEIGHBOURS 256 /* addresses around an example that are tried for a second one */

/* Types that no policy judges: answers belong to a connection, built-in rules judge the others. */
#define ICMP_ANSWER  0
#define ICMP6_ANSWER 129

/* Two addresses of a class, in one family. */
struct examples {
	struct bh_addr addr[2];
	uint8_t count;
};

/* A service class's number for the packets of one family. */
struct asked {
	struct service_number number;
	bool is_there;
};

struct coverer {
	const struct compiled *c;
	struct cover *cover;
	size_t limit;
	size_t number;                       /* of the next cell that can be tried */
	uint64_t share;                      /* of the cells that are tried, in 1 / SHARE_ALL */
	struct examples *examples[FAMILIES]; /* by class */
	struct asked *asked[FAMILIES];       /* by service class */
	uint8_t *side, *alone;               /* pair_side: classes with an example, with just one */
	const uint64_t *services;            /* of the expect; NULL: all */
	size_t expect;
};

static bool is_in(const struct bh_addr *a, uint32_t v4, uint32_t mask)
{
	return addr_is_v4(a) && (ntohl(a->word[3]) & mask) == v4;
}

/*
 * Neither multicast nor loopback, nor of 0.0.0.0/8 or ::/96, which no machine has: packets may have
 * it at either end.
 */
static bool is_ordinary(const struct bh_addr *a)
{
	if (addr_is_v4(a))
		return !is_in(a, 0, 0xff000000) && !is_in(a, 0x7f000000, 0xff000000) &&
		       !is_in(a, 0xe0000000, 0xf0000000) && !is_in(a, 0xffffffff, 0xffffffff);
	if (!a->word[0] && !a->word[1] && !a->word[2])
		return false;
	return (ntohl(a->word[0]) & 0xff000000) != 0xff000000;
}

static uint32_t class_of(const struct compiled *c, const struct bh_addr *a)
{
	return c->identities.items[image_identity(&c->image, a)].class;
}

static void add_example(struct coverer *k, const struct bh_addr *a)
{
	struct examples *e = &k->examples[!addr_is_v4(a)][class_of(k->c, a)];

	if (!is_ordinary(a) || e->count == COUNT(e->addr))
		return;
	if (e->count && !addr_cmp(&e->addr[0], a))
		return;
	e->addr[e->count++] = *a;
}

/* A class may have a second address beside its first one. */
static void add_neighbours(struct coverer *k, struct examples *e, uint32_t class)
{
	for (uint32_t i = 1; i < NEIGHBOURS && e->count == 1; i++) {
		struct bh_addr a = e->addr[0];

		a.word[3] ^= htonl(i);
		if (class_of(k->c, &a) == class)
			add_example(k, &a);
	}
}

static void find_examples(struct coverer *k)
{
	const struct address_tree *tree = &k->c->index->tree;

	for (uint32_t i = 0; i < tree->nodes.count; i++) {
		struct bh_addr a;

		if (tree->nodes.items[i].has_free && address_tree_example(tree, i, &a))
			add_example(k, &a);
	}
	for (uint32_t class = 0; class < k->c->classes.count; class ++) {
		for (int f = 0; f < FAMILIES; f++) {
			struct examples *e = &k->examples[f][class];
			uint8_t family = (uint8_t)(f ? FAMILY_V6 : FAMILY_V4);

			add_neighbours(k, e, class);
			k->side[class] |= e->count ? family : 0;
			k->alone[class] |= e->count == 1 ? family : 0;
		}
	}
}

/* Whether the first packet of such a service is judged by the policy, and by nothing before it. */
static bool is_asked(const struct service_number *n, bool is_v6)
{
	static const uint8_t not_over_ipv6[] = {
		IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_AH,
		IPPROTO_NONE,    IPPROTO_DSTOPTS, IPPROTO_MH,
	};
	uint8_t type = (uint8_t)(n->number >> 8);

	if (n->table == BH_SERVICE_ICMP)
		return type != ICMP_ANSWER;
	if (n->table == BH_SERVICE_ICMP6)
		return (type < ICMP6_ANSWER || type > 137) && type != 143;
	return n->table != BH_SERVICE_PROTO || !is_v6 ||
	       !memchr(not_over_ipv6, n->number, sizeof(not_over_ipv6));
}

static bool find_number(const services *numbers, bool is_v6, struct service_number *ret)
{
	uint8_t family = is_v6 ? FAMILY_V6 : FAMILY_V4;

	vec_foreach (range, numbers) {
		for (uint32_t i = range->lo; i <= range->hi; i++) {
			struct service_number n = {range->table, (uint16_t)i};

			if (!(service_families(n.table, n.number) & family) || !is_asked(&n, is_v6))
				continue;
			*ret = n;
			return true;
		}
	}
	return false;
}

static void find_numbers(struct coverer *k)
{
	for (uint32_t i = 0; i < k->c->image.service_classes; i++) {
		for (int f = 0; f < FAMILIES; f++) {
			struct asked *asked = &k->asked[f][i];

			asked->is_there = find_number(&k->c->service_classes.items[i], f,
						      &asked->number);
		}
	}
}

/* If not all can be tried, those that are lie scattered over rows and services; always the same. */
static bool is_chosen(struct coverer *k)
{
	uint32_t scattered = (uint32_t)(k->number++ * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	return scattered < k->share;
}

static void add_case(struct coverer *k, const struct pair *pair, uint32_t service_class, bool is_v6)
{
	const struct asked *asked = &k->asked[is_v6][service_class];
	const struct examples *examples = k->examples[is_v6];
	bool is_same = pair->src_class == pair->dst_class;

	if (!asked->is_there) {
		k->cover->unasked++;
		return;
	}
	if (!is_chosen(k) || k->cover->cases.count >= k->limit) {
		k->cover->left_out++;
		return;
	}
	const struct cover_case found = {
		.src = examples[pair->src_class].addr[0],
		.dst = examples[pair->dst_class].addr[is_same],
		.service = asked->number,
		.cell = image_grid_get(&k->c->image.cells, pair->row, service_class),
		.expect = k->expect,
		.is_v6 = is_v6,
	};
	vec_push(&k->cover->cases, found);
}

static bool cover_pair(void *context, const struct pair *pair)
{
	struct coverer *k = context;

	for (uint32_t i = 0; i < k->c->image.service_classes; i++) {
		uint8_t families = pair->families & compiled_service_families(k->c, i);

		if (k->services && !bitset_has(k->services, i))
			continue;
		if (families & FAMILY_V4)
			add_case(k, pair, i, false);
		if (families & FAMILY_V6)
			add_case(k, pair, i, true);
	}
	return true;
}

/* The side of a selector, as far as there are addresses to use. */
static uint8_t *side_of(const struct coverer *k, const struct selector *s)
{
	_free_ uint64_t *classes = compiled_select(k->c, s);
	uint8_t *side = pairs_side(k->c, classes);

	for (size_t i = 0; i < k->c->classes.count; i++)
		side[i] &= k->side[i];
	return side;
}

/* Here a class may meet itself; where it has one address, that is passed over. */
static bool cover_expected_pair(void *context, const struct pair *pair)
{
	const struct coverer *k = context;
	struct pair apart = *pair;

	if (pair->src_class == pair->dst_class)
		apart.families &= (uint8_t)~k->alone[pair->src_class];
	return cover_pair(context, &apart);
}

static void cover_expects(struct coverer *k)
{
	const struct policy *p = k->c->policy;

	for (size_t i = 0; i < p->expects.count; i++) {
		const struct expect *expect = &p->expects.items[i];
		_free_ uint64_t *mentioned = compiled_select_services(k->c, &expect->services);
		_free_ uint8_t *src = side_of(k, expect->from);
		_free_ uint8_t *dst = side_of(k, expect->to);

		k->services = mentioned;
		k->expect = i;
		pairs_visit(k->c, src, dst, cover_expected_pair, k);
	}
	k->services = NULL;
	k->expect = POLICY_NONE;
}

/* Counts them first, and then knows which share there is room for. */
static void cover_rows(struct coverer *k)
{
	const struct pairs_apart pairs = {k->side, k->side, pairs_mask_alone, k->alone};
	struct cover *cover = k->cover;
	size_t room = k->limit - cover->cases.count;

	k->share = 0;
	pairs_visit_apart(k->c, &pairs, cover_pair, k);
	k->share = k->number > room ? room * SHARE_ALL / k->number : SHARE_ALL;
	k->number = 0;
	cover->unasked = 0;
	cover->left_out = 0;
	pairs_visit_apart(k->c, &pairs, cover_pair, k);
}

void cover_make(const struct compiled *c, size_t limit, struct cover *ret)
{
	size_t classes = c->classes.count, numbers = c->image.service_classes;
	_free_ struct examples *examples = xcalloc(classes * FAMILIES, sizeof(*examples));
	_free_ struct asked *asked = xcalloc(numbers * FAMILIES, sizeof(*asked));
	_free_ uint8_t *side = xcalloc(classes, sizeof(*side));
	_free_ uint8_t *alone = xcalloc(classes, sizeof(*alone));
	struct coverer k = {
		.c = c,
		.cover = ret,
		.limit = limit,
		.examples = {examples, examples + classes},
		.asked = {asked, asked + numbers},
		.share = SHARE_ALL,
		.side = side,
		.alone = alone,
	};

	*ret = (struct cover){};
	find_examples(&k);
	find_numbers(&k);
	cover_expects(&k);
	k.number = 0;
	cover_rows(&k);
}

void cover_release(struct cover *cover)
{
	vec_release(&cover->cases);
}

bool cover_agrees(const struct cover_case *k, const struct cover_answer *answer)
{
	struct decision wanted = decision_of_cell(k->cell);
	bool is_reported = wanted.verdict == BH_VERDICT_AUDIT || wanted.log;

	if (answer->is_passed != BH_VERDICT_PASSES(wanted.verdict) || answer->rule != wanted.rule)
		return false;
	return !answer->is_passed || answer->is_reported == is_reported;
}
