/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/learn_triples.h"
#include "tests/unit/learn_proof.h"
#include "tests/unit/policy_text.h"
#include "tests/unit/recorded_text.h"

#define MEMBERS                                                                                    \
	POLICY_TEXT_HEAD                                                                           \
	"  zones:\n"                                                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd01::/64\"]}\n"                                  \
	"  - {name: \"off\", cidrs: [10.0.3.0/24]}\n"                                              \
	"  - {name: seen, cidrs: [10.0.2.0/24], mode: audit}\n"                                    \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, 10.0.0.11, \"fd00::10\"]}\n"            \
	"  - {name: api, zone: dmz, addresses: [10.0.0.20]}\n"                                     \
	"  - {name: app, zone: dmz, addresses: [10.0.0.30]}\n"                                     \
	"  - {name: db, zone: data, addresses: [10.0.1.10, \"fd01::10\"]}\n"                       \
	"  - {name: cache, zone: data, addresses: [10.0.1.20]}\n"

#define OUT "198.51.100."

struct learn_case {
	const char *name;
	const char *spec; /* behind MEMBERS */
	const char *events;
	const char *rules;   /* "FROM -> TO: SERVICES" a line, by what supports them */
	const char *refused; /* "FROM -> TO: CAUSE" a line */
};

/* clang-format off */
static const struct learn_case cases[] = {
	{ "nothing", "", "", "", "" },
	{ "one", "", "10.0.0.10 10.0.1.10 tcp/5432 deny", "web -> db: tcp/5432\n", "" },
	{ "a pod, not one like it; itself needs none",
	  "---\napiVersion: v1\nkind: PodList\nitems:\n"
	  "- {metadata: {name: one}, status: {podIP: 10.8.0.1}}\n"
	  "- {metadata: {name: two}, status: {podIP: 10.8.0.2}}\n---\n"
	  "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n}\n"
	  "spec: {podSelector: {}, policyTypes: [Egress]}\n",
	  "10.8.0.2 10.0.1.10 tcp/5432 deny; 10.8.0.2 10.8.0.2 tcp/1 allow",
	  "default/two -> db: tcp/5432\n", "" },
	{ "what is allowed needs none", "  rules: [{name: r, from: web, to: db, services: tcp/5432}]\n",
	  "10.0.0.10 10.0.1.10 tcp/5432 deny; 10.0.0.11 10.0.1.10 tcp/5432 allow", "", "" },
	{ "what was allowed once does", "", "10.0.0.10 10.0.1.10 tcp/5432 allow", "web -> db: tcp/5432\n", "" },
	{ "what is audited does", "", "10.0.0.10 10.0.2.1 tcp/1 audit", "web -> seen: tcp/1\n", "" },
	{ "addresses of one workload are one", "",
	  "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.11 10.0.1.10 tcp/1 deny; fd00::10 fd01::10 tcp/1 deny",
	  "web -> db: tcp/1\n", "" },
	{ "services are joined", "", "10.0.0.10 10.0.1.10 tcp/1-3 deny; 10.0.0.10 10.0.1.10 udp/1 deny",
	  "web -> db: tcp/1, tcp/2, tcp/3, udp/1\n", "" },
	{ "sources are joined", "", "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.20 10.0.1.10 tcp/1 deny",
	  "api, web -> db: tcp/1\n", "" },
	{ "destinations are joined", "", "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.10 10.0.1.20 tcp/1 deny",
	  "web -> cache, db: tcp/1\n", "" },
	{ "a box of all three", "",
	  "10.0.0.10 10.0.1.10 tcp/1-2 deny; 10.0.0.10 10.0.1.20 tcp/1-2 deny; "
	  "10.0.0.20 10.0.1.10 tcp/1-2 deny; 10.0.0.20 10.0.1.20 tcp/1-2 deny",
	  "api, web -> cache, db: tcp/1, tcp/2\n", "" },
	{ "by source is least", "",
	  "10.0.0.10 10.0.1.10 tcp/1-2 deny; 10.0.0.20 10.0.1.10 tcp/2-3 deny;",
	  "web -> db: tcp/1, tcp/2\napi -> db: tcp/2, tcp/3\n", "" },
	{ "by service is least", "",
	  "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.20 10.0.1.10 tcp/2 deny; 10.0.0.30 10.0.1.10 tcp/1-2 deny",
	  "api, app -> db: tcp/2\napp, web -> db: tcp/1\n", "" },
	{ "a zone where there is no workload", "", "10.0.0.99 10.0.1.10 tcp/1 deny", "dmz -> db: tcp/1\n", "" },
	{ "a zone has its workloads", "",
	  "10.0.0.99 10.0.1.10 tcp/1 deny; 10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.10 10.0.1.99 tcp/1 deny",
	  "dmz -> db: tcp/1\nweb -> data: tcp/1\n", "" },
	{ "a zone has its workloads, at both ends", "",
	  "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.99 10.0.1.99 tcp/1 deny", "dmz -> data: tcp/1\n", "" },
	{ "outside by address", "", OUT "7 10.0.1.10 tcp/1 deny", OUT "7 -> db: tcp/1\n", "" },
	{ "seven outside", "",
	  OUT "1 10.0.1.10 tcp/1 deny;" OUT "2 10.0.1.10 tcp/1 deny;" OUT "3 10.0.1.10 tcp/1 deny;"
	  OUT "4 10.0.1.10 tcp/1 deny;" OUT "5 10.0.1.10 tcp/1 deny;" OUT "6 10.0.1.10 tcp/1 deny;"
	  OUT "7 10.0.1.10 tcp/1 deny",
	  OUT "1, " OUT "2, " OUT "3, " OUT "4, " OUT "5, " OUT "6, " OUT "7 -> db: tcp/1\n", "" },
	{ "eight outside that are near", "",
	  OUT "1 10.0.1.10 tcp/1 deny;" OUT "2 10.0.1.10 tcp/1 deny;" OUT "3 10.0.1.10 tcp/1 deny;"
	  OUT "4 10.0.1.10 tcp/1 deny;" OUT "5 10.0.1.10 tcp/1 deny;" OUT "6 10.0.1.10 tcp/1 deny;"
	  OUT "7 10.0.1.10 tcp/1 deny;" OUT "8 10.0.1.10 tcp/1 deny;",
	  OUT "0/28 -> db: tcp/1\n", "" },
	{ "eight outside that are far", "",
	  OUT "1 10.0.1.10 tcp/1 deny;" OUT "2 10.0.1.10 tcp/1 deny;" OUT "3 10.0.1.10 tcp/1 deny;"
	  OUT "4 10.0.1.10 tcp/1 deny;" OUT "5 10.0.1.10 tcp/1 deny;" OUT "6 10.0.1.10 tcp/1 deny;"
	  OUT "7 10.0.1.10 tcp/1 deny; 8.8.8.8 10.0.1.10 tcp/1 deny;",
	  "outside -> db: tcp/1\n", "" },
	{ "eight outside, with a zone between", "",
	  "10.0.4.1 10.0.1.10 tcp/1 deny; 10.0.4.2 10.0.1.10 tcp/1 deny; 10.0.4.3 10.0.1.10 tcp/1 deny;"
	  "10.0.4.4 10.0.1.10 tcp/1 deny; 10.0.4.5 10.0.1.10 tcp/1 deny; 10.0.4.6 10.0.1.10 tcp/1 deny;"
	  "10.0.4.7 10.0.1.10 tcp/1 deny; 10.0.9.8 10.0.1.10 tcp/1 deny; 10.0.64.1 10.0.1.10 tcp/1 deny",
	  "outside -> db: tcp/1\n", "" },
	{ "eight outside, one of them promised",
	  "  never: [{name: n, from: {cidr: 198.51.100.9}, to: db}]\n",
	  OUT "1 10.0.1.10 tcp/1 deny;" OUT "2 10.0.1.10 tcp/1 deny;" OUT "3 10.0.1.10 tcp/1 deny;"
	  OUT "4 10.0.1.10 tcp/1 deny;" OUT "5 10.0.1.10 tcp/1 deny;" OUT "6 10.0.1.10 tcp/1 deny;"
	  OUT "9 10.0.1.10 tcp/1 deny;" OUT "8 10.0.1.10 tcp/1 deny;",
	  OUT "1, " OUT "2, " OUT "3, " OUT "4, " OUT "5, " OUT "6, " OUT "8 -> db: tcp/1\n",
	  OUT "9 -> db: never n at t.yaml:16:11\n" },
	{ "nine ports", "", "10.0.0.10 10.0.1.10 tcp/40000-40008 deny",
	  "web -> db: tcp/40000, tcp/40001, tcp/40002, tcp/40003, tcp/40004, tcp/40005, tcp/40006, tcp/40007, "
	  "tcp/40008\n", "" },
	{ "ten ports of two sources", "",
	  "10.0.0.10 10.0.1.10 tcp/40000-40008 deny; 10.0.0.20 10.0.1.10 tcp/50000 deny",
	  "api, web -> db: tcp/40000-50000\n", "" },
	{ "ten ports of two destinations", "",
	  "10.0.0.10 10.0.1.10 tcp/40000-40004 deny; 10.0.0.10 10.0.1.20 tcp/40000-40004 deny",
	  "web -> cache, db: tcp/40000, tcp/40001, tcp/40002, tcp/40003, tcp/40004\n", "" },
	{ "ten low ports are none", "", "10.0.0.10 10.0.1.10 tcp/1-10 deny",
	  "web -> db: tcp/1, tcp/2, tcp/3, tcp/4, tcp/5, tcp/6, tcp/7, tcp/8, tcp/9, tcp/10\n", "" },
	{ "ten ports with a promise between",
	  "  never: [{name: n, from: web, to: db, services: tcp/45000}]\n",
	  "10.0.0.10 10.0.1.10 tcp/40000-40008 deny; 10.0.0.20 10.0.1.10 tcp/50000 deny",
	  "web -> db: tcp/40000, tcp/40001, tcp/40002, tcp/40003, tcp/40004, tcp/40005, tcp/40006, tcp/40007, "
	  "tcp/40008\napi -> db: tcp/40000-50000\n", "" },
	{ "icmp", "", "10.0.0.10 10.0.1.10 icmp/echo-request deny; fd00::10 fd01::10 icmp6/echo-request deny",
	  "web -> db: icmp/echo-request, icmp6/echo-request\n", "" },
	{ "a code of icmp", "", "10.0.0.10 10.0.1.10 icmp/3/1 deny", "web -> db: icmp/3/1\n", "" },
	{ "another protocol", "", "10.0.0.10 10.0.1.10 proto/47 deny", "web -> db: proto/47\n", "" },
	{ "a promise", "  never: [{name: n, from: dmz, to: data}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.1.10 10.0.0.10 tcp/1 deny",
	  "db -> web: tcp/1\n", "web -> db: never n at t.yaml:16:11\n" },
	{ "a promise of another service", "  never: [{name: n, from: dmz, to: data, services: tcp/2-9}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1-2 deny", "web -> db: tcp/1\n", "web -> db: never n at t.yaml:16:11\n" },
	{ "a promise about a part of a zone", "  never: [{name: n, from: web, to: db}]\n",
	  "10.0.0.99 10.0.1.10 tcp/1 deny", "10.0.0.99 -> db: tcp/1\n", "" },
	{ "a promise about an address of a workload", "  never: [{name: n, from: {cidr: 10.0.0.11}, to: db}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1 deny; 10.0.0.11 10.0.1.10 tcp/1 deny",
	  "10.0.0.10 -> db: tcp/1\n", "web -> db: never n at t.yaml:16:11\n" },
	{ "a promise of the other family", "  never: [{name: n, from: {cidr: \"fd00::/64\"}, to: db}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1 deny", "10.0.0.10 -> db: tcp/1\n", "" },
	{ "a promise of ICMP of the other family",
	  "  never: [{name: n, from: any, to: any, services: icmp6/echo-request}]\n",
	  "10.0.0.10 10.0.1.10 icmp/echo-request deny", "web -> db: icmp/echo-request\n", "" },
	{ "an expected denial", "  expect: [{from: dmz, to: db, services: tcp/1, verdict: deny}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1-2 deny", "web -> db: tcp/2\n", "web -> db: expect at t.yaml:16:12\n" },
	{ "a rule that denies", "  rules: [{name: no, from: any, to: db, services: tcp/1, action: deny}]\n",
	  "10.0.0.10 10.0.1.10 tcp/1-2 deny", "web -> db: tcp/2\n", "web -> db: rule no at t.yaml:16:18\n" },
	{ "a workload that moved", "", "web@10.9.9.9 db@10.0.1.10 tcp/1 deny", "web -> db: tcp/1\n", "" },
	{ "a name that the policy doesn't have", "",
	  "evil\"]}\n@10.9.9.9 \"\\n-\xe2\x80\xa8{x:@10.0.1.99 tcp/1 deny", "10.9.9.9 -> data: tcp/1\n", "" },
	{ "a name that YAML could misread", "", "10.0.3.1 10.0.1.10 tcp/1 deny", "off -> db: tcp/1\n", "" },
};
/* clang-format on */

