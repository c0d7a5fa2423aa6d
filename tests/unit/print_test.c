/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <string.h>

#include "policy/load.h"
#include "policy/print.h"

#define HEAD  "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nspec:\n"
#define ZONES "  zones: [{name: a, cidrs: 10.0.0.0/8}, {name: b}]\n"

struct selector_case {
	const char *given;
	const char *printed;
};

/* clang-format off */
static const struct selector_case selectors[] = {
	{ "any",                               "any" },
	{ "host",                              "host" },
	{ "outside",                           "outside" },
	{ "remote-node",                       "remote-node" },
	{ "{podSelector: {}}",                 "{podSelector: {}}" },
	{ "{namespaceSelector: {}}",           "{podSelector: {}}" },
	{ "{podSelector: {matchLabels: {a: 'null'}}, namespaceSelector: {matchExpressions: [{key: a, operator: Exists}]}}",
	  "{namespaceSelector: {matchExpressions: [{key: a, operator: Exists}]}, podSelector: {matchLabels: {a: \"null\"}}}" },
	{ "a",                                 "a" },
	{ "[a]",                               "a" },
	{ "[a, [b, any]]",                     "[a, [b, any]]" },
	{ "{zone: a}",                         "a" },
	{ "{except: [a]}",                     "{except: a}" },
	{ "{except: {except: a}}",             "{except: {except: a}}" },
	{ "{cidr: 10.0.0.1/32}",               "{cidr: 10.0.0.1}" },
	{ "{cidr: 'fd00:0::/64'}",             "{cidr: \"fd00::/64\"}" },
	{ "{except: 10.1.0.0/16, cidr: 10.0.0.0/8}", "{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}" },
	{ "{labels: {x: 'y'}}",                "{labels: {x: y}}" },
	{ "{labels: {x: 'y: z', '': q}}",      NULL },
	{ "{labels: {'x ': '\"\\', y: ''}}",   "{labels: {\"x \": \"\\\"\\\\\", y: \"\"}}" },
	{ "{labels: {x: y}, zone: b}",         "{zone: b, labels: {x: y}}" },
	{ "{matchExpressions: [{key: x, operator: In, values: y}]}", "{labels: {x: y}}" },
	{ "{matchExpressions: [{key: x, operator: Exists}]}",
	  "{matchExpressions: [{key: x, operator: Exists}]}" },
	{ "{matchExpressions: [{key: x, operator: In, values: [z]}], labels: {x: y}}",
	  "{labels: {x: y}, matchExpressions: [{key: x, operator: In, values: [z]}]}" },
};
/* clang-format on */

/* NULL with errors for what doesn't load. */
static struct policy *load(const char *text, struct diags *d)
{
	struct source source = source_of("test", text, strlen(text));
	struct policy *p;

	if (!policy_load_sources(&source, 1, d, &p))
		return p;
	policy_free(p);
	return NULL;
}

static void check_selector(const struct selector_case *c)
{
	_text_ struct text text = TEXT_INIT, got = TEXT_INIT, want = TEXT_INIT;
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;

	text_addf(&text, HEAD ZONES "  rules: [{name: r, from: %s, to: b, services: any}]\n",
		  c->given);
	p = load(text.buf, &d);
	if (!p) {
		if (c->printed)
			fail_msg("%s doesn't load", c->given);
		return;
	}
	text_addf(&want, "- {name: r, from: %s, to: b, services: [any]}\n", c->printed);
	policy_print(p, &got);
	if (!c->printed || !strstr(got.buf, want.buf))
		fail_msg("%s: got %s", c->given, got.buf);
}

static void a_selector_has_one_canonical_form(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(selectors); i++)
		check_selector(&selectors[i]);
}

/* A document of its own for each run of workloads whose spec.mode is the same. */
static void workloads_keep_the_mode_of_their_document(void **state)
{
	_text_ struct text got = TEXT_INIT;
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;

	(void)state;
	p = load(HEAD "  workloads: [{name: v, addresses: 10.0.0.1}]\n"
		      "---\n" HEAD "  mode: off\n  workloads: [{name: w, addresses: 10.0.0.2}]\n",
		 &d);
	assert_non_null(p);
	policy_print(p, &got);
	assert_string_equal(got.buf, HEAD "  mode: enforce\n  workloads:\n"
					  "    - {name: v, addresses: [10.0.0.1]}\n"
					  "---\n" HEAD "  mode: off\n  workloads:\n"
					  "    - {name: w, addresses: [10.0.0.2]}\n");
}

struct label_case {
	const char *name;
	const char *labels; /* of the workload */
	const char *expression;
	bool is_match;
};

/* clang-format off */
static const struct label_case label_cases[] = {
	{ "equal",             "a: x",       "key: a, operator: In, values: [x]",       true },
	{ "one of",            "a: x",       "key: a, operator: In, values: [y, x]",    true },
	{ "another",           "a: x",       "key: a, operator: In, values: [y]",       false },
	{ "absent in",         "b: x",       "key: a, operator: In, values: [x]",       false },
	{ "not in",            "a: x",       "key: a, operator: NotIn, values: [y]",    true },
	{ "not not in",        "a: x",       "key: a, operator: NotIn, values: [y, x]", false },
	{ "absent not in",     "b: x",       "key: a, operator: NotIn, values: [x]",    true },
	{ "exists",            "a: x",       "key: a, operator: Exists",                true },
	{ "absent exists",     "b: x",       "key: a, operator: Exists",                false },
	{ "not exists",        "a: x",       "key: a, operator: DoesNotExist",          false },
	{ "absent not exists", "b: x",       "key: a, operator: DoesNotExist",          true },
	{ "every one",         "a: x, b: y",
	  "key: a, operator: Exists}, {key: b, operator: DoesNotExist",                 false },
};
/* clang-format on */

static void labels_match_as_upstream_says(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(label_cases); i++) {
		const struct label_case *c = &label_cases[i];
		_text_ struct text text = TEXT_INIT;
		_diags_ struct diags d = {};
		_policy_ struct policy *p = NULL;

		text_addf(&text,
			  HEAD "  workloads: [{name: w, addresses: 10.0.0.1, labels: {%s}}]\n"
			       "  never: [{name: n, to: any, from: {matchExpressions: [{%s}]}}]\n",
			  c->labels, c->expression);
		p = load(text.buf, &d);
		assert_non_null(p);
		if (requirements_match(&p->nevers.items[0].from->requirements,
				       &p->workloads.items[0].labels) != c->is_match)
			fail_msg("%s", c->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_selector_has_one_canonical_form),
		cmocka_unit_test(workloads_keep_the_mode_of_their_document),
		cmocka_unit_test(labels_match_as_upstream_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
