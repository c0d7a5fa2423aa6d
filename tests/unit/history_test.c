/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/history.h"

#include <errno.h>
#include <stdio.h>

#include "agent/policies/audit.h"
#include "agent/policies/durable.h"
#include "agent/policies/temporary.h"
#include "tests/test.h"
#include "util/mem.h"

static char directory[] = "/tmp/bulkhead-history-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	_text_ struct text command = TEXT_INIT;

	(void)state;
	text_addf(&command, "rm -r '%s'", directory);
	return system(command.buf);
}

/* A policy of one text, and a temporary rule behind it. */
static struct loaded_policy *policy_of(const char *text)
{
	struct policy *policy = policy_new();
	struct source *own = xcalloc(1, sizeof(*own)), *other = xcalloc(1, sizeof(*other));

	*own = source_of("own.yaml", text, strlen(text));
	*other = source_of("temporary", "x", 1);
	vec_push(&policy->sources, own);
	vec_push(&policy->sources, other);
	return loaded_policy_new(policy, 1, NULL, 0);
}

static void add(const char *text)
{
	_loaded_policy_ struct loaded_policy *loaded = policy_of(text);

	assert_int_equal(history_add(directory, loaded, NULL), 0);
}

static void assert_back(unsigned int back, const char *text)
{
	_text_ struct text why = TEXT_INIT;
	source_list texts = {};

	assert_int_equal(history_read(directory, back, &texts, &why), 0);
	assert_int_equal(texts.count, 1);
	assert_string_equal(texts.items[0].name, "own.yaml");
	assert_string_equal(texts.items[0].text, text);
	source_list_release(&texts);
}

static void assert_none(unsigned int back, const char *sentence)
{
	_text_ struct text why = TEXT_INIT;
	source_list texts = {};

	assert_int_equal(history_read(directory, back, &texts, &why), -ENOENT);
	assert_string_equal(why.buf, sentence);
	assert_int_equal(texts.count, 0);
}

static void the_last_ten_are_kept(void **state)
{
	(void)state;
	assert_none(1, "no policy before this one is kept");
	add("a");
	assert_back(0, "a");
	assert_none(1, "no policy before this one is kept");
	add("b");
	add("b"); /* it is the newest already */
	assert_back(1, "a");
	assert_none(2, "there is no policy 2 back: 1 are kept");
	for (char name[] = "c"; name[0] <= 'z'; name[0]++)
		add(name);
	assert_back(0, "z");
	assert_back(HISTORY_BACK, "p");
	assert_none(HISTORY_BACK + 1, "there is no policy 11 back: 10 are kept");
	add("p");
	assert_back(0, "p");
	assert_back(1, "z");
}

static void a_file_that_is_torn_is_no_policy(void **state)
{
	_text_ struct text path = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	source_list texts = {};
	FILE *torn;

	(void)state;
	add("torn");
	text_addf(&path, "%s/" HISTORY_DIRECTORY "/99999999.json", directory);
	torn = fopen(path.buf, "w");
	assert_non_null(torn);
	fputs("{\"sources\":[{\"name\":\"x\",", torn);
	fclose(torn);
	assert_int_equal(history_read(directory, 0, &texts, &why), -EBADMSG);
	assert_non_null(strstr(why.buf, "cannot read '"));
	assert_back(1, "torn");
	remove(path.buf);
}

static void the_audit_log_only_grows(void **state)
{
	const struct caller who = {true, 1000, 100, 42, CALLER_NO_LOGIN};
	const struct audit_entry first = {.command = "start", .after = "a", .outcome = "done"};
	const struct audit_entry second = {
		.who = &who,
		.command = "apply",
		.diff = "{\"lines\":[]}",
		.note = "two\nlines",
	};
	_text_ struct text log = TEXT_INIT;

	(void)state;
	audit_add(directory, &first);
	audit_add(directory, &second);
	assert_int_equal(durable_read(directory, AUDIT_FILE, &log), 0);
	assert_non_null(strstr(log.buf, "\"who\":null,\"command\":\"start\",\"before\":null,"
					"\"after\":\"a\",\"diff\":null,\"outcome\":\"done\","));
	assert_non_null(strstr(log.buf, "\n{\"time\":\"20"));
	assert_non_null(strstr(log.buf, "\"who\":{\"uid\":1000,\"gid\":100,\"pid\":42,"
					"\"login\":null},\"command\":\"apply\""));
	assert_non_null(strstr(log.buf, "\"diff\":{\"lines\":[]}"));
	assert_non_null(strstr(log.buf, "\"note\":\"two\\nlines\"}\n"));
}

static void temporary_rules_outlive_the_agent(void **state)
{
	const struct temporary_request first = {"web \"x\"", "10.0.0.1", "tcp/22", 2000};
	const struct temporary_request second = {"fd00::/64", "db", "any", 1000};
	struct temporaries before = {}, after = {};

	(void)state;
	assert_int_equal(temporaries_load(&after, directory), 0);
	temporaries_add(&before, &first);
	temporaries_add(&before, &second);
	assert_int_equal(temporaries_save(&before, directory), 0);
	assert_int_equal(temporaries_load(&after, directory), 0);
	assert_int_equal(after.list.count, 2);
	assert_string_equal(after.list.items[0].source.name, "temporary-2000-1");
	assert_non_null(strstr(after.list.items[0].source.text,
			       "\"from\":\"web \\\"x\\\"\",\"to\":{\"cidr\":\"10.0.0.1\"},"
			       "\"services\":\"tcp/22\",\"log\":true,"
			       "\"expires\":\"1970-01-01T00:33:20Z\""));
	assert_non_null(strstr(after.list.items[1].source.text,
			       "\"from\":{\"cidr\":\"fd00::/64\"},\"to\":\"db\""));
	assert_int_equal(temporaries_expire(&after, 999, 7), 0);
	assert_int_equal(temporaries_expire(&after, 1000, 8), 1);
	assert_string_equal(after.list.items[0].source.name, "temporary-2000-1");
	temporaries_release(&after);
	assert_int_equal(temporaries_save(&after, directory), 0);
	assert_int_equal(temporaries_load(&after, directory), 0);
	assert_int_equal(after.list.count, 0);
	temporaries_release(&before);
}

static void a_clock_that_is_set_back_makes_no_temporary_rule_last_longer(void **state)
{
	const struct temporary_request hour = {"client", "db", "tcp/22", 100000 + 3600};
	struct temporaries rules = {};

	(void)state;
	temporaries_add(&rules, &hour);
	assert_int_equal(temporaries_expire(&rules, 100000, 50), 0);
	assert_int_equal(temporaries_expire(&rules, 1000, 50 + 1800), 0);
	assert_int_equal(temporaries_expire(&rules, 2800, 50 + 3600), 0);
	assert_int_equal(temporaries_expire(&rules, 2801, 50 + 3601), 1);
	temporaries_add(&rules, &hour);
	assert_int_equal(temporaries_expire(&rules, 100000, 50), 0);
	assert_int_equal(temporaries_expire(&rules, 100000 + 3600, 51), 1);
	temporaries_release(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ten_are_kept),
		cmocka_unit_test(a_file_that_is_torn_is_no_policy),
		cmocka_unit_test(the_audit_log_only_grows),
		cmocka_unit_test(temporary_rules_outlive_the_agent),
		cmocka_unit_test(a_clock_that_is_set_back_makes_no_temporary_rule_last_longer),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
