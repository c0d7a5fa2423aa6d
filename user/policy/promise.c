/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/promise.h"

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "policy/pairs.h"
#include "policy/promise_builtin.h"
#include "policy/services.h"
#include "util/bitset.h"

/* What is wrong for a promise: a cell that isn't denied, or one of another verdict. */
enum kind {
	KIND_NEVER,
	KIND_EXPECT, /* plus the verdict that is expected */
	KIND_COUNT = KIND_EXPECT + BH_VERDICT_COUNT
};

struct checker {
	const struct compiled *c;
	const struct compiled *today; /* if @c is how the policy will be one day; else NULL */
	struct diags *diags;
	uint32_t *wrong[KIND_COUNT]; /* of each block of cells: one bit a wrong cell; made on demand
				      */
	uint32_t
		*occurring[FAMILY_V4 + FAMILY_V6 + 1]; /* service classes, 32 a word, by families */
};

struct promise {
	struct span at;
	const char *name; /* NULL for an expect */
	const struct selector *from, *to;
	const services *services;
	unsigned int kind;
};

/* A walk for one promise, and what it stopped at. */
struct trial {
	struct checker *checker;
	const struct promise *promise;
	uint32_t *mentioned; /* service classes, 32 a word */
	bool is_tried, is_broken;
	struct pair pair;
	uint32_t service_class;
};

/* Modes don't count for a never: what they let through is denied all the same. */
static bool is_wrong(unsigned int kind, uint32_t cell)
{
	struct decision decision = decision_of_cell(cell);

	if (kind == KIND_NEVER)
		return !decision.is_denied && BH_VERDICT_PASSES(decision.verdict);
	return decision.verdict != (enum bh_verdict)(kind - KIND_EXPECT);
}

static const uint32_t *wrong_cells(struct checker *k, unsigned int kind)
{
	const struct image_grid *cells = &k->c->image.cells;
	uint32_t *wrong = k->wrong[kind];

	if (wrong)
		return wrong;
	wrong = xcalloc(cells->blocks.count, sizeof(*wrong));
	for (size_t i = 0; i < cells->blocks.count; i++) {
		for (unsigned int j = 0; j < BH_BLOCK_ENTRIES; j++) {
			if (is_wrong(kind, cells->blocks.items[i].value[j]))
				wrong[i] |= 1u << j;
		}
	}
	k->wrong[kind] = wrong;
	return wrong;
}

static void find_occurring(struct checker *k)
{
	for (unsigned int families = 0; families < COUNT(k->occurring); families++)
		k->occurring[families] = pairs_services(k->c, families);
}

/* Stops at the first pair that has a wrong cell for a service that it can have. */
static bool try_pair(void *context, const struct pair *pair)
{
	struct trial *t = context;
	const struct image_grid *cells = &t->checker->c->image.cells;
	const uint32_t *directory = cells->directory.items + (size_t)pair->row * cells->stride;
	const uint32_t *wrong = wrong_cells(t->checker, t->promise->kind);
	const uint32_t *occurring = t->checker->occurring[pair->families];

	for (uint32_t i = 0; i < cells->stride; i++) {
		uint32_t asked = t->mentioned[i] & occurring[i];
		uint32_t found = wrong[directory[i]] & asked;

		t->is_tried = t->is_tried || asked;
		if (!found)
			continue;
		t->is_broken = true;
		t->pair = *pair;
		t->service_class = i * 32 + (uint32_t)__builtin_ctz(found);
		return false;
	}
	return true;
}

static void add_end(const struct compiled *c, uint32_t class, uint8_t family, struct text *out)
{
	char buf[ADDRESS_STRLEN];
	struct bh_addr a;

	if (!compiled_example(c, class, family, &a))
		return;
	text_addf(out, "%s (%s)", addr_format(&a, buf), compiled_address_name(c, &a));
}

