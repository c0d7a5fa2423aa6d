/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/events_hub.h"

#include <string.h>

#include "tests/test.h"

/* A reader whose unread bytes the test decides. */
struct reader {
	struct text got;
	size_t pending;
};

static size_t reader_pending(void *user)
{
	return ((struct reader *)user)->pending;
}

static void reader_send(void *user, const char *line, size_t len)
{
	text_addn(&((struct reader *)user)->got, line, len);
}

static void publish(struct events_hub *hub, const char *s)
{
	struct text line = TEXT_INIT;

	text_add(&line, s);
	hub_publish(hub, &line);
	text_release(&line);
}

struct history_case {
	const char *name;
	size_t size, published, asked;
	const char *expected;
};

/* clang-format off */
static const struct history_case history_cases[] = {
	{ "nothing yet",          3, 0, 5, "" },
	{ "fewer than asked",     3, 2, 5, "0\n1\n" },
	{ "exactly full",         3, 3, 3, "0\n1\n2\n" },
	{ "the oldest are gone",  3, 5, 9, "2\n3\n4\n" },
	{ "only the last",        3, 5, 1, "4\n" },
	{ "none asked",           3, 5, 0, "" },
	{ "no history is kept",   0, 5, 5, "" },
};
/* clang-format on */

static void keeps_the_last_lines_in_order(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(history_cases); i++) {
		const struct history_case *c = &history_cases[i];
		struct events_hub *hub = hub_new(c->size);
		_text_ struct text out = TEXT_INIT;

		for (size_t n = 0; n < c->published; n++) {
			char line[] = {(char)('0' + n), '\n', '\0'};

			publish(hub, line);
		}
		hub_history(hub, c->asked, false, &out);
		if (strcmp(out.buf, c->expected) != 0)
			fail_msg("%s: got '%s'", c->name, out.buf);
		hub_free(hub);
	}
}

static void sends_each_line_to_every_follower(void **state)
{
	struct reader a = {.got = TEXT_INIT}, b = {.got = TEXT_INIT};
	struct events_hub *hub = hub_new(2);
	struct hub_sink to_a = {reader_pending, reader_send, &a, false};
	struct hub_sink to_b = {reader_pending, reader_send, &b, false};
	struct follower *first, *second;

	(void)state;
	publish(hub, "before\n");
	first = hub_follow(hub, &to_a);
	publish(hub, "one\n");
	second = hub_follow(hub, &to_b);
	publish(hub, "two\n");
	hub_unfollow(hub, first);
	publish(hub, "three\n");
	assert_string_equal(a.got.buf, "one\ntwo\n");
	assert_string_equal(b.got.buf, "two\nthree\n");
	hub_unfollow(hub, second);
	hub_free(hub);
	text_release(&a.got);
	text_release(&b.got);
}

static void tells_a_slow_follower_what_it_missed(void **state)
{
	struct reader r = {.got = TEXT_INIT};
	struct events_hub *hub = hub_new(0);
	struct hub_sink sink = {reader_pending, reader_send, &r, false};
	struct follower *f = hub_follow(hub, &sink);

	(void)state;
	r.pending = HUB_PENDING_MAX;
	publish(hub, "just fits\n");
	r.pending = HUB_PENDING_MAX + 1;
	publish(hub, "lost\n");
	publish(hub, "lost\n");
	r.pending = 0;
	publish(hub, "next\n");
	publish(hub, "and next\n");
	assert_string_equal(r.got.buf, "just fits\n{\"missed\":2}\nnext\nand next\n");
	hub_unfollow(hub, f);
	hub_free(hub);
	text_release(&r.got);
}

static void tells_what_was_missed_when_the_reader_has_caught_up(void **state)
{
	struct reader r = {.got = TEXT_INIT};
	struct events_hub *hub = hub_new(0);
	struct hub_sink sink = {reader_pending, reader_send, &r, false};
	struct follower *f = hub_follow(hub, &sink);

	(void)state;
	r.pending = HUB_PENDING_MAX + 1;
	publish(hub, "lost\n");
	hub_drained(f);
	hub_drained(f);
	assert_string_equal(r.got.buf, "{\"missed\":1}\n");
	hub_unfollow(hub, f);
	hub_free(hub);
	text_release(&r.got);
}

static void note(void *user, bool are_wanted)
{
	text_addc(user, are_wanted ? '+' : '-');
}

static void publish_with(struct events_hub *hub, const char *s, const char *member, uint64_t count)
{
	_text_ struct text line = TEXT_INIT;
	_text_ struct text packet = TEXT_INIT;

	text_add(&line, s);
	text_add(&packet, member);
	hub_publish_events(hub, &line, &packet, count);
	assert_int_equal(line.len, 0);
}

static void packets_go_to_those_who_want_them(void **state)
{
	struct reader a = {.got = TEXT_INIT}, b = {.got = TEXT_INIT};
	struct events_hub *hub = hub_new(2);
	struct hub_sink without = {reader_pending, reader_send, &a, false};
	struct hub_sink with = {reader_pending, reader_send, &b, true};
	_text_ struct text noted = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;
	struct follower *first, *second, *third;

	(void)state;
	hub_on_packets(hub, note, &noted);
	first = hub_follow(hub, &without);
	assert_string_equal(noted.buf, "");
	second = hub_follow(hub, &with);
	third = hub_follow(hub, &with);
	publish_with(hub, "{\"n\":1}\n", "\"packet\":\"AA==\"", 1);
	hub_unfollow(hub, third);
	publish_with(hub, "{\"n\":2}\n", "", 1);
	hub_unfollow(hub, second);
	assert_string_equal(noted.buf, "+-");
	assert_string_equal(a.got.buf, "{\"n\":1}\n{\"n\":2}\n");
	assert_string_equal(b.got.buf, "{\"n\":1,\"packet\":\"AA==\"}\n"
				       "{\"n\":1,\"packet\":\"AA==\"}\n{\"n\":2}\n");
	hub_history(hub, 2, false, &out);
	assert_string_equal(out.buf, a.got.buf);
	text_reset(&out);
	hub_history(hub, 2, true, &out);
	assert_string_equal(out.buf, "{\"n\":1,\"packet\":\"AA==\"}\n{\"n\":2}\n");
	hub_unfollow(hub, first);
	hub_free(hub);
	text_release(&a.got);
	text_release(&b.got);
}

static void every_event_was_sent_or_missed(void **state)
{
	struct reader r = {.got = TEXT_INIT};
	struct events_hub *hub = hub_new(0);
	struct hub_sink sink = {reader_pending, reader_send, &r, false};
	struct follower *f = hub_follow(hub, &sink);
	struct hub_account account;

	(void)state;
	publish_with(hub, "a}\n", "", 3);
	r.pending = HUB_PENDING_MAX + 1;
	publish_with(hub, "b}\n", "", 40);
	publish_with(hub, "c}\n", "", 500);
	r.pending = 0;
	publish_with(hub, "d}\n", "", 1);
	account = hub_account_of(f);
	assert_int_equal(account.sent, 4);
	assert_int_equal(account.missed, 540);
	assert_string_equal(r.got.buf, "a}\n{\"missed\":540}\nd}\n");
	hub_unfollow(hub, f);
	hub_free(hub);
	text_release(&r.got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_last_lines_in_order),
		cmocka_unit_test(sends_each_line_to_every_follower),
		cmocka_unit_test(tells_a_slow_follower_what_it_missed),
		cmocka_unit_test(tells_what_was_missed_when_the_reader_has_caught_up),
		cmocka_unit_test(packets_go_to_those_who_want_them),
		cmocka_unit_test(every_event_was_sent_or_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
