/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compiled_index.h"
#include "policy/linter.h"

/* --- addresses where a name would do --- */

/* Who holds all addresses of a cidr: POLICY_NONE where nobody does. */
struct holder {
	size_t zone;
	size_t workload;
};

struct cidr_check {
	struct linter *linter;
	struct map numbers; /* the prefix and its excepts -> index into holders */
	VEC(struct holder) holders;
	struct text key; /* scratch */
};

/* A number that may be ADDRESS_NONE, which is nobody also among the policy's. */
static size_t index_of(uint32_t number)
{
	return number == ADDRESS_NONE ? POLICY_NONE : number;
}

static struct holder find_holder(const struct address_tree *tree, const struct selector *s)
{
	struct holder holder = {POLICY_NONE, POLICY_NONE};
	node_numbers nodes = {};
	bool is_first = true;

	address_tree_select(tree, s, &nodes);
	vec_foreach (number, &nodes) {
		const struct address_node *node = &tree->nodes.items[*number];

		if (!node->has_free)
			continue;
		if (is_first)
			holder = (struct holder){index_of(node->zone), index_of(node->workload)};
		is_first = false;
		if (holder.workload != index_of(node->workload))
			holder.workload = POLICY_NONE;
		if (holder.zone != index_of(node->zone))
			holder.zone = POLICY_NONE;
	}
	vec_release(&nodes);
	return holder;
}

static void add_key(struct text *key, const struct prefix *p)
{
	text_addn(key, (const char *)&p->addr, sizeof(p->addr));
	text_addc(key, (char)p->len);
}

static struct holder holder_of(struct cidr_check *k, const struct selector *s)
{
	uint64_t number;
	bool is_new;

	text_reset(&k->key);
	add_key(&k->key, &s->prefix);
	vec_foreach (except, &s->except)
		add_key(&k->key, &except->prefix);
	number = *map_put(&k->numbers, k->key.buf, k->key.len, k->holders.count, &is_new);
	if (is_new)
		vec_push(&k->holders, find_holder(&k->linter->c->index->tree, s));
	return k->holders.items[number];
}

/* In a zone that is all addresses but those of others, a cidr says what the zone doesn't. */
static bool is_catch_all(const struct zone *zone)
{
	return lint_is_frame(zone) || zone_role(zone) == ROLE_INTERNET;
}

static void check_cidr(struct cidr_check *k, const struct rule *rule, const struct selector *s)
{
	const struct policy *p = k->linter->policy;
	struct holder holder = holder_of(k, s);
	char buf[ADDRESS_STRLEN];

	prefix_format(&s->prefix, buf);
	if (holder.workload != POLICY_NONE)
		diag_finding(k->linter->diags, "BH002", s->at,
			     "rule '%s' names '%s', which is all within workload '%s'; name that",
			     rule->name, buf, p->workloads.items[holder.workload].name);
	else if (holder.zone != POLICY_NONE && !is_catch_all(&p->zones.items[holder.zone]))
		diag_finding(k->linter->diags, "BH002", s->at,
			     "rule '%s' names '%s', which is all within zone '%s'; name that, or a "
			     "workload with these addresses",
			     rule->name, buf, p->zones.items[holder.zone].name);
}

static void check_selector(struct cidr_check *k, const struct rule *rule, const struct selector *s)
{
	if (s->kind == SELECT_CIDR)
		check_cidr(k, rule, s);
	vec_foreach (child, &s->children)
		check_selector(k, rule, *child);
}

static void check_cidrs(struct linter *l)
{
	struct cidr_check k = {.linter = l, .key = TEXT_INIT};

	vec_foreach (rule, &l->policy->rules) {
		if (!lint_is_live(l, rule))
			continue;
		check_selector(&k, rule, rule->from);
		check_selector(&k, rule, rule->to);
	}
	map_release(&k.numbers);
	vec_release(&k.holders);
	text_release(&k.key);
}

/* --- zones within zones --- */

struct zone_prefix {
	struct prefix prefix;
	uint32_t zone;
};

static int zone_prefix_cmp(const void *a, const void *b)
{
	return prefix_cmp(&((const struct zone_prefix *)a)->prefix,
			  &((const struct zone_prefix *)b)->prefix);
}

static bool is_around(const struct prefix *outer, const struct prefix *inner)
{
	return prefix_is_v4(outer) == prefix_is_v4(inner) && prefix_contains(outer, inner);
}

static void report_nested(struct linter *l, const struct zone_prefix *inner,
			  const struct zone_prefix *outer)
{
	const struct zone *zones = l->policy->zones.items;
	char inner_text[ADDRESS_STRLEN], outer_text[ADDRESS_STRLEN];

	diag_finding(l->diags, "BH010", zones[inner->zone].at,
		     "zone '%s' has '%s', within '%s' of zone '%s'; let no zone lie in another",
		     zones[inner->zone].name, prefix_format(&inner->prefix, inner_text),
		     prefix_format(&outer->prefix, outer_text), zones[outer->zone].name);
	diag_note(l->diags, zones[outer->zone].at, "the zone around it is defined here");
}

/* Once for two zones, however many of their prefixes are nested. */
static void check_nested(struct linter *l, const struct zone_prefix *inner,
			 const struct zone_prefix *outer, struct map *told)
{
	const uint32_t pair[] = {inner->zone, outer->zone};
	bool is_new;

	if (inner->zone == outer->zone || lint_is_everywhere(&outer->prefix))
		return;
	map_put(told, pair, sizeof(pair), 0, &is_new);
	if (is_new)
		report_nested(l, inner, outer);
}

static void check_zones(struct linter *l)
{
	VEC(struct zone_prefix) all = {};
	VEC(size_t) around = {}; /* those that the current one lies in, the innermost last */
	struct map told = {};

	for (uint32_t i = 0; i < l->policy->zones.count; i++) {
		vec_foreach (placed, &l->policy->zones.items[i].prefixes)
			vec_push(&all, (struct zone_prefix){placed->prefix, i});
	}
	if (all.count)
		qsort(all.items, all.count, sizeof(*all.items), zone_prefix_cmp);
	for (size_t i = 0; i < all.count; i++) {
		const struct zone_prefix *inner = &all.items[i];

		while (around.count && !is_around(&all.items[around.items[around.count - 1]].prefix,
						  &inner->prefix))
			around.count--;
		if (around.count)
			check_nested(l, inner, &all.items[around.items[around.count - 1]], &told);
		vec_push(&around, i);
	}
	vec_release(&all);
	vec_release(&around);
	map_release(&told);
}

void lint_addresses(struct linter *l)
{
	check_cidrs(l);
	check_zones(l);
}