/* "10.0.0.10 (edge-lb) to 10.0.32.10 (postgres), tcp/5432" */
static void add_example(const struct trial *t, struct text *out)
{
	const struct compiled *c = t->checker->c;
	uint8_t families = t->pair.families & compiled_service_families(c, t->service_class);
	uint8_t family = families & FAMILY_V4 ? FAMILY_V4 : FAMILY_V6;
	struct service_number n;

	add_end(c, t->pair.src_class, family, out);
	text_add(out, " to ");
	add_end(c, t->pair.dst_class, family, out);
	if (!service_partition_example(&c->index->services, t->service_class, t->promise->services,
				       family, &n))
		return;
	text_add(out, ", ");
	service_format(n.table, n.number, out);
}

static struct decision decision_at(const struct trial *t, const struct compiled *c)
{
	return compiled_decide(c, t->pair.src_class, t->pair.dst_class, t->service_class);
}

static void report_expect(const struct trial *t, const char *example)
{
	const struct compiled *c = t->checker->c;
	const struct promise *p = t->promise;
	struct decision decision = decision_at(t, c);
	const char *quote = decision.rule < BH_RULE_FIRST ? "" : "'";

	diag_error(t->checker->diags, p->at, "expected %s, got %s by %s%s%s%s: %s",
		   verdict_word(p->kind - KIND_EXPECT), verdict_word(decision.verdict),
		   decision.rule < BH_RULE_FIRST ? "" : "rule ", quote,
		   compiled_rule_name(c, decision.rule), quote, example);
}

/* Why it is allowed, where no rule of the policy says so at its place. */
static const char *builtin_cause(uint32_t rule)
{
	if (rule == BH_BUILTIN_FAILSAFE)
		return " by failsafe";
	return rule == BH_BUILTIN_DEFAULT ? ", since no policy isolates either end" : "";
}

static void report_never(const struct trial *t, const char *example)
{
	const struct checker *k = t->checker;
	const struct promise *p = t->promise;
	const char *cause = builtin_cause(decision_at(t, k->c).rule);

	if (k->today)
		diag_error(k->diags, p->at,
			   "never '%s' will be broken: %s will be allowed%s when rule '%s' expires",
			   p->name, example, cause,
			   compiled_rule_name(k->today, decision_at(t, k->today).rule));
	else
		diag_error(k->diags, p->at, "never '%s' is broken: %s is allowed%s", p->name,
			   example, cause);
}

static void report(const struct trial *t)
{
	const struct compiled *c = t->checker->c;
	struct decision decision = decision_at(t, c);
	_text_ struct text example = TEXT_INIT;

	add_example(t, &example);
	if (t->promise->kind == KIND_NEVER)
		report_never(t, example.buf);
	else
		report_expect(t, example.buf);
	if (decision.rule >= BH_RULE_FIRST)
		diag_note(t->checker->diags,
			  c->policy->rules.items[decision.rule - BH_RULE_FIRST].at,
			  "rule '%s' decides this: %s", compiled_rule_name(c, decision.rule),
			  verdict_word(decision.verdict));
}

/* A pair that no table is asked for is allowed: broken if it can be with a service of the promise.
 */
static bool try_builtin(void *context, const struct pair *pair)
{
	struct trial *t = context;
	const uint32_t *occurring = t->checker->occurring[pair->families];

	for (uint32_t i = 0; i < t->checker->c->image.cells.stride; i++)
		t->is_broken = t->is_broken || (t->mentioned[i] & occurring[i]);
	return !t->is_broken;
}

/* False if it is broken, and reported. */
static bool keeps_by_builtin(struct trial *t, pair_side src, pair_side dst, uint32_t rule)
{
	const struct promise *p = t->promise;
	struct trial builtin = {.checker = t->checker, .promise = p, .mentioned = t->mentioned};

	if (p->kind == KIND_EXPECT + BH_VERDICT_ALLOW)
		return true;
	pairs_visit(t->checker->c, src, dst, try_builtin, &builtin);
	if (builtin.is_broken)
		diag_error(t->checker->diags, p->at, "expected %s, got %s by %s",
			   verdict_word(p->kind - KIND_EXPECT), verdict_word(BH_VERDICT_ALLOW),
			   compiled_rule_name(t->checker->c, rule));
	return !builtin.is_broken;
}

/* What tables say of a pod and itself, or of a node and its own pods, is said in vain: such pairs
 * count only where there are no others. */
