/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "policy/yaml.h"

/* A tree in one line: texts as they are, [items], {key: value}. */
static void show(const struct node *n, struct text *out)
{
	if (n->kind == NODE_TEXT) {
		text_addf(out, n->is_plain ? "%s" : "'%s'", n->text);
		return;
	}
	text_addc(out, n->kind == NODE_LIST ? '[' : '{');
	node_foreach(item, n)
	{
		text_add(out, item == n->first ? "" : ", ");
		show(item, out);
		if (n->kind == NODE_LIST)
			continue;
		text_add(out, ": ");
		show(item->value, out);
	}
	text_addc(out, n->kind == NODE_LIST ? ']' : '}');
}

/* "LINE:COLUMN+LEN" of each text, in order. */
static void show_places(const struct node *n, struct text *out)
{
	if (n->kind == NODE_TEXT) {
		text_addf(out, "%s%u:%u+%u", out->len ? " " : "", n->at.line, n->at.column,
			  n->at.len);
		return;
	}
	node_foreach(item, n)
	{
		show_places(item, out);
		if (n->kind == NODE_MAP)
			show_places(item->value, out);
	}
}

struct parsed {
	struct source source;
	struct diags diags;
	struct yaml yaml;
	int err;
};

static void parse(struct parsed *p, const char *text)
{
	*p = (struct parsed){.source = source_of("test", text, strlen(text))};
	p->err = yaml_parse(&p->source, &p->diags, &p->yaml);
}

static void release(struct parsed *p)
{
	yaml_release(&p->yaml);
	diags_release(&p->diags);
	source_release(&p->source);
}

/* The line of a diagnostic; 0 if there is none. */
static unsigned int line_of(const struct parsed *p, size_t i)
{
	return i < p->diags.list.count ? p->diags.list.items[i].at.line : 0;
}

struct tree_case {
	const char *name;
	const char *text;
	const char *tree; /* documents are joined with " | " */
};

/* clang-format off */
static const struct tree_case trees[] = {
	{ "block",          "a: b\nc:\n  - d\n  - e: f\n", "{a: b, c: [d, {e: f}]}" },
	{ "flow",           "{a: [b, 'c', \"d\"], e: {}}",  "{a: [b, 'c', 'd'], e: {}}" },
	{ "documents",      "a\n---\n---\nb\n",             "a | b" },
	{ "nothing",        "# nothing\n",                  "" },
	{ "bom and crlf",   "\xef\xbb\xbf" "a: b\r\nc: d\r\n", "{a: b, c: d}" },
	{ "alias",          "- &x [a, b]\n- *x\n- {c: *x}", "[[a, b], [a, b], {c: [a, b]}]" },
	{ "alias as key",   "- &x a\n- {*x : b}",           "[a, {a: b}]" },
	{ "newest anchor",  "[&x a, &x b, *x]",             "[a, b, b]" },
	{ "missing",        "a:\nb:\n  -\n",                "{a: , b: []}" },
	{ "folded",         "a: >\n  b\n  c\n",             "{a: 'b c\n'}" },
};
/* clang-format on */

static void text_becomes_a_tree(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(trees); i++) {
		_text_ struct text got = TEXT_INIT;
		struct parsed p;

		parse(&p, trees[i].text);
		vec_foreach (document, &p.yaml.documents) {
			text_add(&got, document == p.yaml.documents.items ? "" : " | ");
			show(*document, &got);
		}
		if (p.err || p.diags.errors || strcmp(got.buf, trees[i].tree) != 0)
			fail_msg("%s: got %s", trees[i].name, got.buf);
		release(&p);
	}
}

struct place_case {
	const char *name;
	const char *text;
	const char *places;
};

