/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compile.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <bulkhead/builtin.h>

#include "policy/address_change.h"
#include "policy/address_class.h"
#include "policy/compiled_index.h"
#include "policy/evaluate.h"
#include "policy/grid.h"
#include "policy/reuse.h"
#include "policy/weight.h"
#include "util/bitset.h"

struct bound {
	const char *what;
	size_t need;
	size_t have;
	bool is_partial; /* more may be needed than was found */
	void (*blame)(const struct compiled *c, struct diags *d);
};

static bool hold(const struct compiled *c, struct diags *d, const struct bound *bounds,
		 size_t count)
{
	bool is_held = true;

	for (size_t i = 0; i < count; i++) {
		if (bounds[i].need <= bounds[i].have)
			continue;
		is_held = false;
		diag_error(d, (struct span){}, "the policy needs %s%zu %s; there is room for %zu",
			   bounds[i].is_partial ? "at least " : "", bounds[i].need, bounds[i].what,
			   bounds[i].have);
		bounds[i].blame(c, d);
	}
	return is_held;
}

/* The first node of a class is its example: the widest of the first ones, since outer come first.
 */
static void find_examples(struct compiled *c)
{
	struct compiled_index *x = c->index;
	size_t n = c->classes.count;

	x->example_v4 = xmalloc(n * sizeof(*x->example_v4));
	x->example_v6 = xmalloc(n * sizeof(*x->example_v6));
	for (size_t i = 0; i < n; i++)
		x->example_v4[i] = x->example_v6[i] = ADDRESS_NONE;
	for (uint32_t i = 0; i < x->tree.nodes.count; i++) {
		const struct address_node *node = &x->tree.nodes.items[i];
		uint32_t *examples = prefix_is_v4(&node->prefix) ? x->example_v4 : x->example_v6;
		uint32_t class = c->identities.items[node->identity].class;

		if (node->has_free && examples[class] == ADDRESS_NONE)
			examples[class] = i;
	}
}

/* Counting them exactly takes what building the table takes, and there is mostly room. */
static size_t count_entries(const struct image *image)
{
	size_t most = image->prefixes.count * (1 + BH_PREFIX_STEPS);

	return most <= IMAGE_PREFIXES_MAX ? most : prefix_table_entries(image);
}

static bool compile_addresses(struct compiled *c, const struct atoms *a,
			      const struct environment *env, struct diags *d)
{
	struct compiled_index *x = c->index;

	address_tree_build(&x->tree, c->policy, a, env);
	pod_kinds_build(&x->kinds, c->policy, a);
	address_identities(c, a, env);
	selector_index_build(&x->selectors, c, &x->tree);
	selector_index_list(&x->selectors, a->selectors.items, a->selectors.count);
	address_classes(c, &x->selectors, a);
	find_examples(c);
	x->is_host_known = env->host_count > 0;

	const struct bound bounds[] = {
		{"address prefixes", count_entries(&c->image), IMAGE_PREFIXES_MAX, false,
		 blame_prefixes},
		{"identities", c->identities.count, BH_IDENTITY_ENTRIES / BH_SLOTS, false,
		 blame_identities},
	};
	return hold(c, d, bounds, COUNT(bounds));
}

static bool compile_services(struct compiled *c, const struct atoms *a, struct diags *d)
{
	struct service_partition *s = &c->index->services;

	service_partition_build(s, a);

	const struct bound bounds[] = {
		{"service classes", s->classes, SERVICE_CLASSES_MAX, false, blame_services},
	};
	if (!hold(c, d, bounds, COUNT(bounds)))
		return false;
	c->image.service_classes = s->classes;
	c->image.services = xcalloc(BH_SERVICE_LINES, sizeof(*c->image.services));
	service_partition_lines(s, c->image.services);
	for (uint32_t i = 0; i < s->classes; i++)
		vec_push(&c->service_classes, (services){});
	service_partition_numbers(s, c->service_classes.items);
	return true;
}

static bool hold_decisions(const struct compiled *c, const struct evaluated_tables *t, bool is_cut,
			   struct diags *d)
{
	const struct image_grid *pairs = t->pairs, *cells = t->cells;
	const struct bound of_pairs[] = {
		{"directory lines for pairs of classes", grid_lines(pairs), EVALUATE_LINES_MAX,
		 false, blame_classes},
	};
	const struct bound bounds[] = {
		{"directory lines", grid_lines(pairs) + grid_lines(cells), EVALUATE_LINES_MAX,
		 is_cut, blame_decisions},
		{"blocks of decisions", pairs->blocks.count + cells->blocks.count,
		 EVALUATE_BLOCKS_MAX, is_cut, blame_decisions},
		{"decisions that change when rules expire", t->later ? t->later->count : 0,
		 IMAGE_LATER_MAX, is_cut, blame_decisions},
	};

