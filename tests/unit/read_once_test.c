/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_once.h"

#include "policy/load.h"
#include "tests/test.h"
#include "util/diag.h"
#include "util/mem.h"

#define HEAD                                                                                       \
	"apiVersion: bulkhead.dev/v1\n"                                                            \
	"kind: ZonePolicy\n"                                                                       \
	"spec:\n"                                                                                  \
	"  zones:\n"                                                                               \
	"    - {name: dmz, cidrs: 10.0.0.0/24}\n"                                                  \
	"    - {name: data, cidrs: 10.0.1.0/24}\n"                                                 \
	"  services:\n"                                                                            \
	"    - {name: web, ports: [tcp/80, tcp/443]}\n"                                            \
	"  rules:\n"

static struct policy *load(const char *rules, struct diags *d)
{
	_text_ struct text text = TEXT_INIT;
	struct source source;
	struct policy *p;

	text_add(&text, HEAD);
	text_add(&text, rules);
	source = source_of("t", text.buf, text.len);
	policy_load_sources(&source, 1, d, &p);
	return p;
}

struct pair {
	const char *name;
	const char *a, *b; /* the ends that two rules come from */
	bool is_one;
};

/* clang-format off */
static const struct pair pairs[] = {
	{"a zone",              "dmz",                     "dmz",                     true},
	{"another zone",        "dmz",                     "data",                    false},
	{"any",                 "any",                     "any",                     true},
	{"labels",              "{labels: {a: b}}",        "{labels: {a: b}}",        true},
	{"another value",       "{labels: {a: b}}",        "{labels: {a: c}}",        false},
	{"one label more",      "{labels: {a: b}}",        "{labels: {a: b, c: d}}",  false},
	{"a value that is two", "{labels: {a: b}}",        "{labels: {a: 'b c'}}",    false},
	{"labels in a zone",    "{labels: {a: b}}",        "{zone: dmz, labels: {a: b}}", false},
	{"a cidr has a place",  "{cidr: 10.0.0.0/25}",     "{cidr: 10.0.0.0/25}",     false},
	{"so has an except",    "{except: dmz}",           "{except: dmz}",           false},
	{"and a list",          "[dmz, data]",             "[dmz, data]",             false},
};
/* clang-format on */

#define FOLDED_RULES                                                                               \
	"    - {name: r1, from: %s, to: data, services: web}\n"                                    \
	"    - {name: r2, from: %s, to: data, services: web}\n"

#define BLOCK_RULES                                                                                \
	"    - name: r1\n      from: %s\n      to: data\n      services: web\n"                    \
	"    - name: r2\n      from: %s\n      to: data\n      services: web\n"

static void compare_ends(const char *rules)
{
	for (size_t i = 0; i < COUNT(pairs); i++) {
		_text_ struct text text = TEXT_INIT;
		_diags_ struct diags d = {};
		_policy_ struct policy *p = NULL;

		text_addf(&text, rules, pairs[i].a, pairs[i].b);
		p = load(text.buf, &d);
		assert_int_equal(d.errors, 0);
		if ((p->rules.items[0].from == p->rules.items[1].from) != pairs[i].is_one)
			fail_msg("%s: ends are%s one", pairs[i].name,
				 pairs[i].is_one ? " not" : "");
		assert_ptr_equal(p->rules.items[0].to, p->rules.items[1].to);
	}
}

static void ends_that_are_written_alike_are_one(void **state)
{
	(void)state;
	compare_ends(FOLDED_RULES);
	compare_ends(BLOCK_RULES);
}

static void services_that_are_written_alike_are_one_list(void **state)
{
	_diags_ struct diags d = {};
	_policy_ struct policy *p =
		load("    - {name: r1, from: dmz, to: data, services: [web, udp/53]}\n"
		     "    - {name: r2, from: dmz, to: data, services: [web, udp/53]}\n"
		     "    - {name: r3, from: dmz, to: data, services: [udp/53, web]}\n",
		     &d);
	const struct rule *rules = p->rules.items;

	(void)state;
	assert_int_equal(d.errors, 0);
	assert_ptr_equal(rules[0].services.items, rules[1].services.items);
	assert_ptr_not_equal(rules[0].services.items, rules[2].services.items);
	assert_int_equal(rules[2].services.count, 3);
	assert_string_equal(rules[1].service_text, "web, udp/53");
	assert_string_equal(rules[2].service_text, "udp/53, web");
}

/* What is wrong is told wherever it stands. */
static void what_is_wrong_is_read_each_time(void **state)
{
	_diags_ struct diags d = {};
	_policy_ struct policy *p =
		load("    - {name: r1, from: nobody, to: {labels: {a: }}, services: tcp/x}\n"
		     "    - {name: r2, from: nobody, to: {labels: {a: }}, services: tcp/x}\n"
		     "    - {name: r3, from: dmz, to: {labels: {a: ''}}, services: web}\n"
		     "    - {name: r4, from: dmz, to: {labels: {a: }}, services: web}\n",
		     &d);

	(void)state;
	assert_int_equal(d.errors, 7);
	assert_int_equal(p->rules.count, 4);
}

/* A list that is kept elsewhere becomes one of its own when it grows. */
static void a_list_that_is_kept_can_be_changed(void **state)
{
	_diags_ struct diags d = {};
	_policy_ struct policy *p =
		load("    - {name: r1, from: dmz, to: data, services: udp/53}\n"
		     "    - {name: r2, from: dmz, to: data, services: udp/53}\n",
		     &d);
	struct rule *rules = p->rules.items;

	(void)state;
	vec_push(&rules[0].services, (struct service_range){BH_SERVICE_UDP, 99, 99});
	assert_int_equal(rules[0].services.count, 2);
	assert_int_equal(rules[0].services.items[0].lo, 53);
	assert_int_equal(rules[1].services.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_that_are_written_alike_are_one),
		cmocka_unit_test(services_that_are_written_alike_are_one_list),
		cmocka_unit_test(what_is_wrong_is_read_each_time),
		cmocka_unit_test(a_list_that_is_kept_can_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
