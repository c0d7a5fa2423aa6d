/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/repeats.h"

#include <string.h>

#include "tests/test.h"
#include "util/text.h"

#define START_NS  5000000000ull
#define NS_PER_MS 1000000ull

/* "PORT*COUNT@MS " for each that was told. */
static void tell(void *user, const struct bh_event *event, uint64_t count)
{
	text_addf(user, "%u*%u@%u ", event->dport, (unsigned int)count,
		  (unsigned int)((event->time_ns - START_NS) / NS_PER_MS));
}

static void add(struct repeats *r, uint16_t port, unsigned int ms)
{
	const struct bh_event event = {.time_ns = START_NS + ms * NS_PER_MS, .dport = port};

	if (!repeats_hold(r, &event))
		r->fn(r->user, &event, 1);
}

struct repeats_case {
	const char *name;
	const char *events; /* letters; a digit: so many hundred ms later; '.': a look */
	const char *told;
};

/* clang-format off */
static const struct repeats_case cases[] = {
	{ "one at once",                      "a",          "97*1@0 " },
	{ "each of different ones at once",   "abc",        "97*1@0 98*1@0 99*1@0 " },
	{ "repeats wait",                     "aaaa",       "97*1@0 " },
	{ "and are told together",            "aa5a7.",     "97*1@0 97*2@500 " },
	{ "a look before is too early",       "aaa8.",      "97*1@0 " },
	{ "at the latest with the next",      "aa9a9a",     "97*1@0 97*3@1800 " },
	{ "then they wait again",             "aa9a9aaa",   "97*1@0 97*3@1800 " },
	{ "and again",                        "aa9a9aaa99.", "97*1@0 97*3@1800 97*2@1800 " },
	{ "each kind has its own",            "abab9b9.",   "97*1@0 98*1@0 97*1@0 98*2@900 " },
	{ "one that comes late is one",       "a99a",       "97*1@0 97*1@1800 " },
	{ "nothing is told twice",            "aa99...",    "97*1@0 97*1@0 " },
};
/* clang-format on */

static void run(struct repeats *r, const char *events)
{
	unsigned int ms = 0;

	for (const char *e = events; *e; e++) {
		if (*e >= '0' && *e <= '9')
			ms += 100 * (unsigned int)(*e - '0');
		else if (*e == '.')
			repeats_tell(r, START_NS + ms * NS_PER_MS - REPEATS_NS);
		else
			add(r, (uint16_t)*e, ms);
	}
}

static void those_that_are_alike_are_told_as_one(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		_text_ struct text told = TEXT_INIT;
		struct repeats r;

		repeats_init(&r, tell, &told);
		run(&r, cases[i].events);
		repeats_release(&r);
		assert_row_string(cases[i].name, told.buf, cases[i].told);
	}
}

static void add_up(void *user, const struct bh_event *event, uint64_t count)
{
	(void)event;
	*(uint64_t *)user += count;
}

/* More kinds than places: they displace each other. */
static void each_event_is_in_one_count(void **state)
{
	uint64_t sum = 0, events = 0;
	struct repeats r;

	(void)state;
	repeats_init(&r, add_up, &sum);
	for (unsigned int i = 0; i < 10 * REPEATS_PLACES; i++) {
		uint16_t port = (uint16_t)(i * 2654435761u >> 19);

		for (unsigned int k = 0; k <= i % 4; k++, events++)
			add(&r, port, i);
	}
	assert_true(r.held > 0 && sum + r.held == events);
	repeats_tell(&r, UINT64_MAX);
	assert_int_equal(r.held, 0);
	assert_int_equal(sum, events);
	repeats_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_are_alike_are_told_as_one),
		cmocka_unit_test(each_event_is_in_one_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