/* clang-format off */
static const struct place_case place_cases[] = {
	{ "plain",              "a: bcd\ne: f\n",           "1:1+1 1:4+3 2:1+1 2:4+1" },
	{ "quotes count",       "a: 'bc'",                  "1:1+1 1:4+4" },
	{ "code points",        "\xc3\xa9\xc3\xa9: \xe2\x82\xac", "1:1+2 1:5+1" },
	{ "bom is no column",   "\xef\xbb\xbf" "a: b",      "1:1+1 1:4+1" },
	{ "crlf is one line",   "a: b\r\nc: d\r\n",         "1:1+1 1:4+1 2:1+1 2:4+1" },
	{ "more than one line", "a: b\n  c\n",              "1:1+1 1:4+1" },
	{ "behind an anchor",   "[&x a, *x, &yy  b]",       "1:5+1 1:8+2 1:17+1" },
	{ "anchor on its own",  "a: &x # \xc3\xa9\n  b\n",  "1:1+1 2:3+1" },
	{ "missing value",      "abc:\nd: e",               "1:1+3 1:1+3 2:1+1 2:4+1" },
	{ "missing item",       "-\n- a",                   "1:1+1 2:3+1" },
};
/* clang-format on */

static void every_text_has_its_place(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(place_cases); i++) {
		_text_ struct text got = TEXT_INIT;
		struct parsed p;

		parse(&p, place_cases[i].text);
		vec_foreach (document, &p.yaml.documents)
			show_places(*document, &got);
		if (strcmp(got.buf, place_cases[i].places) != 0)
			fail_msg("%s: got %s", place_cases[i].name, got.buf);
		release(&p);
	}
}

/* @times aliases of a list of @items, beside each other. */
static void many_aliases(struct text *out, unsigned int items, unsigned int times)
{
	text_add(out, "- &x [a");
	for (unsigned int i = 1; i < items; i++)
		text_add(out, ", a");
	text_add(out, "]\n");
	for (unsigned int i = 0; i < times; i++)
		text_add(out, "- *x\n");
}

static void aliases_may_add_ten_thousand_nodes(void **state)
{
	_text_ struct text text = TEXT_INIT;
	struct parsed p;

	(void)state;
	many_aliases(&text, 99, 100); /* a list of 99 is 100 nodes */
	parse(&p, text.buf);
	assert_int_equal(p.err, 0);
	release(&p);

	text_add(&text, "- *x\n");
	parse(&p, text.buf);
	assert_int_not_equal(p.err, 0);
	assert_int_equal(p.diags.errors, 1);
	assert_int_equal(line_of(&p, 0), 102);
	release(&p);
}

static void a_hundred_levels_are_the_limit(void **state)
{
	(void)state;

	for (size_t depth = YAML_DEPTH; depth <= YAML_DEPTH + 1; depth++) {
		_text_ struct text text = TEXT_INIT;
		struct parsed p;

		for (size_t i = 0; i < depth; i++)
			text_addc(&text, '[');
		for (size_t i = 0; i < depth; i++)
			text_addc(&text, ']');
		parse(&p, text.buf);
		assert_int_equal(p.err == 0, depth == YAML_DEPTH);
		release(&p);
	}
}

static void a_large_mapping_is_searched_for_duplicates(void **state)
{
	_text_ struct text text = TEXT_INIT;
	struct parsed p;

	(void)state;
	for (unsigned int i = 0; i < 100000; i++)
		text_addf(&text, "k%u: v\n", i);
	text_add(&text, "k99999: v\n");
	parse(&p, text.buf);
	assert_int_equal(p.diags.errors, 1);
	assert_int_equal(line_of(&p, 0), 100001);
	assert_int_equal(line_of(&p, 1), 100000);
	release(&p);
}

static void documents_before_a_syntax_error_are_kept(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "a: b\n---\n[c\n");
	assert_int_not_equal(p.err, 0);
	assert_int_equal(p.yaml.documents.count, 1);
	release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_a_tree),
		cmocka_unit_test(every_text_has_its_place),
		cmocka_unit_test(aliases_may_add_ten_thousand_nodes),
		cmocka_unit_test(a_hundred_levels_are_the_limit),
		cmocka_unit_test(a_large_mapping_is_searched_for_duplicates),
		cmocka_unit_test(documents_before_a_syntax_error_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
