/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/weight.h"

#include "util/mem.h"

#define NOTABLE 20 /* who has a 20th of all, or more, is at fault */

static size_t count_prefixes(const struct selector *s)
{
	size_t n = 0;

	if (s->kind == SELECT_CIDR)
		n += 1 + s->except.count;
	vec_foreach (child, &s->children)
		n += count_prefixes(*child);
	return n;
}

size_t weight_prefixes(const struct rule *rule)
{
	return count_prefixes(rule->from) + count_prefixes(rule->to);
}

/* Where rules were counted last, so that a row counts once for each. */
struct row_counter {
	const struct image_grid *cells;
	uint32_t *counts;
	uint32_t *last; /* the row, plus one */
};

static void count_block(struct row_counter *k, uint32_t row, uint32_t number)
{
	const struct bh_block *block = &k->cells->blocks.items[number];

	for (unsigned int i = 0; i < BH_BLOCK_ENTRIES; i++) {
		uint32_t rule = BH_CELL_RULE(block->value[i]);

		if (rule < BH_RULE_FIRST || k->last[rule - BH_RULE_FIRST] == row + 1)
			continue;
		k->last[rule - BH_RULE_FIRST] = row + 1;
		k->counts[rule - BH_RULE_FIRST]++;
	}
}

uint32_t *weight_rows(const struct compiled *c)
{
	const struct image_grid *cells = &c->image.cells;
	_free_ uint32_t *last = xcalloc(c->policy->rules.count + 1, sizeof(*last));
	struct row_counter k = {
		.cells = cells,
		.counts = xcalloc(c->policy->rules.count + 1, sizeof(*k.counts)),
		.last = last,
	};

	for (uint32_t row = 0; row < cells->rows; row++) {
		for (uint32_t i = 0; i < cells->stride; i++)
			count_block(&k, row,
				    cells->directory.items[(size_t)row * cells->stride + i]);
	}
	return k.counts;
}

/* The largest so far, as notes say it. */
struct largest {
	const char *kind, *name;
	struct span at;
	size_t size;
};

static void take_larger(struct largest *l, const struct largest *other)
{
	if (other->size > l->size)
		*l = *other;
}

static struct largest largest_rule(const struct policy *p, size_t (*size)(const struct rule *))
{
	struct largest l = {};

	vec_foreach (rule, &p->rules)
		take_larger(&l, &(struct largest){"rule", rule->name, rule->at, size(rule)});
	return l;
}

static struct largest largest_owner(const struct policy *p)
{
	struct largest l = {};

	vec_foreach (zone, &p->zones)
		take_larger(&l,
			    &(struct largest){"zone", zone->name, zone->at, zone->prefixes.count});
	vec_foreach (workload, &p->workloads)
		take_larger(&l, &(struct largest){"workload", workload->name, workload->at,
						  workload->prefixes.count});
	return l;
}

/* Whether it has so much of all that it is worth to begin there. */
static bool is_notable(const struct largest *l, size_t all)
{
	return l->size * NOTABLE >= all;
}

void blame_prefixes(const struct compiled *c, struct diags *d)
{
	struct largest l = largest_owner(c->policy);
	struct largest rule = largest_rule(c->policy, weight_prefixes);

	take_larger(&l, &rule);
	if (is_notable(&l, c->image.prefixes.count))
		diag_note(d, l.at,
			  "%s '%s' names the most prefixes, %zu; neighbours can be joined into a "
			  "wider one",
			  l.kind, l.name, l.size);
	else
		diag_note(d, (struct span){},
			  "no zone, workload or rule names more than %zu of them; a prefix for "
			  "several workloads, or for a zone, stands for all addresses in it",
			  l.size);
}

static void blame_prefixes_of_rule(const struct compiled *c, struct diags *d)
{
	struct largest rule = largest_rule(c->policy, weight_prefixes);

	if (is_notable(&rule, c->image.prefixes.count))
		diag_note(d, rule.at,
			  "rule '%s' names the most prefixes, %zu, and each can set addresses "
			  "apart; a zone of them is one thing to name",
			  rule.name, rule.size);
}

void blame_identities(const struct compiled *c, struct diags *d)
{
	blame_prefixes_of_rule(c, d);
	diag_note(d, (struct span){},
		  "an identity is a workload or zone, with the CIDR selectors around it; workloads "
		  "that play one role can be one workload of several addresses");
}

void blame_classes(const struct compiled *c, struct diags *d)
{
	blame_prefixes_of_rule(c, d);
	diag_note(d, (struct span){},
		  "%zu classes of addresses are told apart; rules for zones or labels, and not for "
		  "each workload, need fewer",
		  c->classes.count);
}

void blame_rules(const struct compiled *c, struct diags *d)
{
	(void)c;
	diag_note(d, (struct span){},
		  "rules that differ in one thing only can be one: from, to and services take "
		  "lists");
}

static size_t count_ranges(const struct rule *rule)
{
	return rule->services.count;
}

void blame_services(const struct compiled *c, struct diags *d)
{
	struct largest l = largest_rule(c->policy, count_ranges);

	if (l.size)
		diag_note(d, l.at,
			  "rule '%s' names the most services, %zu ranges; rules that share a named "
			  "service, and wider ranges, need fewer classes",
			  l.name, l.size);
}

void blame_decisions(const struct compiled *c, struct diags *d)
{
	_free_ uint32_t *counts = weight_rows(c);
	struct largest l = {};

	for (size_t i = 0; i < c->policy->rules.count; i++) {
		const struct rule *rule = &c->policy->rules.items[i];

		take_larger(&l, &(struct largest){"rule", rule->name, rule->at, counts[i]});
	}
	if (l.size)
		diag_note(d, l.at,
			  "rule '%s' has a part in the most rows, %zu of %zu so far; fewer "
			  "distinct ends and services, in it and in rules that overlap it, need "
			  "fewer",
			  l.name, l.size, (size_t)c->image.cells.rows);
}
