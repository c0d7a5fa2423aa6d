/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/promise.h"
#include "tests/unit/built_policy.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define PORT 80

/* Who there is, by a letter; '*' is any. */
enum {
	ENFORCED,
	AUDITED,
	LOOSE
}; /* zones */
enum {
	ALONE,
	OPEN_A,
	OPEN_B,
	SHUT,
	INGRESS,
	EGRESS,
	QUIET,
	NODE,
	ZONE_NODE
}; /* workloads */

struct end {
	char letter;
	const char *address;
	enum selector_kind kind;
	size_t number;
};

/* clang-format off */
static const struct end ends[] = {
	{ '*', NULL,          SELECT_ANY },
	{ 'O', "203.0.113.1", SELECT_OUTSIDE },
	{ 'Z', "10.1.0.1",    SELECT_ZONE, ENFORCED },
	{ 'W', "10.2.0.1",    SELECT_ZONE, AUDITED },
	{ 'F', "10.3.0.1",    SELECT_ZONE, LOOSE },
	{ 'G', "10.4.0.1",    SELECT_WORKLOAD, ALONE },   /* a group in no zone */
	{ 'A', "10.8.0.1",    SELECT_WORKLOAD, OPEN_A },  /* pods, isolated nowhere */
	{ 'B', "10.8.0.2",    SELECT_WORKLOAD, OPEN_B },
	{ 'S', "10.8.1.1",    SELECT_WORKLOAD, SHUT },    /* isolated on both sides */
	{ 'I', "10.8.2.1",    SELECT_WORKLOAD, INGRESS }, /* as a destination only */
	{ 'E', "10.8.3.1",    SELECT_WORKLOAD, EGRESS },  /* as a source only */
	{ 'Q', "10.8.4.1",    SELECT_WORKLOAD, QUIET },   /* on both, in a namespace that audits */
	{ 'N', "192.0.2.1",   SELECT_WORKLOAD, NODE },
	{ 'M', "10.1.9.9",    SELECT_WORKLOAD, ZONE_NODE },
};

struct spec {
	enum tier tier;
	enum action action;
	const char *pair; /* letters of from and to */
	uint8_t sides;    /* 0: both */
	uint32_t order;
	enum mode mode;
	bool log;
};

#define SRC  .sides = SIDE_SRC
#define DST  .sides = SIDE_DST
#define SAFE(pair, ...)           { TIER_FAILSAFE, ACTION_ALLOW, pair, ##__VA_ARGS__ }
#define ZONE(action, pair, ...)   { TIER_ZONE, ACTION_##action, pair, ##__VA_ARGS__ }
#define ADMIN(action, pair, ...)  { TIER_ADMIN, ACTION_##action, pair, ##__VA_ARGS__ }
#define ALLOW(pair, ...)          { TIER_NETWORK, ACTION_ALLOW, pair, ##__VA_ARGS__ }
#define BASE(action, pair, ...)   { TIER_BASELINE, ACTION_##action, pair, ##__VA_ARGS__ }
#define ONLY_REPORTS              .mode = MODE_AUDIT