static void add_list(const struct policy *p, const struct party *items, size_t count,
		     struct text *out)
{
	for (size_t i = 0; i < count; i++) {
		text_add(out, i ? ", " : "");
		party_format(p, &items[i], out);
	}
}

static void describe_rules(const struct policy *p, const struct learned *l, struct text *out)
{
	vec_foreach (rule, &l->rules) {
		add_list(p, rule->from.items, rule->from.count, out);
		text_add(out, " -> ");
		add_list(p, rule->to.items, rule->to.count, out);
		text_add(out, ":");
		vec_foreach (range, &rule->services) {
			services one = {};

			text_add(out, range == rule->services.items ? " " : ", ");
			vec_push(&one, *range);
			services_format(&one, out);
			vec_release(&one);
		}
		text_add(out, "\n");
	}
}

static const struct span refusal_nowhere;

static void describe_refusals(const struct policy *p, const struct learned *l, struct text *out)
{
	vec_foreach (refusal, &l->refusals) {
		uint32_t i = refusal->cause.index;
		const struct span *at = &refusal_nowhere;

		add_list(p, &refusal->from, 1, out);
		text_add(out, " -> ");
		add_list(p, &refusal->to, 1, out);
		switch ((enum cause_kind)refusal->cause.kind) {
		case CAUSE_NEVER:
			text_addf(out, ": never %s", p->nevers.items[i].name);
			at = &p->nevers.items[i].at;
			break;
		case CAUSE_RULE:
			text_addf(out, ": rule %s", p->rules.items[i].name);
			at = &p->rules.items[i].at;
			break;
		case CAUSE_EXPECT:
			text_add(out, ": expect");
			at = &p->expects.items[i].at;
			break;
		}
		text_addf(out, " at %s:%u:%u\n", at->source->name, at->line, at->column);
	}
}

