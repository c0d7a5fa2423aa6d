/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BULKHEAD_GOLDEN=write makes the golden files anew; review the difference. */
#include "cli/check_report.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "cli/values.h"
#include "tests/test.h"
#include "util/mem.h"
#include "util/source.h"
#include "util/xml.h"

#define GOLDEN  "tests/golden/check/failing"
#define HOSTILE "'\033[31m\"<&>' and bad \xff, two\nlines"

static void cjson_free(cJSON **json)
{
	cJSON_Delete(*json);
}
#define _json_ _cleanup_(cjson_free)

static void load(const char *path, struct check *check)
{
	strings files = {};

	vec_push(&files, path);
	check_files(&files, false, check);
	vec_release(&files);
}

/* What lint would say of the second rule, of a name that no name can be. */
static void add_lint(struct check *check)
{
	struct diags *diags = &check->diags;

	diag_warning(diags, check->policy->rules.items[1].at, "rule %s is shadowed", HOSTILE);
	diags->list.items[diags->list.count - 1].id = "BH006";
	vec_push(&check->groups, CHECK_LINT);
}

/* How long it took is nobody's to expect. */
static void clear_times(struct check *check)
{
	memset(check->took_ns, 0, sizeof(check->took_ns));
	vec_foreach (promise, &check->nevers)
		promise->took_ns = 0;
	vec_foreach (promise, &check->expects)
		promise->took_ns = 0;
}

static void load_failing(struct check *check)
{
	load(GOLDEN ".yaml", check);
	add_lint(check);
	clear_times(check);
}

static void write_text(const struct check *check, struct text *out)
{
	check_text(check, false, out);
}

static void compare(const char *path, const struct text *got)
{
	const char *golden = getenv("BULKHEAD_GOLDEN");
	struct source expected = {};

	if (golden && !strcmp(golden, "write")) {
		_fclose_ FILE *f = fopen(path, "w");

		assert_non_null(f);
		fwrite(got->buf, 1, got->len, f);
	}
	assert_row(path, !source_read(path, &expected));
	assert_row_string(path, got->buf, expected.text);
	source_release(&expected);
}

static void every_format_is_as_it_was_reviewed(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path;
		void (*write)(const struct check *check, struct text *out);
	} formats[] = {
		{ GOLDEN ".txt",   write_text  },
		{ GOLDEN ".json",  check_json  },
		{ GOLDEN ".sarif", check_sarif },
		{ GOLDEN ".xml",   check_junit },
	};
	/* clang-format on */
	_check_ struct check check = {};

	(void)state;
	load_failing(&check);
	assert_int_equal(check.code, EXIT_FINDING);
	for (size_t i = 0; i < COUNT(formats); i++) {
		_text_ struct text out = TEXT_INIT;

		formats[i].write(&check, &out);
		compare(formats[i].path, &out);
	}
}

static void json_and_sarif_are_json(void **state)
{
	_check_ struct check check = {};
	_text_ struct text json = TEXT_INIT, sarif = TEXT_INIT;

	(void)state;
	load_failing(&check);
	check_json(&check, &json);
	check_sarif(&check, &sarif);
	_json_ cJSON *one = cJSON_Parse(json.buf);
	_json_ cJSON *other = cJSON_Parse(sarif.buf);
	const cJSON *run = cJSON_GetArrayItem(value_of(other, "runs"), 0);

	assert_string_equal(value_text(one, "result"), "failed");
	assert_int_equal(cJSON_GetArraySize(value_of(run, "results")), 3);
}

/* A passing test shows, too, and a warning fails only if warnings count. */
static void junit_counts_what_fails(void **state)
{
	_check_ struct check check = {};
	_text_ struct text relaxed = TEXT_INIT, strict = TEXT_INIT;

	(void)state;
	load_failing(&check);
	check_junit(&check, &relaxed);
	check.is_strict = true;
	check_junit(&check, &strict);
	assert_non_null(strstr(relaxed.buf, "tests=\"6\" failures=\"2\""));
	assert_non_null(strstr(strict.buf, "tests=\"6\" failures=\"3\""));
	assert_non_null(strstr(relaxed.buf, "name=\"data-stays-in\""));
}

static void what_cannot_be_read_is_told_in_every_format(void **state)
{
	_check_ struct check check = {};
	_text_ struct text sarif = TEXT_INIT, junit = TEXT_INIT, json = TEXT_INIT;

	(void)state;
	load("tests/golden/check/nowhere.yaml", &check);
	assert_int_equal(check.code, EXIT_USAGE);
	check_sarif(&check, &sarif);
	check_junit(&check, &junit);
	check_json(&check, &json);
	assert_non_null(strstr(sarif.buf, "\"executionSuccessful\":false"));
	assert_non_null(strstr(sarif.buf, "nowhere.yaml"));
	assert_non_null(strstr(junit.buf, "tests=\"1\" failures=\"1\""));
	assert_null(strstr(json.buf, "budget"));
}

static void places_are_relative_to_the_base(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *base, *uri;
	} cases[] = {
		{ "policies/a.yaml",  "/src", "{\"uri\":\"policies/a.yaml\",\"uriBaseId\":\"%SRCROOT%\"}" },
		{ "./a b.yaml",       "/src", "{\"uri\":\"a%20b.yaml\",\"uriBaseId\":\"%SRCROOT%\"}"      },
		{ "/src/a.yaml",      "/src", "{\"uri\":\"a.yaml\",\"uriBaseId\":\"%SRCROOT%\"}"          },
		{ "/srcs/a.yaml",     "/src", "{\"uri\":\"file:///srcs/a.yaml\"}"                         },
		{ "/src/a.yaml",      NULL,   "{\"uri\":\"file:///src/a.yaml\"}"                          },
		{ "c:\n\xff.yaml",    "/src", "{\"uri\":\"c%3A%0A%FF.yaml\",\"uriBaseId\":\"%SRCROOT%\"}" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source source = source_of(cases[i].name, "x", 1);
		_check_ struct check check = {.base = cases[i].base, .policy = policy_new()};
		_text_ struct text out = TEXT_INIT;

		diag_error(&check.diags, ((struct span){&source, 1, 1, 1}), "wrong");
		vec_push(&check.groups, CHECK_POLICY);
		check_sarif(&check, &out);
		assert_row(cases[i].name, strstr(out.buf, cases[i].uri));
		source_release(&source);
	}
}

static void xml_holds_any_text(void **state)
{
	_text_ struct text out = TEXT_INIT;

	(void)state;
	text_add_xml(&out, "a<b> & \"c\" 'd'\n\t\001\033\xff\xc3\xa4\xe2\x80\xae");
	assert_string_equal(out.buf, "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;&#9;"
				     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_is_as_it_was_reviewed),
		cmocka_unit_test(json_and_sarif_are_json),
		cmocka_unit_test(junit_counts_what_fails),
		cmocka_unit_test(what_cannot_be_read_is_told_in_every_format),
		cmocka_unit_test(places_are_relative_to_the_base),
		cmocka_unit_test(xml_holds_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