static const struct decide_case {
	const char *name;
	const char *pair;
	struct spec rules[4]; /* r0, r1, ... */
	const char *decision;
} cases[] = {
	{ "open pods are open", "AB", {}, "allow default" },
	{ "outside reaches open pods", "OA", {}, "allow default" },
	{ "open pods reach a node", "AN", {}, "allow default" },
	{ "outside to outside is denied without effect", "OO", {}, "allow default denied" },
	{ "so is a node in no zone", "ON", {}, "allow default denied" },
	{ "and from a node", "NO", {}, "allow default denied" },
	{ "unless a rule allows it", "ON", { ALLOW("*N") }, "allow r0" },
	{ "a node of a zone is isolated", "OM", {}, "deny default" },
	{ "an isolated pod", "AS", {}, "deny default" },
	{ "an isolated opener", "SA", {}, "deny default" },
	{ "isolated as a destination only", "AI", {}, "deny default" },
	{ "it may open", "IA", {}, "allow default" },
	{ "isolated as a source only", "EA", {}, "deny default" },
	{ "it may be opened to", "AE", {}, "allow default" },
	{ "a group is isolated", "AG", {}, "deny default" },
	{ "a zone is isolated", "AZ", {}, "deny default" },
	{ "the namespace's mode", "AQ", {}, "audit default denied" },
	{ "the stronger of two modes", "SQ", {}, "deny default" },
	{ "only the side that denies counts", "QI", { ALLOW("*I", DST) }, "audit default denied" },
	{ "the zone's mode off", "AF", {}, "allow default denied" },

	{ "an ingress rule opens the ingress", "AS", { ALLOW("AS", DST) }, "allow r0" },
	{ "and not the egress", "SI", { ALLOW("SI", DST) }, "deny default" },
	{ "both sides allow", "SI", { ALLOW("SI", DST), ALLOW("SI", SRC) }, "allow r0" },
	{ "the first is named, whichever side", "SI", { ALLOW("*I", SRC), ALLOW("SI", DST), ALLOW("S*", SRC) }, "allow r0" },
	{ "a rule of zones serves both sides", "SI", { ALLOW("SI") }, "allow r0" },
	{ "the naming rule logs", "SI", { ALLOW("SI", DST, .log = true), ALLOW("SI", SRC) }, "allow r0 log" },
	{ "the other's log is not asked", "SI", { ALLOW("SI", DST), ALLOW("SI", SRC, .log = true) }, "allow r0" },
	{ "a rule isolates nobody", "AB", { ALLOW("OB", DST) }, "allow default" },

	{ "admin stands above the default", "AS", { ADMIN(ALLOW, "AS", DST) }, "allow r0" },
	{ "admin denies what rules allow", "AS", { ALLOW("AS"), ADMIN(DENY, "AS", DST) }, "deny r1" },
	{ "admin denies open pods", "AB", { ADMIN(DENY, "AB", DST) }, "deny r0" },
	{ "the other side is still asked", "SA", { ADMIN(ALLOW, "SA", DST) }, "deny default" },
	{ "the lower order decides", "AS", { ADMIN(DENY, "AS", DST, 9), ADMIN(ALLOW, "AS", DST, 3) }, "allow r1" },
	{ "in either file order", "AS", { ADMIN(ALLOW, "AS", DST, 9), ADMIN(DENY, "AS", DST, 3) }, "deny r1" },
	{ "pass leaves it to the rules", "AS", { ADMIN(PASS, "AS", DST, 1), ADMIN(DENY, "AS", DST, 2), ALLOW("AS", DST) }, "allow r2" },
	{ "pass leaves it to the default", "AS", { ADMIN(PASS, "AS", DST, 1), ADMIN(ALLOW, "AS", DST, 2) }, "deny default" },
	{ "a deny before a pass", "AS", { ADMIN(PASS, "AS", DST, 2), ADMIN(DENY, "AS", DST, 1), ALLOW("AS", DST) }, "deny r1" },
	{ "pass leaves it to the baseline", "AB", { ADMIN(PASS, "AB", DST, 1), BASE(DENY, "AB", DST) }, "deny r1" },
	{ "the egress side has its own admin", "AB", { ADMIN(ALLOW, "AB", DST, 1), ADMIN(DENY, "AB", SRC, 2) }, "deny r1" },

	{ "the baseline denies open pods", "AB", { BASE(DENY, "*B", DST) }, "deny r0" },
	{ "the lower order of the baseline", "AB", { BASE(DENY, "*B", DST, 2), BASE(ALLOW, "AB", DST, 1) }, "allow r1" },
	{ "the baseline doesn't open the isolated", "AS", { BASE(ALLOW, "AS", DST) }, "deny default" },
	{ "an allow stands above the baseline", "AB", { BASE(DENY, "AB", DST), ALLOW("AB", DST) }, "allow r1" },
	{ "the baseline of the other side", "AB", { BASE(DENY, "AB", SRC), ALLOW("AB", DST) }, "deny r0" },
	{ "a real rule is named before the default", "SB", { BASE(DENY, "SB", DST) }, "deny r0" },
	{ "the first of two denials", "AB", { BASE(DENY, "AB", DST), ADMIN(DENY, "AB", SRC) }, "deny r0" },
	{ "the stronger side's denial is named", "QB", { ADMIN(DENY, "QB", SRC), ADMIN(DENY, "QB", DST) }, "deny r1" },
	{ "a weaker rule isn't named before a stronger default", "QS", { ADMIN(DENY, "QS", SRC) }, "deny default" },

	{ "a zone's deny stands above admin", "AB", { ADMIN(ALLOW, "AB"), ZONE(DENY, "AB") }, "deny r1" },
	{ "of several the first", "AB", { ZONE(REJECT, "AB"), ZONE(DENY, "AB") }, "reject r0" },
	{ "reject where somebody enforces", "WZ", { ZONE(REJECT, "**") }, "reject r0" },
	{ "audit where somebody audits", "WO", { ZONE(REJECT, "**") }, "audit r0 denied" },
	{ "off lets a reject through", "FO", { ZONE(REJECT, "**") }, "allow r0 denied" },
	{ "outside to outside keeps the rule's name", "OO", { ZONE(DENY, "**") }, "allow r0 denied" },
	{ "denied on both sides", "AW", { ZONE(DENY, "**") }, "deny r0" },

	{ "the failsafe stands above all", "AZ", { ZONE(DENY, "**"), ADMIN(DENY, "**"), SAFE("AZ") }, "allow failsafe" },
	{ "and doesn't report", "AZ", { ZONE(DENY, "**", ONLY_REPORTS), SAFE("AZ", .log = true) }, "allow failsafe" },

	{ "a deny that only reports", "AB", { ZONE(DENY, "AB", ONLY_REPORTS) }, "audit r0" },
	{ "over an allow rule", "ZZ", { ALLOW("ZZ", .log = true), ZONE(REJECT, "ZZ", ONLY_REPORTS) }, "audit r1" },
	{ "the first of several", "AB", { ZONE(DENY, "**", ONLY_REPORTS), ZONE(DENY, "AB", ONLY_REPORTS) }, "audit r0" },
	{ "nothing, where it is denied anyway", "AZ", { ZONE(DENY, "AZ", ONLY_REPORTS) }, "deny default" },
	{ "nothing, where it would have no effect", "FF", { ALLOW("FF"), ZONE(DENY, "FF", ONLY_REPORTS) }, "allow r0" },
	{ "nothing, where another really denies", "AB", { ZONE(DENY, "AB", ONLY_REPORTS), ZONE(DENY, "AB") }, "deny r1" },
	{ "nothing, where a denial has no effect", "OO", { ZONE(DENY, "**", ONLY_REPORTS) }, "allow default denied" },
};
/* clang-format on */

