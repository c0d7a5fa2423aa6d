/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/naming.h"

#include <arpa/inet.h>
#include <string.h>

#include <bulkhead/builtin.h>
#include <bulkhead/limits.h>
#include <bulkhead/reason.h>

#include "policy/load.h"
#include "tests/test.h"

#define HEAD                                                                                       \
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: t}\nspec:\n"              \
	"  zones:\n"                                                                               \
	"    - {name: dmz,  cidrs: [10.0.0.0/20]}\n"                                               \
	"    - {name: data, cidrs: [10.0.32.0/20]}\n"                                              \
	"  workloads:\n"

static const char old_text[] = HEAD
	"    - {name: edge, zone: dmz, addresses: [10.0.0.10], labels: {tier: edge}}\n"
	"    - {name: db, zone: data, addresses: [10.0.32.10]}\n"
	"    - {name: loose, addresses: [192.0.2.9]}\n"
	"  rules:\n"
	"    - {name: gone, from: edge, to: dmz, services: udp/1}\n"
	"    - {name: edge-to-db, from: edge, to: db, services: tcp/5432}\n";

/* Other names, other numbers. */
static const char new_text[] = HEAD
	"    - {name: aaa, zone: dmz, addresses: [10.0.0.1]}\n"
	"    - {name: front, zone: dmz, addresses: [10.0.0.10]}\n"
	"  rules:\n"
	"    - {name: front-to-data, from: front, to: data, services: tcp/5432}\n";

#define OLD_GENERATION 4
#define NEW_GENERATION 5

struct fixture {
	struct policy_version *old, *new;
	struct naming naming;
};

static struct bh_addr address(const char *s)
{
	struct bh_addr a = {};

	assert_null(addr_parse(s, &a));
	return a;
}

static struct policy_version *make_version(const char *text, uint32_t generation)
{
	struct source source = source_of("p.yaml", text, strlen(text));
	_loaded_policy_ struct loaded_policy *loaded = NULL;
	const char *const paths[] = {"p.yaml"};
	struct bh_addr host = address("198.51.100.1");
	struct environment env = {.host = &host, .host_count = 1};
	_diags_ struct diags diags = {};
	struct compiled *compiled = NULL;
	struct policy *policy = NULL;
	struct policy_version *v;

	if (policy_load_sources(&source, 1, &diags, &policy)) {
		diags_print(&diags, stderr);
		fail();
	}
	loaded = loaded_policy_new(policy, 0, paths, COUNT(paths));
	assert_int_equal(policy_compile(policy, &env, &diags, &compiled), 0);
	v = policy_version_new(loaded, compiled);
	v->generation = generation;
	return v;
}

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){.naming = NAMING_INIT};
	f.old = make_version(old_text, OLD_GENERATION);
	f.new = make_version(new_text, NEW_GENERATION);
	naming_update(&f.naming, f.new, f.old);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	naming_release(&f->naming);
	policy_version_free(f->old);
	policy_version_free(f->new);
	return 0;
}

static uint32_t identity_of(const struct policy_version *v, const char *s)
{
	struct bh_addr a = address(s);

	return image_identity(&v->compiled->image, &a);
}

struct end_case {
	const char *name;
	uint32_t generation;
	const char *numbered; /* the identity is that of this address in that generation; NULL: 0 */
	const char *addr;
	const char *workload, *zone, *labels;
};

/* clang-format off */
#define EDGE "10.0.0.10"
#define DB   "10.0.32.10"
#define THIS "198.51.100.1"
#define OWN  "{\"tier\":\"edge\"}"