	if (!hold(c, d, of_pairs, COUNT(of_pairs)) || !hold(c, d, bounds, COUNT(bounds)))
		return false;
	if (is_cut)
		diag_error(d, (struct span){},
			   "the policy's selectors overlap too much: their lists of address groups "
			   "need more than %d entries",
			   EVALUATE_MEMBERS_MAX);
	return !is_cut;
}

/* What promises must hold for too is only made if it differs and somebody asks. */
static bool is_ahead_needed(const struct compiled *c)
{
	const struct policy *p = c->policy;

	if (!p->nevers.count || !c->next_expiry)
		return false;
	vec_foreach (rule, &p->rules) {
		bool is_deny = rule->action == ACTION_DENY || rule->action == ACTION_REJECT;

		if (is_deny && rule->expires && !rule_has_expired(rule, c->now))
			return true;
	}
	return false;
}

static bool compile_decisions(struct compiled *c, const struct compiled *old, struct diags *d)
{
	const struct atoms *a = &c->index->atoms;
	struct image *image = &c->image;
	struct compiled_index *x = c->index;
	const struct evaluated_tables now = {&image->pairs, &image->cells, &image->later};
	const struct evaluated_tables ahead = {&x->ahead_pairs, &x->ahead_cells, NULL};
	const struct bound bounds[] = {
		{"classes of addresses", c->classes.count, GRID_NOWHERE, false, blame_classes},
	};
	int err;

	if (!hold(c, d, bounds, COUNT(bounds)))
		return false;
	x->has_ahead = is_ahead_needed(c);
	/* Cells that change by themselves, then or now, are no cells to be copied. */
	if (old && !x->has_ahead && !old->image.later.count && !c->next_expiry &&
	    !reuse_decisions(c, old))
		return true;
	err = evaluate(c, a, EVALUATE_NOW, &now);
	image_split_timed(image);
	if (!hold_decisions(c, &now, err, d))
		return false;
	if (!x->has_ahead)
		return true;
	err = evaluate(c, a, EVALUATE_AHEAD, &ahead);
	return hold_decisions(c, &ahead, err, d);
}

/* What programs need not look for in a policy without it. */
static uint16_t policy_flags(const struct compiled *c)
{
	const uint32_t down = BH_IDENTITY_DOWN_OPEN | BH_IDENTITY_DOWN_CLOSED;
	unsigned int flags = 0;

	vec_foreach (identity, &c->image.identities) {
		if (identity->flags & down)
			flags |= BH_POLICY_DOWN;
	}
	if (c->index->atoms.tiers & 1u << TIER_FAILSAFE)
		flags |= BH_POLICY_FAILSAFE;
	return (uint16_t)flags;
}

static bool compile(struct compiled *c, const struct compiled *old, const struct environment *env,
		    struct diags *d)
{
	const struct bound bounds[] = {
		{"rules", BH_RULE_FIRST + c->policy->rules.count, BH_RULE_ENTRIES / BH_SLOTS, false,
		 blame_rules},
	};
	struct atoms *a = &c->index->atoms;

	if (!hold(c, d, bounds, COUNT(bounds)))
		return false;
	c->image.rules = (uint32_t)(BH_RULE_FIRST + c->policy->rules.count);
	atoms_collect(a, c->policy, c->now);
	c->next_expiry = a->next_expiry;
	if (!compile_addresses(c, a, env, d) || !compile_services(c, a, d) ||
	    !compile_decisions(c, old, d))
		return false;
	c->image.flags = policy_flags(c);
	return true;
}

int policy_compile(const struct policy *p, const struct environment *env, struct diags *d,
		   struct compiled **ret)
{
	return policy_recompile(NULL, p, env, d, ret);
}

int policy_recompile(const struct compiled *old, const struct policy *p,
		     const struct environment *env, struct diags *d, struct compiled **ret)
{
	_compiled_ struct compiled *c = xcalloc(1, sizeof(*c));

	c->policy = p;
	c->now = env->now;
	c->index = xcalloc(1, sizeof(*c->index));
	image_init(&c->image);
	if (!compile(c, old, env, d))
		return -E2BIG;
	*ret = TAKE_PTR(c);
	return 0;
}

void compiled_freeze(const struct compiled *c, struct compiled *ret)
{
	_image_listing_ struct image_listing listing = image_list(&c->image);

	*ret = *c;
	ret->image.prefixes = ret->image.changed = (image_prefixes){};
	vec_append(&ret->image.prefixes, listing.items, listing.count);
}

