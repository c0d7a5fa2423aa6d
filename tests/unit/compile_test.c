/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <errno.h>

#include "tests/unit/policy_text.h"

static const char modes[] =
	"  zones:\n"
	"  - {name: strict, cidrs: [10.1.0.0/16, \"fd01::/64\"]}\n"
	"  - {name: watched, cidrs: [10.2.0.0/16], mode: audit}\n"
	"  - {name: loose, cidrs: [10.3.0.0/16], mode: \"off\"}\n"
	"  workloads:\n"
	"  - {name: w, zone: watched, addresses: [10.2.0.1], mode: enforce}\n"
	"  rules:\n"
	"  - {name: web, from: any, to: strict, services: tcp/80}\n"
	"  - {name: web-too, from: any, to: any, services: tcp/80, log: true}\n"
	"  - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n"
	"  - {name: telnet, from: any, to: any, services: tcp/20-25, log: true}\n"
	"  - {name: tls, from: any, to: any, services: tcp/443-444, require: tls}\n"
	"  - {name: no-tls, from: any, to: strict, services: tcp/443-445}\n"
	"  - {name: tls-late, from: any, to: any, services: tcp/445-446, require: tls, log: "
	"true}\n";

struct decide_case {
	const char *name;
	const char *src, *dst;
	uint16_t port;
	const char
		*decision; /* verdict, rule, "log" if it is reported, "tls" if that is required */
};

/* clang-format off */
static const struct decide_case cases[] = {
	{ "the first rule is named", "10.1.0.1", "10.1.0.2", 80, "allow web" },
	{ "a later rule where the first ends", "10.1.0.1", "10.2.0.2", 80, "allow web-too log" },
	{ "deny beats allow", "10.1.0.1", "10.1.0.2", 23, "deny no-telnet" },
	{ "the port beside it", "10.1.0.1", "10.1.0.2", 24, "allow telnet log" },
	{ "default deny within a zone", "10.1.0.1", "10.1.0.2", 99, "deny default" },
	{ "IPv6 alike", "fd01::1", "fd01::2", 99, "deny default" },
	{ "an end that enforces", "10.2.0.2", "10.1.0.1", 99, "deny default" },
	{ "a workload that enforces", "10.2.0.2", "10.2.0.1", 99, "deny default" },
	{ "audit keeps the default's name", "10.2.0.2", "10.3.0.1", 99, "audit default" },
	{ "audit keeps the rule's name", "10.3.0.2", "10.2.0.2", 23, "audit no-telnet" },
	{ "off lets through", "10.3.0.2", "10.3.0.3", 99, "allow default" },
	{ "off keeps the rule's name", "10.3.0.2", "10.3.0.3", 23, "allow no-telnet" },
	{ "outside has no mode", "10.9.0.1", "10.3.0.3", 99, "allow default" },
	{ "outside to outside", "10.9.0.1", "10.9.0.2", 99, "allow default" },
	{ "outside to audit", "10.9.0.1", "10.2.0.2", 99, "audit default" },
	{ "TLS is required", "10.1.0.1", "10.1.0.2", 444, "allow tls tls" },
	{ "and reported", "10.1.0.1", "10.1.0.2", 446, "allow tls-late log tls" },
	{ "if one end enforces", "10.3.0.1", "10.1.0.2", 444, "allow tls tls" },
	{ "nobody enforces", "10.2.0.2", "10.3.0.3", 444, "allow tls" },
	{ "the rule that is named requires it", "10.1.0.1", "10.1.0.2", 443, "allow tls tls" },
	{ "only a later one requires it", "10.1.0.1", "10.1.0.2", 445, "allow no-tls" },
	{ "outside to enforce", "10.9.0.1", "10.1.0.2", 99, "deny default" },
};
/* clang-format on */

static void decides_as_the_language_says(void **state)
{
	static const char *const words[] = {"deny", "allow", "reject", "audit"};
	_policy_text_ struct compiled_text t = policy_text(modes, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct decide_case *k = &cases[i];
		struct bh_addr src, dst;
		_text_ struct text out = TEXT_INIT;
		struct decision d;

		assert_null(addr_parse(k->src, &src));
		assert_null(addr_parse(k->dst, &dst));
		d = decision_of_cell(
			image_decide(&t.compiled->image, &src, &dst, BH_SERVICE_TCP, k->port));
		text_addf(&out, "%s %s%s%s", words[d.verdict],
			  compiled_rule_name(t.compiled, d.rule), d.log ? " log" : "",
			  d.tls ? " tls" : "");
		assert_row_string(k->name, out.buf, k->decision);
	}
}

/* The same otherwise: a decision that denies goes on by its name. */
static void who_loads_it_may_have_it_only_report(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(modes, NULL);
	_compiled_ struct compiled *audited = NULL;
	_diags_ struct diags d = {};
	const struct environment env = {};

	(void)state;
	t.policy->is_audit = true;
	assert_int_equal(policy_compile(t.policy, &env, &d, &audited), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct decide_case *k = &cases[i];
		struct decision was, is;
		struct bh_addr src, dst;

		assert_null(addr_parse(k->src, &src));
		assert_null(addr_parse(k->dst, &dst));
		was = decision_of_cell(
			image_decide(&t.compiled->image, &src, &dst, BH_SERVICE_TCP, k->port));
		is = decision_of_cell(
			image_decide(&audited->image, &src, &dst, BH_SERVICE_TCP, k->port));
		assert_row(k->name, is.rule == was.rule);
		assert_row(k->name, is.verdict == (was.verdict == BH_VERDICT_DENY ? BH_VERDICT_AUDIT
										  : was.verdict));
	}
}