static const struct end_case end_cases[] = {
	{ "in force",                    5, EDGE,        EDGE,          "front", "dmz",     "{}" },
	{ "the generation before",       4, EDGE,        EDGE,          "edge",  "dmz",     OWN  },
	{ "the number, not the address", 4, DB,          EDGE,          "db",    "data",    "{}" },
	{ "forgotten: by address now",   3, NULL,        EDGE,          "front", "dmz",     "{}" },
	{ "not looked up: by address",   4, NULL,        EDGE,          "edge",  "dmz",     OWN  },
	{ "only a zone",                 5, DB,          DB,            NULL,    "data",    "{}" },
	{ "in nothing",                  5, NULL,        "203.0.113.1", NULL,    "outside", "{}" },
	{ "this machine",                5, THIS,        THIS,          NULL,    "host",    "{}" },
	{ "a workload in no zone",       4, "192.0.2.9", "192.0.2.9",   "loose", NULL,      "{}" },
};
/* clang-format on */

static const char *or_none(const char *s)
{
	return s ? s : "(none)";
}

static void names_ends_as_in_their_generation(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(end_cases); i++) {
		const struct end_case *c = &end_cases[i];
		const struct policy_version *v = c->generation == OLD_GENERATION ? f->old : f->new;
		uint32_t identity = c->numbered ? identity_of(v, c->numbered) : 0;
		struct bh_addr addr = address(c->addr);
		struct event_end end;

		naming_end(&f->naming, c->generation, identity, &addr, &end);
		if (strcmp(or_none(end.workload), or_none(c->workload)) != 0 ||
		    strcmp(or_none(end.zone), or_none(c->zone)) != 0 ||
		    strcmp(end.labels_json, c->labels) != 0)
			fail_msg("%s: %s in %s, %s", c->name, or_none(end.workload),
				 or_none(end.zone), end.labels_json);
	}
}

static void a_zone_brings_its_role(void **state)
{
	struct fixture *f = *state;
	struct bh_addr front = address("10.0.0.10"), data = address("10.0.32.1");
	struct bh_addr loose = address("192.0.2.9"), stranger = address("203.0.113.1");
	struct event_end end;

	naming_end(&f->naming, OLD_GENERATION, 0, &front, &end);
	assert_int_equal(end.role, ROLE_FRONT);
	naming_end(&f->naming, OLD_GENERATION, 0, &data, &end);
	assert_int_equal(end.role, ROLE_DATA);
	naming_end(&f->naming, OLD_GENERATION, 0, &loose, &end);
	assert_int_equal(end.role, ROLE_UNSET);
	naming_end(&f->naming, OLD_GENERATION, 0, &stranger, &end);
	assert_int_equal(end.role, ROLE_UNSET);
}

struct rule_case {
	const char *name;
	uint32_t generation, rule;
	const char *expected;
};

/* clang-format off */
static const struct rule_case rule_cases[] = {
	{ "default",                 5, 0,                 "default" },
	{ "built in, whenever",      1, BH_BUILTIN_ARP,    "builtin-arp" },
	{ "no built-in",             5, BH_BUILTIN_COUNT,  NULL },
	{ "first rule in force",     5, BH_RULE_FIRST,     "front-to-data" },
	{ "the same number before",  4, BH_RULE_FIRST,     "gone" },
	{ "second rule before",      4, BH_RULE_FIRST + 1, "edge-to-db" },
	{ "past the last",           5, BH_RULE_FIRST + 1, NULL },
	{ "forgotten",               3, BH_RULE_FIRST,     NULL },
};
/* clang-format on */

static void names_rules_as_in_their_generation(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		const struct rule_case *c = &rule_cases[i];
		const char *got = naming_rule(&f->naming, c->generation, c->rule);

		if (strcmp(or_none(got), or_none(c->expected)) != 0)
			fail_msg("%s: %s", c->name, or_none(got));
	}
}

static struct bh_event denied(const struct policy_version *v, const char *src, const char *dst,
			      uint16_t dport)
{
	return (struct bh_event){
		.src = address(src),
		.dst = address(dst),
		.src_identity = identity_of(v, src),
		.dst_identity = identity_of(v, dst),
		.dport = htons(dport),
		.proto = 6,
		.ethertype = htons(0x0800),
		.reason = BH_REASON_POLICY,
		.generation = v->generation,
	};
}