static bool try_expect(struct trial *t, pair_side src, pair_side dst)
{
	const struct compiled *c = t->checker->c;
	_cleanup_(expect_builtin_release)
	struct expect_builtin b = {};
	const struct pairs_apart pairs = {src, dst, expect_builtin_mask, &b};

	expect_builtin_find(c, t->promise->from, t->promise->to, &b);
	pairs_visit_apart(c, &pairs, try_pair, t);
	return t->is_tried || !b.rule || keeps_by_builtin(t, src, dst, b.rule);
}

static bool is_kept(struct checker *k, const struct promise *p)
{
	const struct compiled *c = k->c;
	_free_ uint64_t *from = compiled_select(c, p->from);
	_free_ uint64_t *to = compiled_select(c, p->to);
	_free_ uint64_t *classes = compiled_select_services(c, p->services);
	_free_ uint32_t *mentioned = xcalloc(c->image.cells.stride, sizeof(*mentioned));
	_free_ uint8_t *src = pairs_side(c, from);
	_free_ uint8_t *dst = pairs_side(c, to);
	struct trial t = {.checker = k, .promise = p, .mentioned = mentioned};

	for (uint32_t i = 0; i < c->image.cells.stride; i++)
		mentioned[i] = (uint32_t)(classes[i / 2] >> (i % 2 * 32));
	if (p->kind == KIND_NEVER)
		pairs_visit(c, src, dst, try_pair, &t);
	else if (!try_expect(&t, src, dst))
		return false;
	if (t.is_broken)
		report(&t);
	return !t.is_broken;
}

static bool tell(bool kept, promise_visitor visit, void *context)
{
	if (visit)
		visit(context, kept);
	return kept;
}

static void checker_init(struct checker *k, const struct compiled *c, struct diags *d)
{
	*k = (struct checker){.c = c, .diags = d};
	find_occurring(k);
}

static void checker_release(struct checker *k)
{
	for (size_t i = 0; i < COUNT(k->wrong); i++)
		free(k->wrong[i]);
	for (size_t i = 0; i < COUNT(k->occurring); i++)
		free(k->occurring[i]);
}

/* A promise must be kept today, and in @ahead if that isn't NULL. */
static size_t each_never(struct checker *k, struct checker *ahead, promise_visitor visit,
			 void *context)
{
	size_t broken = 0;

	vec_foreach (never, &k->c->policy->nevers) {
		const struct promise p = {
			.at = never->at,
			.name = never->name,
			.from = never->from,
			.to = never->to,
			.services = &never->services,
			.kind = KIND_NEVER,
		};

		bool kept = is_kept(k, &p) && (!ahead || is_kept(ahead, &p));

		broken += !tell(kept, visit, context);
	}
	return broken;
}

size_t promise_each_never(const struct compiled *c, struct diags *d, promise_visitor visit,
			  void *context)
{
	_cleanup_(checker_release)
	struct checker k = {}, ahead = {};
	struct compiled one_day;

	checker_init(&k, c, d);
	if (!c->index->has_ahead)
		return each_never(&k, NULL, visit, context);
	one_day = compiled_ahead(c);
	checker_init(&ahead, &one_day, d);
	ahead.today = c;
	return each_never(&k, &ahead, visit, context);
}

size_t promise_each_expect(const struct compiled *c, struct diags *d, promise_visitor visit,
			   void *context)
{
	_cleanup_(checker_release)
	struct checker k = {};
	size_t broken = 0;

	checker_init(&k, c, d);
	vec_foreach (expect, &c->policy->expects) {
		const struct promise p = {
			.at = expect->at,
			.from = expect->from,
			.to = expect->to,
			.services = &expect->services,
			.kind = KIND_EXPECT + (unsigned int)expect->verdict,
		};

		broken += !tell(is_kept(&k, &p), visit, context);
	}
	return broken;
}

size_t promise_check_never(const struct compiled *c, struct diags *d)
{
	return promise_each_never(c, d, NULL, NULL);
}

size_t promise_check_expect(const struct compiled *c, struct diags *d)
{
	return promise_each_expect(c, d, NULL, NULL);
}
