/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pods, groups and nodes as identities. */
#include "tests/test.h"

#include "policy/compiled_index.h"
#include "policy/ends.h"
#include "tests/unit/built_policy.h"
#include "util/clock.h"

/* Two namespaces of three pods each, that are alike within one; a group, a node, a zone. */
static struct policy *world(void)
{
	static const char *const addresses[] = {"10.1.0.1", "10.1.0.2", "10.1.0.3",
						"10.2.0.1", "10.2.0.2", "10.2.0.3"};
	struct policy *p = policy_new();

	add_space(p, "red", MODE_UNSET);
	add_space(p, "blue", MODE_AUDIT);
	for (size_t i = 0; i < COUNT(addresses); i++) {
		_free_ char *name = built_name("pod", i);
		struct workload *w = add_pod(p, name, addresses[i], i / 3, 0);

		/* The order of labels is the author's. */
		add_label(&w->labels, i % 2 ? "app" : "tier", i % 2 ? "api" : "back");
		add_label(&w->labels, i % 2 ? "tier" : "app", i % 2 ? "back" : "api");
		vec_push(&w->ports, (struct named_port){xstrdup("web"), {BH_SERVICE_TCP, 80, 80}});
	}
	return p;
}

static uint32_t identity_at(const struct compiled *c, const char *address)
{
	struct bh_addr a = built_address(address);

	return image_identity(&c->image, &a);
}

static const struct address_class *class_at(const struct compiled *c, const char *address)
{
	return &c->classes.items[c->identities.items[identity_at(c, address)].class];
}

static void pods_that_nothing_tells_apart_share_an_identity(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = built_compiled(p, 0);

	(void)state;
	assert_int_equal(identity_at(c, "10.1.0.1"), identity_at(c, "10.1.0.2"));
	assert_int_equal(identity_at(c, "10.2.0.1"), identity_at(c, "10.2.0.3"));
	assert_int_not_equal(identity_at(c, "10.1.0.1"), identity_at(c, "10.2.0.1"));
}

static void what_differs_parts_them(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		_policy_ struct policy *p = world();
		struct workload *w = &p->workloads.items[1];
		_compiled_ struct compiled *c = NULL;
		_free_ char *row = built_name("difference ", i);

		switch (i) {
		case 0:
			w->ports.items[0].number.lo = w->ports.items[0].number.hi = 81;
			break;
		case 1:
			add_label(&w->labels, "canary", "true");
			break;
		case 2:
			w->mode = MODE_AUDIT;
			break;
		case 3:
			w->isolated = SIDE_DST;
			break;
		case 4:
			w->zone = add_zone(p, "z", "10.9.0.0/16", MODE_ENFORCE);
			break;
		case 5:
			add_rule(p, TIER_NETWORK, ACTION_ALLOW, select_kind(SELECT_ANY),
				 select_workload(1), 80);
			break;
		}
		c = built_compiled(p, 0);
		assert_row(row, identity_at(c, "10.1.0.1") == identity_at(c, "10.1.0.3"));
		assert_row(row, identity_at(c, "10.1.0.1") != identity_at(c, "10.1.0.2"));
	}
}

static void each_is_found_by_its_own_name(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = built_compiled(p, 0);
	struct bh_addr third = built_address("10.1.0.3");
	_text_ struct text wrong = TEXT_INIT;
	struct end end;

	(void)state;
	assert_string_equal(compiled_address_name(c, &third), "pod2");
	assert_int_equal(end_resolve(c, "pod2", &end, &wrong), 0);
	assert_true(end.families[class_at(c, "10.1.0.3") - c->classes.items]);
	end_release(&end);
}

static void a_new_pod_of_a_known_kind_is_recognised(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = built_compiled(p, 0);
	struct workload newcomer = p->workloads.items[4];

	(void)state;
	assert_int_equal(pod_kinds_find(&c->index->kinds, &newcomer), 3);
	newcomer.isolated = SIDE_SRC;
	assert_true(pod_kinds_find(&c->index->kinds, &newcomer) == POLICY_NONE);
}

struct mode_case {
	const char *name;
	enum mode own, group, group_document, zone, space;
	enum mode mode;
};

/* clang-format off */
static const struct mode_case modes[] = {
	{ "nothing said", 0, 0, 0, 0, 0, MODE_ENFORCE },
	{ "the namespace's", 0, 0, 0, 0, MODE_OFF, MODE_OFF },
	{ "the zone's before the namespace's", 0, 0, 0, MODE_AUDIT, MODE_OFF, MODE_AUDIT },
	{ "the group's before the zone's", 0, MODE_OFF, 0, MODE_AUDIT, MODE_ENFORCE, MODE_OFF },
	{ "its own before all", MODE_AUDIT, MODE_OFF, 0, MODE_OFF, MODE_OFF, MODE_AUDIT },
	{ "the group's document's last", 0, 0, MODE_AUDIT, 0, 0, MODE_AUDIT },
	{ "after the namespace's", 0, 0, MODE_AUDIT, 0, MODE_OFF, MODE_OFF },
};
/* clang-format on */

