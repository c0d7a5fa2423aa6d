/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/request.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

struct request_case {
	const char *line;
	struct request expected; /* sources: only their number */
};

/* clang-format off */
static const struct request_case good[] = {
	{ "{\"op\":\"status\"}",  { .op = REQUEST_STATUS, .last = REQUEST_LAST } },
	{ "{\"op\":\"reload\"}\r", { .op = REQUEST_RELOAD, .last = REQUEST_LAST } },
	{ "{\"op\":\"list\",\"what\":\"connections\"}",
	  { .op = REQUEST_LIST, .what = LIST_CONNECTIONS, .last = REQUEST_LAST } },
	{ "{\"op\":\"observe\",\"last\":0,\"follow\":true}",
	  { .op = REQUEST_OBSERVE, .last = 0, .follow = true } },
	{ "{\"op\":\"observe\",\"alerts\":true}",
	  { .op = REQUEST_OBSERVE, .last = REQUEST_LAST, .alerts = true } },
	{ "{\"op\":\"observe\",\"packets\":true,\"follow\":true}",
	  { .op = REQUEST_OBSERVE, .last = REQUEST_LAST, .follow = true, .packets = true } },
	{ "{\"op\":\"observe\"}", { .op = REQUEST_OBSERVE, .last = REQUEST_LAST } },
	{ "{\"op\":\"apply\",\"sources\":[{\"name\":\"a\",\"text\":\"x\"},{\"name\":\"b\","
	"\"text\":\"\"}]}",
	  { .op = REQUEST_APPLY, .last = REQUEST_LAST, .sources.count = 2 } },
	{ "{\"op\":\"apply\",\"dry_run\":true,\"sources\":[{\"name\":\"a\","
	"\"text\":\"\\\\u0000\"}]}",
	  { .op = REQUEST_APPLY, .last = REQUEST_LAST, .dry_run = true, .sources.count = 1 } },
	{ "{\"op\":\"apply\",\"confirm\":60,\"force\":true,\"strict\":true,\"ssh\":\"a b\","
	"\"sources\":[{\"name\":\"a\",\"text\":\"\"}]}",
	  { .op = REQUEST_APPLY, .last = REQUEST_LAST, .confirm_s = 60, .force = true,
	    .strict = true, .ssh = "a b", .sources.count = 1 } },
	{ "{\"op\":\"rollback\"}",
	  { .op = REQUEST_ROLLBACK, .last = REQUEST_LAST } },
	{ "{\"op\":\"rollback\",\"back\":3,\"force\":true}",
	  { .op = REQUEST_ROLLBACK, .last = REQUEST_LAST, .back = 3, .force = true } },
	{ "{\"op\":\"confirm\"}", { .op = REQUEST_CONFIRM, .last = REQUEST_LAST } },
	{ "{\"op\":\"allow\",\"for\":9,\"from\":\"a\",\"to\":\"b\",\"service\":\"c\","
	"\"reason\":\"d\"}",
	  { .op = REQUEST_ALLOW, .last = REQUEST_LAST, .for_s = 9, .from = "a", .to = "b",
	    .service = "c", .reason = "d" } },
};

struct refusal_case {
	const char *line;
	const char *error;
};