static void check_case(const struct learn_case *k)
{
	_policy_text_ struct compiled_text t = {};
	_recording_ struct recording r = {};
	_learned_ struct learned learned = {};
	_text_ struct text rules = TEXT_INIT;
	_text_ struct text refused = TEXT_INIT;
	_text_ struct text yaml = TEXT_INIT;
	_text_ struct text whole = TEXT_INIT;
	const char *wrong;

	text_addf(&whole, "%s%s", MEMBERS, k->spec);
	t = policy_text(whole.buf + strlen(POLICY_TEXT_HEAD), NULL);
	recorded_text(k->events, &r);
	learn(t.compiled, &r, &learned);
	describe_rules(t.policy, &learned, &rules);
	describe_refusals(t.policy, &learned, &refused);
	assert_row_string(k->name, rules.buf, k->rules);
	assert_row_string(k->name, refused.buf, k->refused);
	learned_yaml(t.compiled, &learned, &yaml);
	wrong = learn_proof(whole.buf, &r, &learned, yaml.buf);
	if (wrong)
		fail_msg("%s: %s:\n%s", k->name, wrong, yaml.buf);
}

static void what_was_recorded_is_proposed_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(&cases[i]);
}

/* Fewer distinct values than events: names, services and pairs repeat. */
static void record_random(struct recording *r, unsigned int *seed, bool is_v6)
{
	static const char *const hosts[][2] = {
		{"10.0.0.10", "fd00::10"}, {"10.0.0.11", "fd00::11"}, {"10.0.0.20", "fd00::20"},
		{"10.0.0.99", "fd00::99"}, {"10.0.1.10", "fd01::10"}, {"10.0.1.20", "fd01::20"},
		{"10.0.1.99", "fd01::99"}, {"10.0.2.1", "fd02::1"},   {"198.51.100.1", "fd09::1"},
	};
	struct recorded_event event = {.count = 1, .table = BH_SERVICE_TCP};
	unsigned int from = (unsigned int)rand_r(seed), to = (unsigned int)rand_r(seed);

	assert_null(addr_parse(hosts[from % COUNT(hosts)][is_v6], &event.src.addr));
	assert_null(addr_parse(hosts[to % COUNT(hosts)][is_v6], &event.dst.addr));
	event.number = (uint16_t)(rand_r(seed) % 4 ? rand_r(seed) % 4 : 40000 + rand_r(seed) % 99);
	recording_add(r, &event);
}