static const struct end *end_of(char letter)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		if (ends[i].letter == letter)
			return &ends[i];
	}
	fail_msg("no end '%c'", letter);
	return NULL;
}

static struct selector *select_end(char letter)
{
	const struct end *end = end_of(letter);
	struct selector *s = select_kind(end->kind);

	s->zone = end->kind == SELECT_ZONE ? end->number : POLICY_NONE;
	s->workload = end->kind == SELECT_WORKLOAD ? end->number : POLICY_NONE;
	return s;
}

static struct policy *world(void)
{
	struct policy *p = policy_new();
	size_t strict = add_space(p, "strict", MODE_UNSET), quiet = add_space(p, "q", MODE_AUDIT);

	add_zone(p, "enforced", "10.1.0.0/16", MODE_ENFORCE);
	add_zone(p, "audited", "10.2.0.0/16", MODE_AUDIT);
	add_zone(p, "loose", "10.3.0.0/16", MODE_OFF);
	add_workload(p, WORKLOAD_GROUP, "alone", "10.4.0.1");
	add_pod(p, "strict/a", "10.8.0.1", strict, 0);
	add_pod(p, "strict/b", "10.8.0.2", strict, 0);
	add_pod(p, "strict/shut", "10.8.1.1", strict, SIDE_BOTH);
	add_pod(p, "strict/ingress", "10.8.2.1", strict, SIDE_DST);
	add_pod(p, "strict/egress", "10.8.3.1", strict, SIDE_SRC);
	add_pod(p, "q/quiet", "10.8.4.1", quiet, SIDE_BOTH);
	add_workload(p, WORKLOAD_NODE, "node", "192.0.2.1");
	add_workload(p, WORKLOAD_NODE, "zone-node", "10.1.9.9");
	return p;
}