void compiled_thaw(struct compiled *frozen)
{
	vec_release(&frozen->image.prefixes);
	*frozen = (struct compiled){};
}

static void index_free(struct compiled_index *x)
{
	atoms_release(&x->atoms);
	address_tree_release(&x->tree);
	pod_kinds_release(&x->kinds);
	identity_index_release(&x->identities);
	address_changes_release(&x->changes);
	selector_index_release(&x->selectors);
	service_partition_release(&x->services);
	grid_release(&x->ahead_pairs);
	grid_release(&x->ahead_cells);
	map_release(&x->names);
	free(x->example_v4);
	free(x->example_v6);
	free(x);
}

void compiled_free(struct compiled *c)
{
	if (!c)
		return;
	image_release(&c->image);
	vec_release(&c->identities);
	vec_release(&c->classes);
	vec_foreach (numbers, &c->service_classes)
		vec_release(numbers);
	vec_release(&c->service_classes);
	index_free(c->index);
	free(c);
}

void compiled_freep(struct compiled **c)
{
	compiled_free(*c);
}

struct decision decision_of_cell(uint32_t cell)
{
	return (struct decision){
		.verdict = (enum bh_verdict)BH_CELL_VERDICT(cell),
		.rule = BH_CELL_RULE(cell),
		.log = cell & BH_CELL_LOG,
		.tls = cell & BH_CELL_TLS,
		.is_denied = cell & BH_CELL_DENIED,
	};
}

struct decision compiled_decide(const struct compiled *c, uint32_t src_class, uint32_t dst_class,
				uint32_t service_class)
{
	uint32_t row = image_grid_get(&c->image.pairs, src_class, dst_class);

	return decision_of_cell(image_grid_get(&c->image.cells, row, service_class));
}

const char *compiled_rule_name(const struct compiled *c, uint32_t rule)
{
	/* clang-format off */
	static const char *const builtins[] = {
#define X(id, name, help) name,
		BH_BUILTINS(X)
#undef X
	};
	/* clang-format on */

	if (rule < COUNT(builtins))
		return builtins[rule];
	assert(rule >= BH_RULE_FIRST && rule - BH_RULE_FIRST < c->policy->rules.count);
	return c->policy->rules.items[rule - BH_RULE_FIRST].name;
}

const char *compiled_identity_name(const struct compiled *c, uint32_t identity)
{
	const struct identity *id = &c->identities.items[identity];

	if (id->workload != POLICY_NONE)
		return c->policy->workloads.items[id->workload].name;
	if (id->zone != POLICY_NONE)
		return c->policy->zones.items[id->zone].name;
	if (c->image.identities.items[identity].flags & BH_IDENTITY_HOST)
		return "host";
	return "outside";
}

const char *compiled_address_name(const struct compiled *c, const struct bh_addr *a)
{
	size_t workload = compiled_workload(c, a);

	if (workload != POLICY_NONE)
		return c->policy->workloads.items[workload].name;
	return compiled_identity_name(c, image_identity(&c->image, a));
}

size_t compiled_workload(const struct compiled *c, const struct bh_addr *a)
{
	uint32_t workload = address_owner(c, a)->workload;

	return workload == ADDRESS_NONE ? POLICY_NONE : workload;
}

uint32_t compiled_builtin(const struct compiled *c, size_t src_workload, size_t dst_workload)
{
	const struct workload *dst;

	if (src_workload == POLICY_NONE || dst_workload == POLICY_NONE)
		return 0;
	dst = &c->policy->workloads.items[dst_workload];
	if (dst->kind != WORKLOAD_POD)
		return 0;
	if (src_workload == dst_workload)
		return BH_BUILTIN_SELF;
	return dst->node == src_workload ? BH_BUILTIN_HOST : 0;
}

uint64_t *compiled_select(const struct compiled *c, const struct selector *s)
{
	size_t n = c->identities.count;
	_free_ uint64_t *identities = bitset_new(n);
	uint64_t *classes = bitset_new(c->classes.count);

	selector_add(&c->index->selectors, s, identities);
	for (size_t i = bitset_next(identities, n, 0); i < n; i = bitset_next(identities, n, i + 1))
		bitset_add(classes, c->identities.items[i].class);
	return classes;
}

uint64_t *compiled_select_services(const struct compiled *c, const services *s)
{
	uint64_t *classes = bitset_new(c->image.service_classes);

	service_partition_add(&c->index->services, s, classes);
	return classes;
}
