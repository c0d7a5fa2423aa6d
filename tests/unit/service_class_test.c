/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/services.h"
#include "tests/unit/policy_text.h"

/* Rules for each list in turn; two services, and whether they share a class. */
struct share_case {
	const char *name;
	const char *lists[3];
	const char *one, *other;
	bool is_shared;
};

/* clang-format off */
static const struct share_case shares[] = {
	{ "unmentioned ports", { "tcp/80" }, "tcp/79", "tcp/81", true },
	{ "ports of two protocols", { "tcp/80" }, "tcp/1", "udp/80", true },
	{ "a port and its neighbour", { "tcp/80" }, "tcp/80", "tcp/81", false },
	{ "below a range", { "tcp/80-90" }, "tcp/79", "tcp/80", false },
	{ "the ends of a range", { "tcp/80-90" }, "tcp/80", "tcp/90", true },
	{ "above a range", { "tcp/80-90" }, "tcp/90", "tcp/91", false },
	{ "the same rules, far apart", { "tcp/80-90", "tcp/85" }, "tcp/80", "tcp/90", true },
	{ "another rule in the middle", { "tcp/80-90", "tcp/85" }, "tcp/84", "tcp/85", false },
	{ "one list of two ports", { "[tcp/80, udp/53]" }, "tcp/80", "udp/53", true },
	{ "the last port", { "tcp/65535" }, "tcp/65535", "udp/0", false },
	{ "the last port alone", { "tcp/65535" }, "tcp/65534", "udp/0", true },
	{ "port zero", { "tcp/0" }, "tcp/0", "tcp/1", false },
	{ "codes of an icmp type", { "icmp/3" }, "icmp/3/0", "icmp/3/255", true },
	{ "icmp types", { "icmp/3" }, "icmp/3/0", "icmp/4/0", false },
	{ "icmp and icmp6", { "icmp/3" }, "icmp/3/0", "icmp6/3/0", false },
	{ "proto/6 is all of tcp", { "proto/6", "tcp/0-65535" }, "tcp/0", "tcp/65535", true },
	{ "any is every protocol", { "any" }, "proto/0", "tcp/443", true },
	{ "one protocol", { "any", "proto/47" }, "proto/46", "proto/47", false },
};
/* clang-format on */

static uint32_t class_of(const struct compiled *c, const char *service)
{
	services s = {};
	struct service_range first;

	assert_true(services_parse(service, &s, NULL));
	first = s.items[0];
	vec_release(&s);
	return image_service_class(&c->image, first.table, first.lo);
}

static void add_rules(const char *const lists[3], struct text *spec)
{
	text_add(spec, "  rules:\n");
	for (int i = 0; i < 3 && lists[i]; i++)
		text_addf(spec, "  - {name: r%d, from: any, to: any, services: %s}\n", i, lists[i]);
}

static void numbers_of_the_same_rules_share_a_class(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shares); i++) {
		const struct share_case *c = &shares[i];
		_text_ struct text spec = TEXT_INIT;
		_policy_text_ struct compiled_text t = {};
		uint32_t one, other;

		add_rules(c->lists, &spec);
		t = policy_text(spec.buf, NULL);
		one = class_of(t.compiled, c->one);
		other = class_of(t.compiled, c->other);
		assert_row(c->name, (one == other) == c->is_shared);
	}
}

static void any_has_the_icmp_of_the_wrong_family(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  rules:\n  - {name: r, from: any, to: any, services: any}\n", NULL);

	(void)state;
	assert_int_equal(image_service_class(&t.compiled->image, BH_SERVICE_PROTO, 58), 1);
	assert_int_equal(image_service_class(&t.compiled->image, BH_SERVICE_PROTO, 1), 1);
}

static void what_nothing_mentions_is_class_zero(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(
		"  rules:\n  - {name: r, from: any, to: any, services: tcp/80}\n", NULL);

	(void)state;
	assert_int_equal(image_service_class(&t.compiled->image, BH_SERVICE_UDP, 80), 0);
	assert_int_equal(image_service_class(&t.compiled->image, BH_SERVICE_TCP, 80), 1);
	assert_int_equal(t.compiled->image.service_classes, 2);
}

static void nevers_and_expects_cut_too(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  never:\n  - {name: n, from: any, to: any, services: tcp/22}\n"
			    "  expect:\n"
			    "  - {from: any, to: any, services: tcp/23, verdict: deny}\n",
			    NULL);

	(void)state;
	assert_int_equal(t.compiled->image.service_classes, 3);
}

static void the_numbers_of_a_class_are_listed(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(
		"  rules:\n  - {name: r, from: any, to: any, services: [tcp/80, udp/53-54]}\n",
		NULL);
	_text_ struct text out = TEXT_INIT;

	(void)state;
	services_format((services *)&t.compiled->service_classes.items[1], &out);
	assert_string_equal(out.buf, "tcp/80, udp/53-54");
}

static void all_classes_together_are_any(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  rules:\n  - {name: r, from: any, to: any, services: [tcp/80, "
			    "icmp/3, proto/47]}\n",
			    NULL);
	_text_ struct text out = TEXT_INIT;
	services all = {};

	(void)state;
	vec_foreach (class, &t.compiled->service_classes) {
		vec_foreach (range, class)
			vec_push(&all, *range);
	}
	services_normalise(&all);
	services_format(&all, &out);
	assert_string_equal(out.buf, "any");
	vec_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_the_same_rules_share_a_class),
		cmocka_unit_test(any_has_the_icmp_of_the_wrong_family),
		cmocka_unit_test(what_nothing_mentions_is_class_zero),
		cmocka_unit_test(nevers_and_expects_cut_too),
		cmocka_unit_test(the_numbers_of_a_class_are_listed),
		cmocka_unit_test(all_classes_together_are_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
