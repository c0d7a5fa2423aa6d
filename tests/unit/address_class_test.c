/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "tests/unit/policy_text.h"

static const char nested[] = "  zones:\n"
			     "  - {name: internet, cidrs: [\"::/0\"]}\n"
			     "  - {name: outer, cidrs: [10.0.0.0/16]}\n"
			     "  - {name: inner, cidrs: [10.0.1.128/25]}\n"
			     "  - {name: full, cidrs: [10.2.0.0/24]}\n"
			     "  - {name: low, cidrs: [10.2.0.0/25]}\n"
			     "  - {name: high, cidrs: [10.2.0.128/25]}\n"
			     "  workloads:\n"
			     "  - {name: w, zone: outer, addresses: [10.0.1.0/24]}\n"
			     "  - {name: free, addresses: [10.0.1.200, 192.0.2.0/24]}\n"
			     "  - {name: six, addresses: [\"fd00::/64\"]}\n";

struct name_case {
	const char *name;
	const char *address;
	const char *workload, *zone; /* NULL: none */
};

/* clang-format off */
static const struct name_case names[] = {
	{ "a zone's address",                        "10.0.0.1",    NULL,   "outer" },
	{ "a workload's address",                    "10.0.1.1",    "w",    "outer" },
	{ "the last before a narrower zone",         "10.0.1.127",  "w",    "outer" },
	{ "a narrower zone takes from the workload", "10.0.1.128",  NULL,   "inner" },
	{ "a workload without zone has the longest", "10.0.1.200",  "free", "inner" },
	{ "a workload in no zone",                   "192.0.2.1",   "free", NULL },
	{ "::/0 never catches IPv4",                 "203.0.113.1", NULL,   NULL },
	{ "::/0 catches IPv6",                       "2001:db8::1", NULL,   "internet" },
	{ "an IPv6 workload in ::/0",                "fd00::1",     "six",  "internet" },
	{ "the lower half of a covered zone",        "10.2.0.1",    NULL,   "low" },
	{ "the upper half of a covered zone",        "10.2.0.255",  NULL,   "high" },
	{ "past the last prefix",                    "10.2.1.0",    NULL,   NULL },
};
/* clang-format on */

static uint32_t identity_at(const struct compiled *c, const char *address)
{
	struct bh_addr a;

	assert_null(addr_parse(address, &a));
	return image_identity(&c->image, &a);
}

static void the_longest_prefix_decides(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(nested, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct name_case *n = &names[i];
		const struct identity *id =
			&t.compiled->identities.items[identity_at(t.compiled, n->address)];
		const char *workload = id->workload == POLICY_NONE
					       ? "none"
					       : t.policy->workloads.items[id->workload].name;
		const char *zone = id->zone == POLICY_NONE ? "none"
							   : t.policy->zones.items[id->zone].name;

		assert_row_string(n->name, workload, n->workload ? n->workload : "none");
		assert_row_string(n->name, zone, n->zone ? n->zone : "none");
	}
}

static void a_zone_without_addresses_of_its_own_has_no_identity(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(nested, NULL);

	(void)state;
	vec_foreach (id, &t.compiled->identities) {
		if (id->zone != POLICY_NONE)
			assert_string_not_equal(t.policy->zones.items[id->zone].name, "full");
	}
}

static void a_prefix_that_changes_nothing_is_not_listed(void **state)
{
	/* Two cidrs of one zone, one within the other; the rest of both families is outside. */
	_policy_text_ struct compiled_text t =
		policy_text("  zones:\n  - {name: z, cidrs: [10.0.0.0/8, 10.1.0.0/16]}\n", NULL);

	(void)state;
	assert_int_equal(t.compiled->image.prefixes.count, 1);
	assert_int_equal(identity_at(t.compiled, "11.0.0.1"), 0);
}

static void identities_that_no_selector_tells_apart_share_a_class(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  zones:\n  - {name: z, cidrs: [10.0.0.0/8]}\n"
			    "  workloads:\n"
			    "  - {name: a, zone: z, addresses: [10.0.0.1]}\n"
			    "  - {name: b, zone: z, addresses: [10.0.0.2]}\n"
			    "  - {name: c, zone: z, addresses: [10.0.0.3]}\n"
			    "  - {name: d, zone: z, addresses: [10.0.0.4], mode: audit}\n"
			    "  rules:\n  - {name: r, from: z, to: c, services: tcp/80}\n",
			    NULL);
	const struct compiled *c = t.compiled;
	uint32_t classes[5];
	char address[] = "10.0.0.0";

	(void)state;
	for (int i = 0; i < 5; i++) {
		address[7] = (char)('0' + i);
		classes[i] = c->identities.items[identity_at(c, address)].class;
	}
	assert_int_equal(classes[0], classes[1]);
	assert_int_equal(classes[1], classes[2]);
	assert_int_not_equal(classes[2], classes[3]);
	assert_int_not_equal(classes[2], classes[4]);
	assert_int_not_equal(classes[3], classes[4]);
}

static void cidrs_and_their_excepts_cut_identities(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(
		"  rules:\n"
		"  - {name: r, from: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, to: any, "
		"services: any}\n",
		NULL);
	const struct compiled *c = t.compiled;

	(void)state;
	assert_int_not_equal(identity_at(c, "10.0.0.1"), 0);
	assert_int_equal(identity_at(c, "10.1.0.1"), 0);
	assert_int_equal(identity_at(c, "10.2.0.1"), identity_at(c, "10.0.0.1"));
	assert_int_equal(identity_at(c, "11.0.0.1"), 0);
}

static void the_machine_has_an_identity(void **state)
{
	struct bh_addr host;
	struct environment env = {.host = &host, .host_count = 1};
	_policy_text_ struct compiled_text t = {};
	uint32_t id;

	(void)state;
	assert_null(addr_parse("10.0.0.9", &host));
	t = policy_text("  zones:\n  - {name: z, cidrs: [10.0.0.0/24]}\n", &env);
	id = identity_at(t.compiled, "10.0.0.9");
	assert_int_equal(t.compiled->image.identities.items[id].flags, BH_IDENTITY_HOST);
	assert_int_equal(
		t.compiled->image.identities.items[identity_at(t.compiled, "10.0.0.8")].flags, 0);
	assert_int_equal(t.compiled->identities.items[id].zone, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_decides),
		cmocka_unit_test(a_zone_without_addresses_of_its_own_has_no_identity),
		cmocka_unit_test(a_prefix_that_changes_nothing_is_not_listed),
		cmocka_unit_test(identities_that_no_selector_tells_apart_share_a_class),
		cmocka_unit_test(cidrs_and_their_excepts_cut_identities),
		cmocka_unit_test(the_machine_has_an_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
