/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_stream.h"

#include <errno.h>

#include "tests/test.h"

/* What was handed on: "key=value" or "value", and a newline, for each. */
static int write_down(void *user, const struct kube_value *value)
{
	struct text *out = user;

	assert_int_equal(strlen(value->text), value->len);
	if (value->key)
		text_addf(out, "%s=", value->key);
	text_addf(out, "%s\n", value->text);
	return 0;
}

struct row {
	const char *name;
	bool is_list;
	const char *bytes;
	int err;
	bool is_whole;
	const char *values;
};

/* clang-format off */
static const struct row rows[] = {
	{ "nothing, of a watch", false, "", 0, true, "" },
	{ "nothing, of a list", true, "", 0, false, "" },
	{ "an event", false, "{\"a\":1}\n", 0, true, "{\"a\":1}\n" },
	{ "events in a row", false, "{\"a\":1}{\"b\":{}}\n\n{}", 0, true,
	  "{\"a\":1}\n{\"b\":{}}\n{}\n" },
	{ "brackets in a string", false, "{\"a\":\"}]\\\"}\"}", 0, true, "{\"a\":\"}]\\\"}\"}\n" },
	{ "a string that ends in a backslash", false, "{\"a\":\"\\\\\"}{}", 0, true,
	  "{\"a\":\"\\\\\"}\n{}\n" },
	{ "half an event", false, "{\"a\":1}{\"b\":", 0, false, "{\"a\":1}\n" },
	{ "an event that is no object", false, "{} 7", -EBADMSG, false, "{}\n" },
	{ "an event that is a list", false, "[]", -EBADMSG, false, "" },
	{ "an end before the beginning", false, "}", -EBADMSG, false, "" },
	{ "an empty list", true, "{\"items\":[]}", 0, true, "" },
	{ "a list without items", true, "{}", 0, true, "" },
	{ "a list of nothing", true, "{\"items\":null,\"a\":1 }", 0, true, "items=null\na=1\n" },
	{ "a list of a built-in kind", true,
	  "{\"kind\":\"L\",\"metadata\":{\"x\":[]},\"items\":[{\"a\":1}, {}]}\n", 0, true,
	  "kind=\"L\"\nmetadata={\"x\":[]}\n{\"a\":1}\n{}\n" },
	{ "a list of a custom kind", true,
	  "{ \"items\" : [ {\"a\":[{}]} ] , \"metadata\" : {\"items\":[{}]} }", 0, true,
	  "{\"a\":[{}]}\nmetadata={\"items\":[{}]}\n" },
	{ "items that are no objects", true, "{\"items\":[1]}", -EBADMSG, false, "" },
	{ "members without a comma", true, "{\"a\":1 \"b\":2}", -EBADMSG, false, "a=1\n" },
	{ "items without a comma", true, "{\"items\":[{}{}]}", -EBADMSG, false, "{}\n" },
	{ "a member without a value", true, "{\"a\":}", -EBADMSG, false, "" },
	{ "a key that is none", true, "{a:1}", -EBADMSG, false, "" },
	{ "two lists", true, "{}{}", -EBADMSG, true, "" },
	{ "half a list", true, "{\"items\":[{},{\"a\"", 0, false, "{}\n" },
	{ "a list without its end", true, "{\"items\":[{}]", 0, false, "{}\n" },
	{ "a page for people", true, "404 page not found\n", -EBADMSG, false, "" },
};
/* clang-format on */

static int feed(struct kube_stream *s, const char *bytes, size_t piece)
{
	size_t len = strlen(bytes);
	int err = 0;

	for (size_t at = 0; !err && at < len; at += piece)
		err = kube_stream_feed(s, bytes + at, len - at < piece ? len - at : piece);
	return err;
}

static void values_are_found_however_the_bytes_come(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 1000};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t n = 0; n < COUNT(pieces); n++) {
			struct kube_stream s = {};
			_text_ struct text seen = TEXT_INIT;
			int err;

			kube_stream_start(&s, rows[i].is_list, write_down, &seen);
			err = feed(&s, rows[i].bytes, pieces[n]);
			assert_row_string(rows[i].name, seen.buf, rows[i].values);
			assert_row(rows[i].name, err == rows[i].err);
			assert_row(rows[i].name,
				   err || kube_stream_is_whole(&s) == rows[i].is_whole);
			kube_stream_release(&s);
		}
	}
}

static void what_is_too_large_is_never_held(void **state)
{
	static const char *const openings[] = {"{\"a\":\"", "{\"a\":[", "{\"a\":"};
	static const char filling[4096] = {[0 ... 4095] = '1'};

	(void)state;
	for (size_t i = 0; i < COUNT(openings); i++) {
		struct kube_stream s = {};
		size_t fed = 0;
		int err;

		kube_stream_start(&s, false, write_down, NULL);
		err = feed(&s, openings[i], 1);
		while (!err && fed < 2 * KUBE_VALUE_MAX) {
			err = kube_stream_feed(&s, filling, sizeof(filling));
			fed += sizeof(filling);
		}
		assert_row(openings[i], err == -EMSGSIZE);
		assert_row(openings[i], s.value.len < KUBE_VALUE_MAX);
		kube_stream_release(&s);
	}
}

static int refuse(void *user, const struct kube_value *value)
{
	(void)value;
	++*(int *)user;
	return -ESTALE;
}

static void who_reads_may_have_enough(void **state)
{
	struct kube_stream s = {};
	int calls = 0;

	(void)state;
	kube_stream_start(&s, false, refuse, &calls);
	assert_int_equal(feed(&s, "{}{}{}", 100), -ESTALE);
	assert_int_equal(calls, 1);
	kube_stream_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_however_the_bytes_come),
		cmocka_unit_test(what_is_too_large_is_never_held),
		cmocka_unit_test(who_reads_may_have_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
