/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "policy/yaml.h"
#include "policy/yaml_parts.h"
#include "policy/yaml_plain.h"

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

/* --- the quick way --- */

static const char *const plain_lines[] = {
	"# a comment\n---\n",
	"kind: ZonePolicy\nmetadata: {name: a, 'b c': \"d\"}\n",
	"spec:\n  zones:\n    - {name: z, cidrs: [10.0.0.0/8, fd10::/32]}\n",
	"  rules:\n  - name: r # why\n    to: [a b, 'c']\n\n    services:\n      - tcp/443\n",
	"  - {name: r2, to: {labels: {a: b}}, from: [x, y], services: tcp/443}\n",
	"  - - x\n    - y: {}\n      z: []\n  -\n    last:\nend: it's #1\n",
};

/* @is_whole: in size, too, which of what was folded isn't known. */
static bool is_same(const struct node *a, const struct node *b, bool is_whole)
{
	const struct node *x, *y;

	if (is_whole && (a->size != b->size || a->height != b->height))
		return false;
	if (a->kind != b->kind || a->count != b->count || a->at.line != b->at.line ||
	    a->at.column != b->at.column || a->at.len != b->at.len)
		return false;
	if (a->kind == NODE_TEXT)
		return a->is_plain == b->is_plain && !strcmp(a->text, b->text);
	for (x = a->first, y = b->first; x && y; x = x->next, y = y->next) {
		if (!is_same(x, y, is_whole) ||
		    (a->kind == NODE_MAP && !is_same(x->value, y->value, is_whole)))
			return false;
	}
	return x == y;
}

static bool are_same(const struct yaml *quick, const struct yaml *full, bool is_whole)
{
	if (quick->documents.count != full->documents.count)
		return false;
	for (size_t i = 0; i < full->documents.count; i++) {
		if (!is_same(quick->documents.items[i], full->documents.items[i], is_whole))
			return false;
	}
	return true;
}

/* What is wrong in an entry is told when it is unfolded. */
static bool is_same_unfolded(const struct source *source, const struct yaml *full, size_t errors)
{
	struct diags d = {};
	struct yaml quick = {};
	bool is_right;

	if (yaml_plain_parse(source, YAML_FOLDED, &quick))
		return false;
	vec_foreach (document, &quick.documents)
		yaml_unfold_all(&quick, *document, &d);
	is_right = d.errors == errors && are_same(&quick, full, false);
	yaml_release(&quick);
	diags_release(&d);
	return is_right;
}

/* Whether the quick way took it; then it must be what the other one makes of it. */
static bool compare_ways(const char *text)
{
	struct source source = source_of("test", text, strlen(text));
	struct diags d = {};
	struct yaml quick = {}, full = {}, folded = {};
	bool is_taken = !yaml_plain_parse(&source, YAML_UNFOLDED, &quick), is_right = true;

	if (is_taken) {
		is_right = !yaml_parse_in_full(&source, &d, &full) && !d.errors &&
			   are_same(&quick, &full, true) && is_same_unfolded(&source, &full, 0);
	} else if (!yaml_plain_parse(&source, YAML_FOLDED, &folded)) {
		is_right = !yaml_parse_in_full(&source, &d, &full) && d.errors &&
			   is_same_unfolded(&source, &full, d.errors);
	}
	if (!is_right)
		print_error("differs: <<%s>>\n", text);
	assert_true(is_right);
	yaml_release(&quick);
	yaml_release(&full);
	yaml_release(&folded);
	diags_release(&d);
	source_release(&source);
	return is_taken;
}

static uint32_t below(uint32_t *state, size_t bound)
{
	*state = *state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*state * bound >> 32);
}

static void mutate(struct text *t, uint32_t *state)
{
	static const char odd[] = "   \n\n:-#,[]{}'\"&*!|>%@?~<.a0/\t\\";

	for (uint32_t n = below(state, 4); n; n--)
		t->buf[below(state, t->len)] = odd[below(state, sizeof(odd) - 1)];
}

static void the_quick_way_reads_the_same(void **state)
{
	uint32_t seed = 1, taken = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		_text_ struct text t = TEXT_INIT;

		for (size_t line = 0; line <= 1 + below(&seed, COUNT(plain_lines) - 1); line++)
			text_add(&t, plain_lines[line]);
		mutate(&t, &seed);
		taken += compare_ways(t.buf);
	}
	assert_true(taken > 2000);
}

/* A key that is given twice is found when the entry is unfolded, and told as it always is. */
static void entries_that_are_folded_keep_their_errors(void **state)
{
	static const char *const entries[] = {
		"    - {name: a, to: b, name: c}\n",
		"    - {to: {labels: {a: b, a: c}}}\n",
		"    - {'a': [x], a: [{b: c, b: d, b: e}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		_text_ struct text t = TEXT_INIT;

		text_addf(&t, "spec:\n  rules:\n%s    - {a: b}\n", entries[i]);
		assert_false(compare_ways(t.buf));
	}
}

/* Words of a folded entry are what its nodes say. */
static void words_are_the_source_s(void **state)
{
	struct source source = source_of("test", "a:\n  b:\n  - { x: y , z: [1, {2: 3}]}\n", 36);
	struct yaml_part parts[2];
	struct yaml y = {};
	struct diags d = {};
	const struct node *n;

	(void)state;
	assert_int_equal(yaml_parse_folded(&source, YAML_FOLDED, &d, &y), 0);
	n = y.documents.items[0]->first->value->first->value->first;
	assert_true(n->is_folded);
	assert_int_equal(yaml_parts(n, parts, 1), 0);
	assert_int_equal(yaml_parts(n, parts, 2), 2);
	assert_true(yaml_word_is(&parts[0].key, "x"));
	assert_true(yaml_word_is(&parts[0].value, "y"));
	assert_true(yaml_word_is_text(&parts[0].value));
	assert_int_equal(yaml_word_at(n, &parts[0].value).line, 3);
	assert_int_equal(yaml_word_at(n, &parts[0].value).column, 10);
	assert_true(yaml_word_is(&parts[1].value, "[1, {2: 3}]"));
	assert_false(yaml_word_is_text(&parts[1].value));
	yaml_release(&y);
	diags_release(&d);
	source_release(&source);
}

static void the_quick_way_takes_what_is_plain(void **state)
{
	_text_ struct text t = TEXT_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(plain_lines); i++)
		text_add(&t, plain_lines[i]);
	assert_true(compare_ways(t.buf));
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
		cmocka_unit_test(the_quick_way_reads_the_same),
		cmocka_unit_test(the_quick_way_takes_what_is_plain),
		cmocka_unit_test(entries_that_are_folded_keep_their_errors),
		cmocka_unit_test(words_are_the_source_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
