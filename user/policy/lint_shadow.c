/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/linter.h"
#include "policy/pairs.h"
#include "util/bitset.h"

/* Cells that are looked at, over all shadowed rules, to say who covers them. */
#define EFFORT_MAX (4 * 1024 * 1024)

#define COVERS_MAX 2 /* more rules are not named */

/* Who decides where a rule would. */
struct cover {
	uint32_t rules[COVERS_MAX]; /* as in a cell */
	size_t count;               /* COVERS_MAX + 1: more, or not looked at to the end */
	bool has_audit;             /* one of them only reports */
};

struct shadow_check {
	struct linter *linter;
	uint64_t *deciding; /* rules of the policy */
	uint32_t *cells;    /* of each block: one bit a cell that some packet can meet */
	uint32_t *occurring[FAMILY_V4 + FAMILY_V6 + 1];
	bool has_one_sided; /* rules that speak for one end only: of Kubernetes' kinds */
	bool has_audit;     /* rules that only report */
	size_t effort;
};

static bool visit(void *context, const struct pair *pair)
{
	struct shadow_check *k = context;
	const struct image_grid *g = &k->linter->c->image.cells;
	const uint32_t *directory = g->directory.items + (size_t)pair->row * g->stride;

	for (uint32_t i = 0; i < g->stride; i++)
		k->cells[directory[i]] |= k->occurring[pair->families][i];
	return true;
}

static void find_deciding(struct shadow_check *k)
{
	const struct compiled *c = k->linter->c;
	const struct image_grid *g = &c->image.cells;
	size_t n = c->classes.count;
	_free_ uint8_t *families = xcalloc(n + 1, sizeof(*families));

	for (uint32_t i = 0; i < n; i++)
		families[i] = compiled_class_families(c, i);
	pairs_visit(c, families, families, visit, k);
	for (size_t block = 0; block < g->blocks.count; block++) {
		uint32_t left = k->cells[block];

		for (; left; left &= left - 1) {
			unsigned int at = (unsigned int)__builtin_ctz(left);
			uint32_t rule = BH_CELL_RULE(g->blocks.items[block].value[at]);

			if (rule >= BH_RULE_FIRST)
				bitset_add(k->deciding, rule - BH_RULE_FIRST);
		}
	}
}

/* --- who covers it --- */

static void add_cover(struct shadow_check *k, uint32_t rule, struct cover *cover)
{
	const struct policy *p = k->linter->policy;

	for (size_t i = 0; i < cover->count && i < COVERS_MAX; i++) {
		if (cover->rules[i] == rule)
			return;
	}
	if (rule >= BH_RULE_FIRST && p->rules.items[rule - BH_RULE_FIRST].mode == MODE_AUDIT)
		cover->has_audit = true;
	if (cover->count < COVERS_MAX)
		cover->rules[cover->count++] = rule;
	else
		cover->count = COVERS_MAX + 1;
}

/* Whether there is more to learn. */
static bool is_open(const struct shadow_check *k, const struct cover *cover)
{
	return cover->count <= COVERS_MAX || (k->has_audit && !cover->has_audit);
}

static void cover_row(struct shadow_check *k, uint32_t row, uint8_t families,
		      const uint64_t *wanted, struct cover *cover)
{
	const struct image_grid *g = &k->linter->c->image.cells;
	const uint32_t *occurring = k->occurring[families];
	size_t n = k->linter->c->image.service_classes;

	for (size_t i = bitset_next(wanted, n, 0); i < n && is_open(k, cover);
	     i = bitset_next(wanted, n, i + 1)) {
		k->effort++;
		if (occurring[i / 32] >> i % 32 & 1)
			add_cover(k, BH_CELL_RULE(image_grid_get(g, row, (uint32_t)i)), cover);
	}
}

