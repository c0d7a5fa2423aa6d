/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/diag.h"

#include <string.h>

#include "tests/test.h"

#define BOM "\xef\xbb\xbf"

static void print(const struct diags *d, struct text *ret)
{
	_free_ char *printed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&printed, &len);

	assert_non_null(out);
	diags_print(d, out);
	fclose(out);
	text_addn(ret, printed, len);
}

struct excerpt_case {
	const char *name, *text;
	unsigned int line, column, len;
	const char *printed; /* after the first line */
};

/* clang-format off */
static const struct excerpt_case excerpts[] = {
	{ "one word",        "a: form",           1, 4, 4,  "  a: form\n     ^~~~\n" },
	{ "one character",   "a: form",           1, 4, 1,  "  a: form\n     ^\n" },
	{ "second line",     "a\nbc\nd",          2, 2, 1,  "  bc\n   ^\n" },
	{ "CRLF",            "a\r\nbc\r\nd",      2, 1, 2,  "  bc\n  ^~\n" },
	{ "bare CR",         "a\rbc",             2, 1, 2,  "  bc\n  ^~\n" },
	{ "YAML's NEL",      "a\xc2\x85" "bc",    2, 1, 2,  "  bc\n  ^~\n" },
	{ "last line",       "a\nb",              2, 1, 1,  "  b\n  ^\n" },
	{ "tab is kept",     "\ta: b",            1, 5, 1,  "  \ta: b\n  \t   ^\n" },
	{ "accents",         "\xc3\xa9\xc3\xa9 x", 1, 4, 1, "  \xc3\xa9\xc3\xa9 x\n     ^\n" },
	{ "BOM is no column", BOM "ab",           1, 2, 1,  "  ab\n   ^\n" },
	{ "bad UTF-8",       "\xff\xfe x",        1, 4, 1,  "  ?? x\n     ^\n" },
	{ "escape sequence", "\033[2J x",         1, 6, 1,  "  ?[2J x\n       ^\n" },
	{ "span past the end", "ab",              1, 2, 9,  "  ab\n   ^\n" },
	{ "behind the end",  "ab",                1, 3, 1,  "  ab\n    ^\n" },
	{ "far behind it",   "ab",                1, 99, 1, "  ab\n    ^\n" },
	{ "empty line",      "a\n\nb",            2, 1, 1,  "" },
	{ "end of the file", "a\n",               2, 1, 1,  "" },
	{ "no such line",    "a\n",               9, 1, 1,  "" },
	{ "empty file",      "",                  1, 1, 1,  "" },
};
/* clang-format on */

static void the_caret_stands_under_the_span(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(excerpts); i++) {
		const struct excerpt_case *c = &excerpts[i];
		struct source source = source_of("p.yaml", c->text, strlen(c->text));
		struct span at = {&source, c->line, c->column, c->len};
		_text_ struct text wanted = TEXT_INIT;
		_text_ struct text seen = TEXT_INIT;
		_diags_ struct diags d = {};

		diag_error(&d, at, "wrong");
		print(&d, &seen);
		text_addf(&wanted, "p.yaml:%u:%u: error: wrong\n%s", c->line, c->column,
			  c->printed);
		assert_row_string(c->name, seen.buf, wanted.buf);
		source_release(&source);
	}
}

struct window_case {
	const char *name;
	unsigned int column;
	const char *line_start, *line_end;
	unsigned int caret; /* bytes before it */
};

/* A line of 1,000 columns: only what is near the span is shown, and where it is cut. */
static const struct window_case windows[] = {
	{"at its start", 1, "  0123456789", "...", 2},
	{"in the middle", 500, "  ...9012345678", "...", 65},
	{"at its end", 1000, "  ...9012345678", "9", 65},
};

static void a_long_line_is_shown_around_the_span(void **state)
{
	_text_ struct text line = TEXT_INIT;
	struct source source;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		text_addf(&line, "%u", i % 10);
	source = source_of("p", line.buf, line.len);
	for (size_t i = 0; i < COUNT(windows); i++) {
		const struct window_case *c = &windows[i];
		struct span at = {&source, 1, c->column, 1};
		_diags_ struct diags d = {};
		_text_ struct text seen = TEXT_INIT;
		char *excerpt, *carets;

		diag_error(&d, at, "x");
		print(&d, &seen);
		excerpt = strchr(seen.buf, '\n') + 1;
		carets = strchr(excerpt, '\n') + 1;
		carets[-1] = '\0';
		assert_row(c->name, strlen(excerpt) <= 2 + 3 + 160 + 3);
		assert_row(c->name, !strncmp(excerpt, c->line_start, strlen(c->line_start)));
		assert_row_string(c->name, excerpt + strlen(excerpt) - strlen(c->line_end),
				  c->line_end);
		assert_row(c->name, strspn(carets, " ") == c->caret);
		assert_row_string(c->name, carets + c->caret, "^\n");
	}
	source_release(&source);
}

