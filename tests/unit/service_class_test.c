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

/* --- POL-09 POL-14: each list opens its own ports, and no other of any protocol --- */

/* Per protocol the bounds of what is open; none: first above last. */
struct open_case {
	const char *list;
	uint16_t tcp[2], udp[2], sctp[2];
};

/* clang-format off */
static const struct open_case opens[] = {
	{ "tcp/80-90",       {80, 90},       {1, 0},       {1, 0} },
	{ "tcp/1-65535",     {1, 65535},     {1, 0},       {1, 0} },
	{ "tcp/65535-65535", {65535, 65535}, {1, 0},       {1, 0} },
	{ "tcp/0-0",         {0, 0},         {1, 0},       {1, 0} },
	{ "udp/1024-65535",  {1, 0},         {1024, 65535}, {1, 0} },
	{ "[tcp/79-81, tcp/81-90, udp/90, tcp/85]", {79, 90}, {90, 90}, {1, 0} },
	{ "sctp/0-65535",    {1, 0},         {1, 0},       {0, 65535} },
	{ "proto/132",       {1, 0},         {1, 0},       {0, 65535} },
	{ "proto/33",        {1, 0},         {1, 0},       {1, 0} },
	{ "proto/6",         {0, 65535},     {1, 0},       {1, 0} },
	{ "any",             {0, 65535},     {0, 65535},   {0, 65535} },
};
/* clang-format on */

/* From outside to outside nothing is ever stopped, whatever the rules say. */
static bool is_open(const struct compiled *c, enum bh_service_table table, uint16_t port)
{
	static const struct bh_addr outside = {};

	return !decision_of_cell(image_decide(&c->image, &outside, &outside, table, port))
			.is_denied;
}

static void a_list_of_services_opens_exactly_its_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(opens); i++) {
		const struct open_case *o = &opens[i];
		_text_ struct text spec = TEXT_INIT;
		_policy_text_ struct compiled_text t = {};

		text_addf(&spec, "  rules:\n  - {name: r, from: any, to: any, services: %s}\n",
			  o->list);
		t = policy_text(spec.buf, NULL);
		for (uint32_t port = 0; port <= UINT16_MAX; port++) {
			assert_row(o->list, is_open(t.compiled, BH_SERVICE_TCP, (uint16_t)port) ==
						    (o->tcp[0] <= port && port <= o->tcp[1]));
			assert_row(o->list, is_open(t.compiled, BH_SERVICE_UDP, (uint16_t)port) ==
						    (o->udp[0] <= port && port <= o->udp[1]));
			assert_row(o->list, is_open(t.compiled, BH_SERVICE_SCTP, (uint16_t)port) ==
						    (o->sctp[0] <= port && port <= o->sctp[1]));
		}
	}
}

#define RANGES 100

static void a_hundred_overlapping_ranges_are_exact(void **state)
{
	static bool is_meant[UINT16_MAX + 1];
	_text_ struct text spec = TEXT_INIT;
	_policy_text_ struct compiled_text t = {};

	(void)state;
	text_add(&spec, "  rules:\n");
	for (uint32_t i = 0; i < RANGES; i++) {
		uint32_t first = i * 7919 % 60000, last = first + i * 1009 % 700;

		text_addf(&spec, "  - {name: r%u, from: any, to: any, services: tcp/%u-%u}\n", i,
			  first, last);
		memset(&is_meant[first], true, last - first + 1);
	}
	t = policy_text(spec.buf, NULL);
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		if (is_open(t.compiled, BH_SERVICE_TCP, (uint16_t)port) != is_meant[port])
			fail_msg("port %u should be open: %d", port, is_meant[port]);
		assert_false(is_open(t.compiled, BH_SERVICE_UDP, (uint16_t)port));
	}
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
		cmocka_unit_test(a_list_of_services_opens_exactly_its_ports),
		cmocka_unit_test(a_hundred_overlapping_ranges_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