static void whatever_was_recorded_the_proof_holds(void **state)
{
	static const char spec[] = MEMBERS
		"  rules:\n"
		"  - {name: learned-web-to-db, from: api, to: db, services: tcp/1}\n"
		"  - {name: no, from: any, to: cache, services: tcp/2, action: deny}\n"
		"  never:\n"
		"  - {name: a, from: {cidr: 10.0.0.11}, to: data}\n"
		"  - {name: b, from: data, to: {except: data}, services: [tcp/3, tcp/40010]}\n"
		"  expect:\n"
		"  - {from: outside, to: db, services: tcp/0, verdict: deny}\n";
	_policy_text_ struct compiled_text t = policy_text(spec + strlen(POLICY_TEXT_HEAD), NULL);
	unsigned int seed = 1;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		_recording_ struct recording r = {};
		_learned_ struct learned learned = {};
		_text_ struct text yaml = TEXT_INIT;
		const char *wrong;

		for (size_t k = 0; k < i * 5; k++)
			record_random(&r, &seed, rand_r(&seed) % 3 == 0);
		learn(t.compiled, &r, &learned);
		learned_yaml(t.compiled, &learned, &yaml);
		wrong = learn_proof(spec, &r, &learned, yaml.buf);
		if (wrong)
			fail_msg("%zu: %s:\n%s", i, wrong, yaml.buf);
	}
}