static const struct refusal_case bad[] = {
	{ "",                              "a request must be one JSON object on one line" },
	{ "[]",                            "a request must be one JSON object on one line" },
	{ "{\"op\":\"status\"} {}",        "a request must be one JSON object on one line" },
	{ "{\"op\":\"status\"",            "a request must be one JSON object on one line" },
	{ "{}",                            "'op' must be a word" },
	{ "{\"op\":7}",                    "'op' must be a word" },
	{ "{\"op\":\"reboot\"}",           "unknown op 'reboot'" },
	{ "{\"op\":\"a\\u001b[1m\"}",      "unknown op 'a?[1m'" },
	{ "{\"op\":\"status\",\"what\":\"rules\"}", "'status' has no key 'what'" },
	{ "{\"op\":\"list\"}",             "'what' must be a word" },
	{ "{\"op\":\"list\",\"what\":\"pods\"}", "unknown what 'pods'" },
	{ "{\"op\":\"observe\",\"last\":-1}",  "'last' must be a number from 0 to 4294967295" },
	{ "{\"op\":\"observe\",\"last\":1.5}", "'last' must be a number from 0 to 4294967295" },
	{ "{\"op\":\"observe\",\"last\":\"1\"}", "'last' must be a number from 0 to 4294967295" },
	{ "{\"op\":\"observe\",\"packets\":0}", "'packets' must be true or false" },
	{ "{\"op\":\"observe\",\"follow\":1}", "'follow' must be true or false" },
	{ "{\"op\":\"apply\"}", "'sources' must be a list of at least one {name, text}" },
	{ "{\"op\":\"apply\","
	"\"sources\":[]}", "'sources' must be a list of at least one {name, text}" },
	{ "{\"op\":\"apply\",\"sources\":[{\"name\":\"a\",\"text\":\"x\"},{\"name\":\"b\"}]}",
	  "a source must have a 'name' and a 'text'" },
	{ "{\"op\":\"apply\",\"sources\":[{\"name\":\"a\",\"text\":\"x\\u0000y\"}]}",
	  "a request may not contain NUL" },
	{ "{\"op\":\"rollback\",\"back\":\"1\"}", "'back' must be a number from 0 to 4294967295" },
	{ "{\"op\":\"rollback\",\"ssh\":1}", "'ssh' must be text" },
	{ "{\"op\":\"confirm\",\"force\":true}", "'confirm' has no key 'force'" },
	{ "{\"op\":\"allow\",\"for\":9,\"from\":\"a\",\"to\":\"b\",\"service\":\"c\"}",
	  "'reason' must be text" },
};
/* clang-format on */

static bool has_text(const char *got, const char *want)
{
	return want ? got && !strcmp(got, want) : !got;
}

static bool has_choices(const struct request *got, const struct request *want)
{
	uint64_t back = want->back ? want->back : 1;

	return got->force == want->force && got->strict == want->strict && got->back == back &&
	       got->confirm_s == want->confirm_s && got->for_s == want->for_s &&
	       has_text(got->ssh, want->ssh) && has_text(got->from, want->from) &&
	       has_text(got->to, want->to) && has_text(got->service, want->service) &&
	       has_text(got->reason, want->reason);
}

static void reads_what_the_protocol_has(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		const struct request *want = &good[i].expected;
		_text_ struct text error = TEXT_INIT;
		struct request got = {};

		if (request_parse(good[i].line, strlen(good[i].line), &got, &error))
			fail_msg("%s: %s", good[i].line, error.buf);
		if (got.op != want->op || got.what != want->what || got.last != want->last ||
		    got.follow != want->follow || got.alerts != want->alerts ||
		    got.dry_run != want->dry_run || got.sources.count != want->sources.count ||
		    !has_choices(&got, want))
			fail_msg("%s: read as something else", good[i].line);
		request_release(&got);
	}
}

static void refuses_everything_else(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		_text_ struct text error = TEXT_INIT;
		struct request got = {};
		int err = request_parse(bad[i].line, strlen(bad[i].line), &got, &error);

		if (err != -EINVAL || strcmp(error.buf, bad[i].error) != 0)
			fail_msg("%s: %d, '%s'", bad[i].line, err, error.buf);
	}
}

static void refuses_a_nul_byte(void **state)
{
	static const char line[] = "{\"op\":\"status\"}\0junk";
	_text_ struct text error = TEXT_INIT;
	struct request got = {};

	(void)state;
	assert_int_equal(request_parse(line, sizeof(line) - 1, &got, &error), -EINVAL);
}

static void takes_texts_as_they_are(void **state)
{
	static const char line[] =
		"{\"op\":\"apply\",\"sources\":[{\"name\":\"p.yaml\",\"text\":\"a: \\u00e9\\n\"}]}";
	_text_ struct text error = TEXT_INIT;
	struct request got = {};

	(void)state;
	assert_int_equal(request_parse(line, strlen(line), &got, &error), 0);
	assert_string_equal(got.sources.items[0].name, "p.yaml");
	assert_string_equal(got.sources.items[0].text, "a: \xc3\xa9\n");
	assert_int_equal(got.sources.items[0].len, 6);
	request_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_the_protocol_has),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(refuses_a_nul_byte),
		cmocka_unit_test(takes_texts_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