static void find_cover(struct shadow_check *k, const struct rule *rule, struct cover *cover)
{
	const struct compiled *c = k->linter->c;
	_free_ uint64_t *from = compiled_select(c, rule->from);
	_free_ uint64_t *to = compiled_select(c, rule->to);
	_free_ uint64_t *wanted = compiled_select_services(c, &rule->services);
	size_t n = c->classes.count;

	for (size_t i = bitset_next(from, n, 0); i < n; i = bitset_next(from, n, i + 1)) {
		for (size_t j = bitset_next(to, n, 0); j < n && is_open(k, cover);
		     j = bitset_next(to, n, j + 1)) {
			uint32_t row = image_grid_get(&c->image.pairs, (uint32_t)i, (uint32_t)j);
			uint8_t families = compiled_class_families(c, (uint32_t)i) &
					   compiled_class_families(c, (uint32_t)j);

			if (k->effort++ > EFFORT_MAX) {
				cover->count = COVERS_MAX + 1;
				cover->has_audit = k->has_audit;
				return;
			}
			cover_row(k, row, families, wanted, cover);
		}
	}
}

/* --- reports --- */

static void add_words(const struct compiled *c, const struct cover *cover, struct text *out)
{
	if (!cover->count)
		text_add(out, "no connection matches it");
	else if (cover->count > COVERS_MAX)
		text_add(out, "others decide wherever it matches");
	else if (cover->count == 1)
		text_addf(out, "'%s' covers it", compiled_rule_name(c, cover->rules[0]));
	else
		text_addf(out, "'%s' and '%s' cover it", compiled_rule_name(c, cover->rules[0]),
			  compiled_rule_name(c, cover->rules[1]));
}

static void report(struct shadow_check *k, const struct rule *rule)
{
	struct linter *l = k->linter;
	_text_ struct text words = TEXT_INIT;
	struct cover cover = {};

	find_cover(k, rule, &cover);
	/* What an audit rule reports is named after it, whoever allows it. */
	if (cover.has_audit && rule->action == ACTION_ALLOW)
		return;
	add_words(l->c, &cover, &words);
	diag_finding(l->diags, "BH006", rule->at, "rule '%s' never decides anything: %s",
		     rule->name, words.buf);
	for (size_t i = 0; i < cover.count && cover.count <= COVERS_MAX; i++) {
		if (cover.rules[i] >= BH_RULE_FIRST)
			diag_note(l->diags,
				  l->policy->rules.items[cover.rules[i] - BH_RULE_FIRST].at,
				  "rule '%s' is here", compiled_rule_name(l->c, cover.rules[i]));
	}
}

/* Whether whom it contains shows only where the policy is in force. */
static bool is_open_ended(const struct compiled *c, const struct selector *s)
{
	if (s->kind == SELECT_PODS || s->kind == SELECT_NODES)
		return true;
	if (s->kind == SELECT_HOST)
		return !c->index->is_host_known;
	vec_foreach (child, &s->children) {
		if (is_open_ended(c, *child))
			return true;
	}
	return false;
}

static bool is_shadowed(const struct shadow_check *k, size_t i)
{
	const struct linter *l = k->linter;
	const struct rule *rule = &l->policy->rules.items[i];

	if (bitset_has(k->deciding, i) || !lint_is_live(l, rule))
		return false;
	/* Of two rules that allow, each for its end, only one is named. */
	if (rule->action == ACTION_ALLOW && k->has_one_sided)
		return false;
	return !is_open_ended(l->c, rule->from) && !is_open_ended(l->c, rule->to);
}

static void shadow_check_init(struct shadow_check *k, struct linter *l)
{
	*k = (struct shadow_check){.linter = l};
	k->deciding = bitset_new(l->policy->rules.count);
	k->cells = xcalloc(l->c->image.cells.blocks.count + 1, sizeof(*k->cells));
	for (unsigned int families = 0; families < COUNT(k->occurring); families++)
		k->occurring[families] = pairs_services(l->c, families);
	vec_foreach (rule, &l->policy->rules) {
		k->has_one_sided = k->has_one_sided || rule->sides != SIDE_BOTH;
		k->has_audit = k->has_audit || rule->mode == MODE_AUDIT;
	}
}

static void shadow_check_release(struct shadow_check *k)
{
	free(k->deciding);
	free(k->cells);
	for (size_t i = 0; i < COUNT(k->occurring); i++)
		free(k->occurring[i]);
}

void lint_shadows(struct linter *l)
{
	_cleanup_(shadow_check_release)
	struct shadow_check k = {};

	shadow_check_init(&k, l);
	find_deciding(&k);
	for (size_t i = 0; i < l->policy->rules.count; i++) {
		if (is_shadowed(&k, i))
			report(&k, &l->policy->rules.items[i]);
	}
}