static void without_a_policy_all_is_proposed(void **state)
{
	_policy_ struct policy *p = policy_new();
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};
	unsigned int seed = 2;

	(void)state;
	assert_int_equal(policy_compile(p, &(struct environment){}, &d, &c), 0);
	for (size_t i = 1; i < 50; i++) {
		_recording_ struct recording r = {};
		_learned_ struct learned learned = {};
		_text_ struct text yaml = TEXT_INIT;
		const char *wrong;

		for (size_t k = 0; k < i * 5; k++)
			record_random(&r, &seed, rand_r(&seed) % 3 == 0);
		learn(c, &r, &learned);
		learned_yaml(c, &learned, &yaml);
		assert_int_equal(learned.refusals.count, 0);
		wrong = learn_proof(NULL, &r, &learned, yaml.buf);
		if (wrong)
			fail_msg("%zu: %s:\n%s", i, wrong, yaml.buf);
	}
}

/* --- the least --- */

#define TRIPLES 6
#define TRIALS  2000

/* Whether the triples of a block, as bits, are a whole box. */
static bool is_box(const struct triples *t, unsigned int block)
{
	unsigned int seen[AXES] = {}, product = 1;

	for (size_t i = 0; i < t->items.count; i++) {
		for (size_t axis = 0; block >> i & 1 && axis < AXES; axis++)
			seen[axis] |= 1u << t->items.items[i].on[axis];
	}
	for (size_t axis = 0; axis < AXES; axis++)
		product *= (unsigned int)__builtin_popcount(seen[axis]);
	return product == (unsigned int)__builtin_popcount(block);
}

/* Tries every way to split what is @left into boxes. */
static size_t least_boxes(const struct triples *t, unsigned int left)
{
	unsigned int first = left & -left;
	size_t least = SIZE_MAX;

	if (!left)
		return 0;
	for (unsigned int block = left; block; block = (block - 1) & left) {
		size_t rest;

		if (!(block & first) || !is_box(t, block))
			continue;
		rest = least_boxes(t, left & ~block);
		if (rest + 1 < least)
			least = rest + 1;
	}
	return least;
}

static void few_triples_become_the_fewest_boxes_but_for_one_in_a_thousand(void **state)
{
	const struct support once = {1, 1, 0, 0};
	unsigned int seed = 3;
	size_t more = 0;

	(void)state;
	for (size_t i = 0; i < TRIALS; i++) {
		struct triples t = {};
		boxes b = {};
		size_t least;

		for (size_t k = 0; k < TRIPLES; k++) {
			uint32_t on[AXES];

			for (size_t axis = 0; axis < AXES; axis++)
				on[axis] = (uint32_t)rand_r(&seed) % 3;
			triples_add(&t, on, &once);
		}
		triples_join(&t, &b);
		least = least_boxes(&t, (1u << t.items.count) - 1);
		assert_in_range(b.count, least, least + 1);
		more += b.count > least;
		boxes_release(&b);
		triples_release(&t);
	}
	assert_true(more <= TRIALS / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_recorded_is_proposed_or_refused),
		cmocka_unit_test(whatever_was_recorded_the_proof_holds),
		cmocka_unit_test(without_a_policy_all_is_proposed),
		cmocka_unit_test(few_triples_become_the_fewest_boxes_but_for_one_in_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