static struct rule *add_spec(struct policy *p, const struct spec *spec)
{
	struct rule *rule = add_rule(p, spec->tier, spec->action, select_end(spec->pair[0]),
				     select_end(spec->pair[1]), PORT);

	rule->sides = spec->sides ? spec->sides : SIDE_BOTH;
	rule->order = spec->order;
	rule->mode = spec->mode;
	rule->log = spec->log;
	return rule;
}

/* So many classes that a rule from any to any is a wide one, and others come on top of it. */
static void add_classes(struct policy *p)
{
	for (unsigned int i = 0; i < 20; i++) {
		_text_ struct text address = TEXT_INIT;
		size_t number = p->workloads.count;

		text_addf(&address, "10.9.%u.1", i);
		add_workload(p, WORKLOAD_GROUP, "more", address.buf);
		add_rule(p, TIER_ZONE, ACTION_DENY, select_workload(number),
			 select_kind(SELECT_ANY), PORT + 2);
	}
	add_rule(p, TIER_ZONE, ACTION_DENY, select_kind(SELECT_ANY), select_kind(SELECT_ANY),
		 PORT + 1);
}

static void decide_cases(bool with_wide)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct decide_case *k = &cases[i];
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;
		_text_ struct text out = TEXT_INIT;

		for (size_t j = 0; j < COUNT(k->rules) && k->rules[j].pair; j++)
			add_spec(p, &k->rules[j]);
		if (with_wide)
			add_classes(p);
		c = built_compiled(p, 0);
		built_decision(c, end_of(k->pair[0])->address, end_of(k->pair[1])->address, PORT,
			       &out);
		assert_row_string(k->name, out.buf, k->decision);
	}
}

static void each_side_asks_the_tiers_in_turn(void **state)
{
	(void)state;
	decide_cases(false);
}

static void it_is_the_same_on_top_of_wide_rules(void **state)
{
	(void)state;
	decide_cases(true);
}

/* --- expiry --- */

