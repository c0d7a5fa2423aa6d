/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/selector_share.h"

#include "tests/test.h"
#include "util/mem.h"

static struct selector *new_labels(const char *value)
{
	struct selector *s = selector_new(SELECT_LABELS, (struct span){});
	struct requirement requirement = {.kind = REQUIRE_IN, .key = xstrdup("app")};

	vec_push(&requirement.values, xstrdup(value));
	vec_push(&s->requirements, requirement);
	return s;
}

static struct selector *new_workload(size_t workload)
{
	struct selector *s = selector_new(SELECT_WORKLOAD, (struct span){});

	s->workload = workload;
	return s;
}

static void ends_that_are_alike_are_one(void **state)
{
	struct selector_share share = SELECTOR_SHARE_INIT;
	struct selector *a = selector_share(&share, new_labels("a"));
	struct selector *b = selector_share(&share, new_labels("b"));
	struct selector *one = selector_share(&share, new_workload(1));
	struct selector *two = selector_share(&share, new_workload(2));

	(void)state;
	assert_ptr_equal(selector_share(&share, new_labels("a")), a);
	assert_ptr_equal(selector_share(&share, new_workload(2)), two);
	assert_ptr_not_equal(a, b);
	assert_ptr_not_equal(one, two);
	selector_share_release(&share);
	/* Each of its users frees it. */
	for (int i = 0; i < 2; i++) {
		assert_string_equal(a->requirements.items[0].values.items[0], "a");
		selector_free(a);
		selector_free(two);
	}
	selector_free(b);
	selector_free(one);
}

static void one_whose_place_is_told_stays_its_own(void **state)
{
	struct selector_share share = SELECTOR_SHARE_INIT;
	struct selector *a = selector_new(SELECT_CIDR, (struct span){});
	struct selector *b = selector_new(SELECT_CIDR, (struct span){});

	(void)state;
	assert_ptr_equal(selector_share(&share, a), a);
	assert_ptr_equal(selector_share(&share, b), b);
	assert_null(selector_share(&share, NULL));
	selector_share_release(&share);
	selector_free(a);
	selector_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_that_are_alike_are_one),
		cmocka_unit_test(one_whose_place_is_told_stays_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
