/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the compiler writes of rules that will expire. */
#include "tests/test.h"

#include "tests/unit/built_policy.h"

#define PORT 80

static struct policy *world(void)
{
	struct policy *p = policy_new();

	add_zone(p, "here", "10.1.0.0/16", MODE_ENFORCE);
	return p;
}

static struct rule *add(struct policy *p, enum tier tier, enum action action, int64_t expires)
{
	struct rule *rule = add_rule(p, tier, action, select_zone(0), select_zone(0), PORT);

	rule->expires = expires;
	return rule;
}

/* As built_decision(), at a time. */
static uint32_t cell_at(const struct compiled *c, int64_t now)
{
	struct bh_addr src = built_address("10.1.0.1"), dst = built_address("10.1.0.2");
	const struct image *image = &c->image;

	return image_cell_at(image, image_row(image, &src, &dst),
			     image_service_class(image, BH_SERVICE_TCP, PORT), now);
}

static bool passes_at(const struct compiled *c, int64_t now)
{
	return BH_VERDICT_PASSES(BH_CELL_VERDICT(cell_at(c, now)));
}

static void nothing_is_written_where_nothing_changes(void **state)
{
	static const struct {
		const char *name;
		int64_t first, second; /* when two allows end; 0: never */
		int64_t deny;          /* and a deny; -1: there is none */
		size_t changes;
	} cases[] = {
		{"no rule ends", 0, 0, -1, 0},
		{"an earlier one stays", 0, 100, -1, 0},
		{"a deny hides both", 100, 200, 0, 0},
		{"it ends under a deny that ends later", 100, 0, 200, 1},
		{"it ended before", 0, 5, -1, 0},
		{"the name changes", 100, 0, -1, 1},
		{"both end", 100, 200, -1, 2},
		{"both end at once", 100, 100, -1, 1},
		{"a deny ends first", 200, 300, 100, 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;

		add(p, TIER_NETWORK, ACTION_ALLOW, cases[i].first);
		add(p, TIER_NETWORK, ACTION_ALLOW, cases[i].second);
		if (cases[i].deny >= 0)
			add(p, TIER_ZONE, ACTION_DENY, cases[i].deny);
		c = built_compiled(p, 10);
		assert_row(cases[i].name, c->image.later.count == cases[i].changes);
		assert_row(cases[i].name, !c->image.timed.count == !cases[i].changes);
	}
}

/* Whoever asks about the present sees no cell that changes. */
static void present_decisions_are_plain(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = NULL;
	size_t flagged = 0;

	(void)state;
	add(p, TIER_NETWORK, ACTION_ALLOW, 100);
	c = built_compiled(p, 10);
	vec_foreach (block, &c->image.cells.blocks) {
		for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++)
			assert_false(block->value[i] & BH_CELL_LATER);
	}
	vec_foreach (block, &c->image.timed) {
		for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++)
			flagged += !!(block->value[i] & BH_CELL_LATER);
	}
	assert_true(flagged > 0);
	assert_int_equal(c->image.timed.count, c->image.cells.blocks.count);
	assert_true(passes_at(c, 99));
	assert_false(passes_at(c, 100));
}

/* Allows that end at 100, 200 and so on; @has_deny: and then the default denies. */
static struct compiled *long_chain(struct policy *p, size_t count, bool has_deny)
{
	for (size_t i = 1; i <= count; i++)
		add(p, TIER_NETWORK, ACTION_ALLOW, (int64_t)i * 100);
	if (!has_deny)
		add(p, TIER_NETWORK, ACTION_ALLOW, 0);
	return built_compiled(p, 10);
}

static void more_changes_than_fit_end_in_a_denial(void **state)
{
	_policy_ struct policy *fits = world(), *over = world(), *open = world();
	_compiled_ struct compiled *a = long_chain(fits, BH_LATER_MAX, true);
	_compiled_ struct compiled *b = long_chain(over, BH_LATER_MAX + 4, true);
	_compiled_ struct compiled *c = long_chain(open, BH_LATER_MAX + 4, false);

	(void)state;
	assert_int_equal(a->image.later.count, BH_LATER_MAX);
	assert_true(passes_at(a, BH_LATER_MAX * 100 - 1));
	assert_false(passes_at(a, BH_LATER_MAX * 100));

	assert_int_equal(b->image.later.count, BH_LATER_MAX);
	assert_true(passes_at(b, BH_LATER_MAX * 100 - 1));
	assert_false(passes_at(b, BH_LATER_MAX * 100));

	/* Without any denial to come, nothing is denied. */
	assert_int_equal(c->image.later.count, BH_LATER_MAX);
	assert_true(passes_at(c, BH_LATER_MAX * 100));
	assert_int_equal(BH_CELL_RULE(cell_at(c, BH_LATER_MAX * 100)),
			 BH_RULE_FIRST + BH_LATER_MAX + 4);
}

static void each_change_refers_to_earlier_ones(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = long_chain(p, 5, true);

	(void)state;
	for (size_t i = 0; i < c->image.later.count; i++) {
		const struct bh_later *later = &c->image.later.items[i];

		assert_false(later->cell & BH_CELL_LATER);
		if (later->next & BH_CELL_LATER)
			assert_true(BH_CELL_LATER_AT(later->next) < i);
	}
}

/* --- what programs need not look for --- */

static uint16_t flags_of(enum stance stance, enum mode mode, enum tier tier)
{
	_policy_ struct policy *p = policy_new();
	_compiled_ struct compiled *c = NULL;
	size_t zone = add_zone(p, "here", "10.1.0.0/16", mode);

	p->zones.items[zone].agent_down = stance;
	add(p, tier, ACTION_ALLOW, 0);
	c = built_compiled(p, 0);
	return c->image.flags;
}

static void the_header_says_what_occurs(void **state)
{
	(void)state;
	assert_int_equal(flags_of(STANCE_KEEP, MODE_ENFORCE, TIER_NETWORK), 0);
	assert_int_equal(flags_of(STANCE_OPEN, MODE_ENFORCE, TIER_NETWORK), BH_POLICY_DOWN);
	assert_int_equal(flags_of(STANCE_CLOSED, MODE_ENFORCE, TIER_NETWORK), BH_POLICY_DOWN);
	assert_int_equal(flags_of(STANCE_CLOSED, MODE_AUDIT, TIER_NETWORK), 0);
	assert_int_equal(flags_of(STANCE_CLOSED, MODE_OFF, TIER_NETWORK), 0);
	assert_int_equal(flags_of(STANCE_KEEP, MODE_ENFORCE, TIER_FAILSAFE), BH_POLICY_FAILSAFE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_written_where_nothing_changes),
		cmocka_unit_test(present_decisions_are_plain),
		cmocka_unit_test(more_changes_than_fit_end_in_a_denial),
		cmocka_unit_test(each_change_refers_to_earlier_ones),
		cmocka_unit_test(the_header_says_what_occurs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