static void an_expired_rule_does_not_exist(void **state)
{
	static const struct {
		int64_t now, next;
		const char *decision;
	} times[] = {
		{0, 100, "deny r1"},    {99, 100, "deny r1"},     {100, 200, "allow r0"},
		{199, 200, "allow r0"}, {200, 0, "deny default"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;
		_text_ struct text out = TEXT_INIT;

		add_spec(p, &(struct spec)ALLOW("ZZ"))->expires = 200;
		add_spec(p, &(struct spec)ZONE(DENY, "ZZ"))->expires = 100;
		c = built_compiled(p, times[i].now);
		built_decision(c, "10.1.0.1", "10.1.0.2", PORT, &out);
		assert_row_string(times[i].decision, out.buf, times[i].decision);
		assert_true(c->next_expiry == times[i].next);
	}
}

/* --- promises --- */

/* clang-format off */
static const struct promise_case {
	const char *name;
	const char *pair;
	struct spec rules[3];
	int64_t expires[3];
	const char *error; /* NULL: kept */
} promises[] = {
	{ "isolation keeps it", "AS", {}, {}, NULL },
	{ "open pods break it", "AB", {}, {},
	  "never 'n' is broken: 10.8.0.1 (strict/a) to 10.8.0.2 (strict/b), tcp/80 is allowed, since no policy isolates either end" },
	{ "outside to outside isn't allowed", "OO", {}, {}, NULL },
	{ "nor is what a mode lets through", "FF", { ZONE(DENY, "FF") }, {}, NULL },
	{ "a deny that only reports doesn't count", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ", ONLY_REPORTS) }, {},
	  "never 'n' is broken: 10.1.0.1 (enforced) to 10.1.0.1 (enforced), tcp/80 is allowed" },
	{ "the failsafe breaks it", "AZ", { SAFE("AZ"), ZONE(DENY, "**") }, {},
	  "never 'n' is broken: 10.8.0.1 (strict/a) to 10.1.0.1 (enforced), tcp/80 is allowed by failsafe" },
	{ "a deny keeps it", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ") }, {}, NULL },
	{ "not one that will expire", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ") }, { 0, 200 },
	  "never 'n' will be broken: 10.1.0.1 (enforced) to 10.1.0.1 (enforced), tcp/80 will be allowed when rule 'r1' expires" },
	{ "not one that has expired", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ") }, { 0, 50 },
	  "never 'n' is broken: 10.1.0.1 (enforced) to 10.1.0.1 (enforced), tcp/80 is allowed" },
	{ "an allow that has expired doesn't break it", "ZZ", { ALLOW("ZZ") }, { 50 }, NULL },
	{ "one that will does", "ZZ", { ALLOW("ZZ") }, { 200 },
	  "never 'n' is broken: 10.1.0.1 (enforced) to 10.1.0.1 (enforced), tcp/80 is allowed" },
	{ "together they count as if the allow stayed", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ") }, { 150, 200 },
	  "never 'n' will be broken: 10.1.0.1 (enforced) to 10.1.0.1 (enforced), tcp/80 will be allowed when rule 'r1' expires" },
	{ "an expiring deny beside a lasting one", "ZZ", { ALLOW("ZZ"), ZONE(DENY, "ZZ"), ZONE(DENY, "**") }, { 0, 200 }, NULL },
};
/* clang-format on */

static void a_never_looks_ahead(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(promises); i++) {
		const struct promise_case *k = &promises[i];
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;
		_diags_ struct diags d = {};
		struct never never = {
			.name = xstrdup("n"),
			.from = select_end(k->pair[0]),
			.to = select_end(k->pair[1]),
		};

		vec_push(&never.services, (struct service_range){BH_SERVICE_TCP, PORT, PORT});
		vec_push(&p->nevers, never);
		for (size_t j = 0; j < COUNT(k->rules) && k->rules[j].pair; j++)
			add_spec(p, &k->rules[j])->expires = k->expires[j];
		c = built_compiled(p, 100);
		assert_row(k->name, promise_check_never(c, &d) == (k->error ? 1 : 0));
		if (k->error)
			assert_row_string(k->name, d.list.items[0].message, k->error);
	}
}

static void reject_may_be_expected(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};
	const enum bh_verdict verdicts[] = {BH_VERDICT_REJECT, BH_VERDICT_DENY};

	(void)state;
	add_spec(p, &(struct spec)ZONE(REJECT, "ZZ"));
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct expect expect = {
			.from = select_end('Z'), .to = select_end('Z'), .verdict = verdicts[i]};

		vec_push(&expect.services, (struct service_range){BH_SERVICE_TCP, PORT, PORT});
		vec_push(&p->expects, expect);
	}
	c = built_compiled(p, 0);
	assert_int_equal(promise_check_expect(c, &d), 1);
	assert_string_equal(d.list.items[0].message,
			    "expected deny, got reject by rule 'r0': 10.1.0.1 (enforced) to "
			    "10.1.0.1 (enforced), tcp/80");
}

/* --- size --- */

static size_t kernel_size(size_t copies)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = NULL;

	for (size_t i = 0; i < copies; i++) {
		add_spec(p, &(struct spec)ALLOW("AS"));
		add_spec(p, &(struct spec)ZONE(DENY, "ZZ"));
	}
	c = built_compiled(p, 0);
	return c->image.prefixes.count + c->image.identities.count +
	       c->image.pairs.directory.count + c->image.pairs.blocks.count +
	       c->image.cells.directory.count + c->image.cells.blocks.count;
}

static void a_hundred_identical_rules_are_as_large_as_one(void **state)
{
	(void)state;
	assert_int_equal(kernel_size(100), kernel_size(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_asks_the_tiers_in_turn),
		cmocka_unit_test(it_is_the_same_on_top_of_wide_rules),
		cmocka_unit_test(an_expired_rule_does_not_exist),
		cmocka_unit_test(a_never_looks_ahead),
		cmocka_unit_test(reject_may_be_expected),
		cmocka_unit_test(a_hundred_identical_rules_are_as_large_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