static void tells_what_came_near_a_denial_by_default(void **state)
{
	struct fixture *f = *state;
	struct bh_event event = denied(f->new, "10.0.0.10", "10.0.32.10", 5433);
	struct event_names names;

	for (int i = 0; i < 2; i++) { /* asked, then remembered */
		naming_event(&f->naming, &event, &names);
		assert_non_null(names.near);
		assert_ptr_equal(strstr(names.near, "front-to-data("), names.near);
		assert_non_null(strstr(names.near, "5432"));
	}
	event.reason = BH_REASON_NO_CONNECTION;
	naming_event(&f->naming, &event, &names);
	assert_null(names.near);
	event = denied(f->old, "10.0.0.10", "10.0.32.10", 5433);
	naming_event(&f->naming, &event, &names);
	assert_null(names.near);
}

static void gives_an_event_its_rule_place_and_hash(void **state)
{
	struct fixture *f = *state;
	struct bh_event event = denied(f->old, "10.0.0.10", "10.0.32.10", 5432);
	struct event_names names;

	event.rule = BH_RULE_FIRST + 1;
	naming_event(&f->naming, &event, &names);
	assert_string_equal(names.rule, "edge-to-db");
	assert_string_equal(names.rule_at, "p.yaml:14");
	assert_string_equal(names.policy_hash, f->old->loaded->hash);
	assert_string_not_equal(names.policy_hash, f->new->loaded->hash);
	event.rule = 0;
	naming_event(&f->naming, &event, &names);
	assert_string_equal(names.rule, "default");
	assert_null(names.rule_at);
}

static void names_what_it_can_without_a_policy(void **state)
{
	struct fixture *f = *state;
	struct bh_event event = denied(f->new, "10.0.0.10", "10.0.32.10", 1);
	struct event_names names;

	naming_update(&f->naming, NULL, NULL);
	naming_event(&f->naming, &event, &names);
	assert_string_equal(names.rule, "default");
	assert_string_equal(names.src.zone, "outside");
	assert_null(names.policy_hash);
	assert_null(names.near);
}

/* The two share an identity, numbered by either. */
static const char pods_text[] =
	"apiVersion: v1\nkind: PodList\nitems:\n"
	"- {metadata: {name: one, labels: {app: a}}, status: {podIP: 10.8.0.1}}\n"
	"- {metadata: {name: two, labels: {app: a}}, status: {podIP: 10.8.0.2}}\n";

static void names_the_pod_that_has_the_address(void **state)
{
	static const char *const addresses[] = {"10.8.0.1", "10.8.0.2"};
	static const char *const names[] = {"default/one", "default/two"};
	struct policy_version *v = make_version(pods_text, NEW_GENERATION);
	struct naming naming = NAMING_INIT;

	(void)state;
	naming_update(&naming, v, NULL);
	assert_int_equal(identity_of(v, addresses[0]), identity_of(v, addresses[1]));
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct bh_addr addr = address(addresses[i]);
		struct event_end end;

		naming_end(&naming, NEW_GENERATION, identity_of(v, addresses[0]), &addr, &end);
		assert_string_equal(end.workload, names[i]);
		assert_string_equal(end.labels_json, "{\"app\":\"a\"}");
	}
	naming_release(&naming);
	policy_version_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_ends_as_in_their_generation),
		cmocka_unit_test(a_zone_brings_its_role),
		cmocka_unit_test(names_rules_as_in_their_generation),
		cmocka_unit_test(tells_what_came_near_a_denial_by_default),
		cmocka_unit_test(gives_an_event_its_rule_place_and_hash),
		cmocka_unit_test(names_what_it_can_without_a_policy),
		cmocka_unit_test(names_the_pod_that_has_the_address),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