static void the_narrowest_mode_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct mode_case *k = &modes[i];
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;
		struct workload *group = add_workload(p, WORKLOAD_GROUP, "group", "10.5.0.1");

		group->mode = k->group;
		group->document_mode = k->group_document;
		if (k->zone)
			group->zone = add_zone(p, "z", "10.5.0.0/16", k->zone);
		p->namespaces.items[0].mode = k->space;
		p->workloads.items[0].mode = k->own;
		p->workloads.items[0].group = 6;
		c = built_compiled(p, 0);
		assert_row(k->name, class_at(c, "10.1.0.1")->mode == k->mode);
		assert_row(k->name, class_at(c, "10.1.0.1")->isolated == SIDE_BOTH);
	}
}

static void a_pod_is_in_its_groups_zone(void **state)
{
	_policy_ struct policy *p = world();
	_compiled_ struct compiled *c = NULL;

	(void)state;
	add_zone(p, "by-address", "10.1.0.0/16", MODE_ENFORCE);
	add_zone(p, "by-selector", "10.8.0.0/16", MODE_ENFORCE);
	add_zone(p, "by-group", "10.9.0.0/16", MODE_ENFORCE);
	add_workload(p, WORKLOAD_GROUP, "group", "10.9.0.1")->zone = 2;
	p->workloads.items[1].zone = 1;
	p->workloads.items[2].zone = 1;
	p->workloads.items[2].group = 6;
	c = built_compiled(p, 0);
	assert_int_equal(c->identities.items[identity_at(c, "10.1.0.1")].zone, 0);
	assert_int_equal(c->identities.items[identity_at(c, "10.1.0.2")].zone, 1);
	assert_int_equal(c->identities.items[identity_at(c, "10.1.0.3")].zone, 2);
}

static void a_zone_says_how_it_stands_without_the_agent(void **state)
{
	static const struct {
		enum stance stance;
		uint32_t flags;
	} stances[] = {
		{STANCE_UNSET, 0},
		{STANCE_KEEP, 0},
		{STANCE_OPEN, BH_IDENTITY_DOWN_OPEN},
		{STANCE_CLOSED, BH_IDENTITY_DOWN_CLOSED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(stances); i++) {
		_policy_ struct policy *p = world();
		_compiled_ struct compiled *c = NULL;

		add_zone(p, "z", "10.1.0.0/16", MODE_ENFORCE);
		p->zones.items[0].agent_down = stances[i].stance;
		c = built_compiled(p, 0);
		assert_int_equal(c->image.identities.items[identity_at(c, "10.1.0.1")].flags,
				 stances[i].flags);
		assert_int_equal(c->image.identities.items[identity_at(c, "10.2.0.1")].flags, 0);
	}
}

/* --- many --- */

#define PODS     150000
#define POLICIES 10000
#define SPACES   500

static void add_many_pods(struct policy *p)
{
	for (uint32_t i = 0; i < PODS; i++) {
		_text_ struct text address = TEXT_INIT;
		_free_ char *app = built_name("app", i / SPACES % 6);
		struct workload *w;

		text_addf(&address, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		w = add_pod(p, "pod", address.buf, i % SPACES, SIDE_DST);
		add_label(&w->labels, "app", app);
		add_label(&w->labels, "tier", "back");
	}
}

static void very_many_pods_and_policies_compile(void **state)
{
	_policy_ struct policy *p = policy_new();
	_compiled_ struct compiled *c = NULL;
	uint64_t start;

	(void)state;
	for (uint32_t i = 0; i < SPACES; i++) {
		_free_ char *name = built_name("space", i);

		size_t space = add_space(p, name, MODE_UNSET);

		add_label(&p->namespaces.items[space].labels, "name", name);
	}
	add_many_pods(p);
	for (uint32_t i = 0; i < POLICIES; i++) {
		struct selector *from = select_pods(i % SPACES), *to = select_pods(i % SPACES);
		_free_ char *peer = built_name("app", i % 7), *own = built_name("app", i % 6);

		add_requirement(&from->requirements, REQUIRE_IN, "app", peer);
		add_requirement(&to->requirements, REQUIRE_IN, "app", own);
		add_rule(p, TIER_NETWORK, ACTION_ALLOW, from, to, (uint16_t)(80 + i % 20))->sides =
			SIDE_DST;
	}
	start = clock_monotonic_ns();
	c = built_compiled(p, 0);
	print_message("%u pods, %u policies: %llu us, %zu identities, %zu classes\n", PODS,
		      POLICIES, (unsigned long long)(clock_monotonic_ns() - start) / 1000,
		      c->identities.count, c->classes.count);
	assert_int_equal(c->identities.count, 1 + 1 + SPACES * 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_that_nothing_tells_apart_share_an_identity),
		cmocka_unit_test(what_differs_parts_them),
		cmocka_unit_test(each_is_found_by_its_own_name),
		cmocka_unit_test(a_new_pod_of_a_known_kind_is_recognised),
		cmocka_unit_test(the_narrowest_mode_counts),
		cmocka_unit_test(a_pod_is_in_its_groups_zone),
		cmocka_unit_test(a_zone_says_how_it_stands_without_the_agent),
		cmocka_unit_test(very_many_pods_and_policies_compile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
