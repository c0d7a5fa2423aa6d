/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/budget.h"

#include <string.h>

#include <bulkhead/counters.h>

#include "policy/evaluate.h"
#include "policy/grid.h"
#include "policy/service_class.h"
#include "policy/weight.h"
#include "util/mem.h"

#define CANDIDATES 3 /* rules that are taken away in turn */

/* Entries of a policy that is compiled again so often, or once. */
#define MEASURED_OFTEN 20000
#define MEASURED_ONCE  200000

static void take_lines(const struct compiled *c, struct budget_line lines[static BUDGET_TABLES])
{
	const struct image *image = &c->image;
	const size_t directory = grid_lines(&image->pairs) + grid_lines(&image->cells);
	const size_t blocks = image->pairs.blocks.count + image->cells.blocks.count;
	const struct budget_line all[BUDGET_TABLES] = {
		[BUDGET_PREFIXES] = {"prefixes", "bh_prefixes", prefix_table_entries(image),
				     IMAGE_PREFIXES_MAX, sizeof(struct bh_prefix)},
		[BUDGET_IDENTITIES] = {"identities", "bh_identities", image->identities.count,
				       BH_IDENTITY_ENTRIES / BH_SLOTS, sizeof(struct bh_identity)},
		[BUDGET_RULES] = {"rules", "bh_rule_counts", image->rules,
				  BH_RULE_ENTRIES / BH_SLOTS, sizeof(struct bh_count)},
		[BUDGET_SERVICES] = {"service classes", "bh_services", image->service_classes,
				     SERVICE_CLASSES_MAX, 0},
		[BUDGET_DIRECTORY] = {"directory lines", "bh_directory", directory,
				      EVALUATE_LINES_MAX, sizeof(struct bh_directory_line)},
		[BUDGET_BLOCKS] = {"blocks", "bh_blocks", blocks, EVALUATE_BLOCKS_MAX,
				   sizeof(struct bh_block)},
	};

	memcpy(lines, all, sizeof(all));
	for (size_t i = 0; i < BUDGET_TABLES; i++)
		lines[i].bytes *= lines[i].entries;
	/* Every number has its class, however many classes there are. */
	lines[BUDGET_SERVICES].bytes = BH_SERVICE_LINES * sizeof(struct bh_service_line);
}

static uint64_t sum_entries(const struct budget_line lines[static BUDGET_TABLES])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < BUDGET_TABLES; i++)
		sum += lines[i].entries;
	return sum;
}

/* What the same policy takes without one of its rules; UINT64_MAX if it doesn't compile. */
static uint64_t entries_without(const struct compiled *whole, size_t rule)
{
	const struct environment env = {.now = whole->now};
	const struct policy *p = whole->policy;
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags unseen = {};
	struct budget_line lines[BUDGET_TABLES];
	struct policy less = *p;
	struct rule *rules = xcalloc(p->rules.count, sizeof(*rules));

	memcpy(rules, p->rules.items, rule * sizeof(*rules));
	memcpy(rules + rule, p->rules.items + rule + 1,
	       (p->rules.count - rule - 1) * sizeof(*rules));
	less.rules.items = rules;
	less.rules.count = p->rules.count - 1;
	if (!policy_compile(&less, &env, &unseen, &c))
		take_lines(c, lines);
	free(rules);
	return c ? sum_entries(lines) : UINT64_MAX;
}

/* The rule that seems to weigh most, of those that are not taken yet. */
static size_t heaviest(const struct policy *p, const size_t *weights, const size_t *taken,
		       size_t count)
{
	size_t best = POLICY_NONE;

	for (size_t i = 0; i < p->rules.count; i++) {
		bool is_taken = false;

		for (size_t k = 0; k < count; k++)
			is_taken |= taken[k] == i;
		if (!is_taken && (best == POLICY_NONE || weights[i] > weights[best]))
			best = i;
	}
	return best;
}

static void measure(const struct compiled *c, const size_t *weights, struct budget *b)
{
	const struct policy *p = c->policy;
	uint64_t now = sum_entries(b->lines);
	size_t taken[CANDIDATES], count = CANDIDATES;

	if (now > MEASURED_OFTEN)
		count = now > MEASURED_ONCE ? 0 : 1;
	b->is_measured = count > 0;
	for (size_t n = 0; n < count && n < p->rules.count; n++) {
		uint64_t without;

		taken[n] = heaviest(p, weights, taken, n);
		without = entries_without(c, taken[n]);
		if (without >= now || now - without <= b->saved)
			continue;
		b->saved = now - without;
		b->costliest = taken[n];
	}
}

static void take_costliest(const struct compiled *c, struct budget *b)
{
	const struct policy *p = c->policy;
	_free_ uint32_t *rows = weight_rows(c);
	_free_ size_t *weights = xcalloc(p->rules.count + 1, sizeof(*weights));

	for (size_t i = 0; i < p->rules.count; i++)
		weights[i] = rows[i] + weight_prefixes(&p->rules.items[i]);
	b->costliest = heaviest(p, weights, NULL, 0);
	if (b->costliest == POLICY_NONE)
		return;
	measure(c, weights, b);
	b->costliest_rows = rows[b->costliest];
	b->prefixes = weight_prefixes(&p->rules.items[b->costliest]);
}

void budget_take(const struct compiled *c, struct budget *ret)
{
	const struct image *image = &c->image;

	*ret = (struct budget){
		.classes = c->classes.count,
		.service_classes = image->service_classes,
		.rows = image->cells.rows,
		.distinct = image->pairs.blocks.count + image->cells.blocks.count,
		.parts = image->pairs.directory.count + image->cells.directory.count,
	};
	take_lines(c, ret->lines);
	take_costliest(c, ret);
}

unsigned int budget_fill(const struct budget_line *line)
{
	return (unsigned int)((line->entries * 1000 + line->room - 1) / line->room);
}
