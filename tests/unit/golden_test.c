/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Each input of the directory gives its .ok (the canonical print), its .err (the diagnostics) or
 * its .warn (what lint finds).
 */
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/print.h"

#define BAD  "bad-"
#define LINT "lint-"

#define LINT_NOW 1795251600 /* 2026-11-21T09:00:00Z */

/* A file NAME.yaml, or a directory NAME.d of several. */
static int is_input(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && (!strcmp(dot, ".yaml") || !strcmp(dot, ".d"));
}

static void print_diags(const struct diags *d, struct text *out)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);

	assert_non_null(f);
	diags_print(d, f);
	fclose(f);
	text_addn(out, buf, len);
	free(buf);
}

static bool load_text(const char *text, struct text *out)
{
	struct source source = source_of("printed", text, strlen(text));
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;
	bool is_good = !policy_load_sources(&source, 1, &d, &p);

	if (is_good)
		policy_print(p, out);
	else
		print_diags(&d, out);
	return is_good;
}

static bool has_start(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

static bool lint_policy(const struct policy *p, struct diags *d, struct text *out)
{
	_compiled_ struct compiled *c = NULL;
	bool is_good = !policy_compile(p, &(struct environment){}, d, &c);

	if (is_good)
		lint(c, LINT_NOW, d);
	print_diags(d, out);
	return is_good;
}

/* What is only shown, for people. */
static void drop_comments(struct text *t)
{
	_text_ struct text kept = TEXT_INIT;

	for (const char *line = t->buf, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (*line != '#')
			text_addn(&kept, line, (size_t)(end - line) + (*end != '\0'));
	}
	text_reset(t);
	text_add(t, kept.buf);
}

/* What the input gives, and whether it is what its name promises. */
static bool result_of(const char *name, struct text *out)
{
	bool is_bad = has_start(name, BAD);
	_text_ struct text again = TEXT_INIT, first = TEXT_INIT;
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;
	bool is_loaded;
	int err;

	err = policy_load(&name, 1, &d, &p);
	if (err || is_bad) {
		print_diags(&d, out);
		return err && is_bad;
	}
	if (has_start(name, LINT))
		return lint_policy(p, &d, out);
	policy_print(p, out);
	text_add(&first, out->buf);
	is_loaded = load_text(out->buf, &again);
	drop_comments(&first);
	drop_comments(&again);
	if (is_loaded && !strcmp(first.buf, again.buf))
		return true;
	print_error("%s: printed and loaded again it is\n%s", name, again.buf);
	return false;
}

static bool compare(const char *path, const struct text *got)
{
	struct source want;
	bool is_same;

	if (getenv("GOLDEN_REWRITE")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fwrite(got->buf, 1, got->len, f);
		assert_int_equal(fclose(f), 0);
		return true;
	}
	if (source_read(path, &want) < 0) {
		print_error("%s is missing\n", path);
		return false;
	}
	is_same = want.len == got->len && !memcmp(want.text, got->buf, got->len);
	if (!is_same)
		print_error("%s differs; got\n%s", path, got->buf);
	source_release(&want);
	return is_same;
}

static const char *ending_of(const char *name)
{
	if (has_start(name, LINT))
		return ".warn";
	return has_start(name, BAD) ? ".err" : ".ok";
}

static bool check(const char *name)
{
	_text_ struct text got = TEXT_INIT, path = TEXT_INIT;
	const char *dot = strrchr(name, '.');

	if (!result_of(name, &got)) {
		print_error("%s: not what its name says:\n%s", name, got.buf);
		return false;
	}
	text_addn(&path, name, dot ? (size_t)(dot - name) : strlen(name));
	text_add(&path, ending_of(name));
	return compare(path.buf, &got);
}

static void every_input_gives_its_golden_result(void **state)
{
	const char *dir = getenv("GOLDEN_DIR");
	struct dirent **entries;
	int count, failed = 0;

	(void)state;
	assert_int_equal(chdir(dir ? dir : "tests/golden"), 0);
	count = scandir(".", &entries, is_input, alphasort);
	assert_true(count > 40);
	for (int i = 0; i < count; i++) {
		failed += !check(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_input_gives_its_golden_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
