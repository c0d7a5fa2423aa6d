/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "datapath/record.h"

static const struct {
	const char *name;
	struct record record;
} records[] = {
	{"3-in", {.kind = RECORD_LINK, .ifindex = 3}},
	{"4294967295-out", {.kind = RECORD_LINK, .ifindex = UINT32_MAX, .is_egress = true}},
	{"3-answer", {.kind = RECORD_LINK, .ifindex = 3, .is_answerer = true}},
	{"7-qdisc", {.kind = RECORD_QDISC, .ifindex = 7}},
	{"7-in-clsact-1-49152",
	 {.kind = RECORD_FILTER, .ifindex = 7, .handle = 1, .priority = 49152}},
	{"7-out-clsact-2-9",
	 {.kind = RECORD_FILTER, .ifindex = 7, .is_egress = true, .handle = 2, .priority = 9}},
	{"7-answer-clsact-2-9",
	 {.kind = RECORD_FILTER, .ifindex = 7, .is_answerer = true, .handle = 2, .priority = 9}},
};

static bool is_same(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex && a->is_egress == b->is_egress &&
	       a->is_answerer == b->is_answerer && a->handle == b->handle &&
	       a->priority == b->priority;
}

static void a_name_says_all_of_a_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		char buf[RECORD_STRLEN];
		struct record r;

		assert_string_equal(record_format(&records[i].record, buf), records[i].name);
		if (!record_parse(records[i].name, &r))
			fail_msg("'%s' is not read", records[i].name);
		if (!is_same(&r, &records[i].record))
			fail_msg("'%s' is read as another record", records[i].name);
	}
}

static void other_names_are_no_records(void **state)
{
	static const char *const names[] = {
		"",
		"3",
		"in",
		"0-in",
		"-in",
		"3-",
		"3-up",
		"3-answerer",
		"3-answer-1",
		"03-in",
		"3-in-new",
		"4294967296-in",
		"3-in-",
		"3-qdisc-new",
		"3-in-clsact",
		"3-in-clsact-1",
		"3-in-clsact-1-2-new",
		"x3-out",
		"3-in-htb-1-2",
		"3-in-clsact-0-1",
		"3-in-clsact-1-x",
	};
	struct record r;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (record_parse(names[i], &r))
			fail_msg("'%s' is read as a record", names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_says_all_of_a_record),
		cmocka_unit_test(other_names_are_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