static void row_zero_denies_everything(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(modes, NULL);
	const struct image *image = &t.compiled->image;

	(void)state;
	for (uint32_t i = 0; i < image->service_classes; i++)
		assert_int_equal(image_grid_get(&image->cells, 0, i), 0);
}

/* Workloads in pairs, each with a rule of its own: rows and pairs of more than one block. */
static void equal_rows_are_stored_once(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  zones:\n  - {name: z, cidrs: [10.0.0.0/8]}\n"
			    "  workloads:\n"
			    "  - {name: a, zone: z, addresses: [10.0.0.1]}\n"
			    "  - {name: b, zone: z, addresses: [10.0.0.2]}\n"
			    "  - {name: c, zone: z, addresses: [10.0.0.3]}\n"
			    "  rules:\n"
			    "  - {name: one, from: [a, b], to: c, services: tcp/80}\n"
			    "  - {name: two, from: a, to: c, services: tcp/80}\n"
			    "  - {name: three, from: c, to: b, services: tcp/80}\n",
			    NULL);
	const struct image *image = &t.compiled->image;

	(void)state;
	/* Zero, denied, allowed outside; one (two never decides), three. */
	assert_int_equal(image->cells.rows, 5);
}

static void too_many_rules_are_refused_with_numbers(void **state)
{
	_policy_ struct policy *p = policy_new();
	const struct environment env = {};
	struct compiled *c = NULL;
	_diags_ struct diags d = {};

	(void)state;
	for (size_t i = 0; i < BH_RULE_ENTRIES; i++)
		vec_push(&p->rules, (struct rule){
					    .from = selector_new(SELECT_ANY, (struct span){}),
					    .to = selector_new(SELECT_ANY, (struct span){}),
				    });
	assert_int_equal(policy_compile(p, &env, &d, &c), -E2BIG);
	assert_int_equal(d.errors, 1);
	assert_string_equal(d.list.items[0].message,
			    "the policy needs 262160 rules; there is room for 131072");
}

/* A class for each of @count workloads, which open to the first, or to one another. */
static void write_many_classes(uint32_t count, bool is_to_all, struct text *out)
{
	text_add(out, POLICY_TEXT_HEAD "  workloads:\n");
	for (uint32_t i = 0; i < count; i++)
		text_addf(out, "  - {name: w%u, addresses: [10.%u.%u.%u]}\n", i, i >> 16,
			  i >> 8 & 255, i & 255);
	text_add(out, "  rules:\n");
	for (uint32_t i = 0; i < count; i++)
		text_addf(out, "  - {name: r%u, from: w%u, to: w%u, services: tcp/80}\n", i, i,
			  is_to_all ? (i + 1) % count : 0);
}

static void many_classes_fit_or_are_refused_with_their_number(void **state)
{
	static const struct {
		uint32_t classes;
		bool is_to_all;
		const char *message; /* NULL: it fits */
	} rows[] = {
		{12000, false, NULL},
		{12000, true,
		 "the policy needs 282024 directory lines for pairs of classes; there is room for "
		 "262144"},
		{66000, false,
		 "the policy needs 66001 classes of addresses; there is room for 65535"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct environment env = {};
		_text_ struct text text = TEXT_INIT;
		_policy_ struct policy *p = NULL;
		_compiled_ struct compiled *c = NULL;
		_diags_ struct diags d = {};
		struct source source;

		write_many_classes(rows[i].classes, rows[i].is_to_all, &text);
		source = source_of("t.yaml", text.buf, text.len);
		assert_int_equal(policy_load_sources(&source, 1, &d, &p), 0);
		assert_int_equal(policy_compile(p, &env, &d, &c), rows[i].message ? -E2BIG : 0);
		if (rows[i].message)
			assert_string_equal(d.list.items[0].message, rows[i].message);
	}
}

static void an_empty_policy_compiles(void **state)
{
	_policy_ struct policy *p = policy_new();
	const struct environment env = {};
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};

	(void)state;
	assert_int_equal(policy_compile(p, &env, &d, &c), 0);
	assert_int_equal(c->image.prefixes.count, 0);
	assert_int_equal(c->classes.count, 1);
	assert_int_equal(c->image.rules, BH_RULE_FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_language_says),
		cmocka_unit_test(who_loads_it_may_have_it_only_report),
		cmocka_unit_test(row_zero_denies_everything),
		cmocka_unit_test(equal_rows_are_stored_once),
		cmocka_unit_test(too_many_rules_are_refused_with_numbers),
		cmocka_unit_test(many_classes_fit_or_are_refused_with_their_number),
		cmocka_unit_test(an_empty_policy_compiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