static void levels_ids_and_notes_are_told_in_order(void **state)
{
	struct source source = source_of("a.yaml", "one\ntwo\n", 8);
	_diags_ struct diags d = {};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	diag_warning(&d, ((struct span){&source, 1, 1, 3}), "unused '%s'", "one");
	d.list.items[0].id = "BH006";
	diag_error(&d, ((struct span){&source, 2, 1, 3}), "duplicate");
	diag_note(&d, ((struct span){&source, 1, 1, 3}), "first defined here");
	diag_error(&d, ((struct span){.source = &source}), "no document");
	diag_error(&d, (struct span){}, "no file given");
	print(&d, &seen);
	assert_string_equal(seen.buf, "a.yaml:1:1: warning: unused 'one' [BH006]\n"
				      "  one\n"
				      "  ^~~\n"
				      "a.yaml:2:1: error: duplicate\n"
				      "  two\n"
				      "  ^~~\n"
				      "a.yaml:1:1: note: first defined here\n"
				      "  one\n"
				      "  ^~~\n"
				      "a.yaml: error: no document\n"
				      "error: no file given\n");
	assert_int_equal(d.errors, 3);
	assert_int_equal(d.warnings, 1);
	source_release(&source);
}

static void names_and_messages_are_defused(void **state)
{
	struct source source = source_of("\033]0;x\007.yaml", "a", 1);
	_diags_ struct diags d = {};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	diag_error(&d, ((struct span){.source = &source}), "unknown key '%s'", "a\nb\033[1m");
	print(&d, &seen);
	assert_string_equal(seen.buf, "?]0;x?.yaml: error: unknown key 'a?b?[1m'\n");
	source_release(&source);
}

static void a_source_may_hold_nul_bytes(void **state)
{
	struct source source = source_of("p", "a\0b\nc", 5);
	_diags_ struct diags d = {};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	diag_error(&d, ((struct span){&source, 1, 3, 1}), "x");
	diag_error(&d, ((struct span){&source, 2, 1, 1}), "y");
	print(&d, &seen);
	assert_string_equal(seen.buf, "p:1:3: error: x\n  a?b\n    ^\np:2:1: error: y\n  c\n  ^\n");
	source_release(&source);
}

/* Far apart, and far into the text: each is found from a known line before it. */
static void every_line_of_a_large_source_is_found(void **state)
{
	_text_ struct text text = TEXT_INIT;
	_diags_ struct diags d = {};
	struct source s;

	(void)state;
	for (unsigned int line = 1; line <= 5000; line++)
		text_addf(&text, "line %u\n", line);
	s = source_of("f", text.buf, text.len);
	for (unsigned int line = 5000; line > 13; line -= 13) {
		_text_ struct text want = TEXT_INIT, seen = TEXT_INIT;

		diags_release(&d);
		diag_error(&d, ((struct span){.source = &s, .line = line, .column = 1, .len = 1}),
			   "x");
		text_addf(&want, "f:%u:1: error: x\n  line %u\n  ^\n", line, line);
		print(&d, &seen);
		assert_string_equal(seen.buf, want.buf);
	}
	source_release(&s);
}

static void too_many_are_counted_and_not_kept(void **state)
{
	_text_ struct text seen = TEXT_INIT;
	_diags_ struct diags d = {};

	(void)state;
	for (size_t i = 0; i < DIAG_KEPT + 2; i++) {
		diag_error(&d, (struct span){}, "x");
		diag_note(&d, (struct span){}, "y");
	}
	assert_int_equal(d.errors, DIAG_KEPT + 2);
	assert_int_equal(d.list.count, DIAG_KEPT);
	print(&d, &seen);
	assert_non_null(strstr(seen.buf, "note: y\n5002 more are not shown\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_caret_stands_under_the_span),
		cmocka_unit_test(a_long_line_is_shown_around_the_span),
		cmocka_unit_test(levels_ids_and_notes_are_told_in_order),
		cmocka_unit_test(names_and_messages_are_defused),
		cmocka_unit_test(a_source_may_hold_nul_bytes),
		cmocka_unit_test(every_line_of_a_large_source_is_found),
		cmocka_unit_test(too_many_are_counted_and_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
