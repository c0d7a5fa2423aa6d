/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies as large as the bounds allow: they compile, and rightly.  Times and sizes are printed.
 */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "policy/compile.h"
#include "policy/grid.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "policy/services.h"
#include "tests/reference/reference.h"
#include "util/clock.h"
#include "util/mem.h"

#define ZONES     10
#define QUESTIONS 300

struct shape {
	const char *name;
	uint32_t workloads;
	uint32_t narrow; /* rules from a workload to a workload */
	uint32_t fans;   /* rules from a zone to a workload */
	uint32_t wide;   /* rules from a zone to a zone, for any service */
	uint32_t ports;  /* distinct ones in narrow rules and fans */
};

/* clang-format off */
static const struct shape shapes[] = {
	{ "5000 workloads, 10000 narrow rules",             5000, 10000,     0,   0,   20 },
	{ "the same with 1000 ports",                       5000, 10000,     0,   0, 1000 },
	{ "200 workloads, 10000 narrow rules",               200, 10000,     0,   0,   20 },
	{ "5000 workloads, 10000 narrow and 100 wide rules", 5000, 10000,    0, 100,   20 },
	{ "5000 workloads, 5000 narrow rules, 5000 fans",   5000,  5000,  5000,   0,   20 },
	{ "5000 workloads, all three",                      5000,  5000,  4900, 100,   20 },
	{ "300 workloads, 10000 fans and 100 wide rules",     300,     0, 10000, 100,   20 },
	{ "5000 workloads, 100000 narrow rules, 200 ports",  5000, 100000,    0,   0,  200 },
};
/* clang-format on */

static uint32_t random_state;

static uint32_t below(uint32_t bound)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)random_state * bound >> 32);
}

static char *numbered(const char *word, uint32_t n)
{
	struct text t = TEXT_INIT;

	text_addf(&t, "%s%u", word, n);
	return text_take(&t);
}

/* Workload i of zone z is 10.z.i/8: every third also has an IPv6 address. */
static struct bh_addr address(uint32_t i, bool is_v4)
{
	uint32_t low = (i % ZONES) << 16 | (i / ZONES + 1);

	if (is_v4)
		return (struct bh_addr){{0, 0, htonl(0xffff), htonl(10u << 24 | low)}};
	return (struct bh_addr){{htonl(0xfd000000), 0, 0, htonl(low)}};
}

static void add_members(struct policy *p, uint32_t workloads)
{
	for (uint32_t i = 0; i < ZONES; i++) {
		struct zone zone = {.name = numbered("zone", i), .mode = MODE_ENFORCE};
		struct prefix prefix = prefix_of_addr(
			&(struct bh_addr){{0, 0, htonl(0xffff), htonl(10u << 24 | i << 16)}});

		prefix.len = BH_V4_PREFIX_LEN + 16;
		vec_push(&zone.prefixes, (struct placed_prefix){.prefix = prefix});
		vec_push(&p->zones, zone);
	}
	for (uint32_t i = 0; i < workloads; i++) {
		struct workload w = {WORKLOAD_ALONE, .name = numbered("w", i)};

		w.zone = i % ZONES;

		for (uint32_t family = 0; family < (i % 3 ? 1 : 2); family++) {
			struct bh_addr a = address(i, !family);

			vec_push(&w.prefixes, (struct placed_prefix){.prefix = prefix_of_addr(&a)});
		}
		vec_push(&w.labels,
			 (struct label){.key = xstrdup("app"), .value = numbered("app", i % 50)});
		vec_push(&p->workloads, w);
	}
}

static struct selector *workload(uint32_t i)
{
	struct selector *s = selector_new(SELECT_WORKLOAD, (struct span){});

	s->workload = i;
	return s;
}

static struct selector *zone(uint32_t i)
{
	struct selector *s = selector_new(SELECT_ZONE, (struct span){});

	s->zone = i;
	return s;
}

static void add_rule(struct policy *p, struct selector *from, struct selector *to, uint32_t port)
{
	struct rule rule = {
		.name = numbered("rule", (uint32_t)p->rules.count),
		.from = from,
		.to = to,
		.action = below(10) ? ACTION_ALLOW : ACTION_DENY,
	};

	rule.tier = rule.action == ACTION_ALLOW ? TIER_NETWORK : TIER_ZONE;
	rule.sides = SIDE_BOTH;
	if (port)
		vec_push(&rule.services, (struct service_range){.table = BH_SERVICE_TCP,
								.lo = (uint16_t)port,
								.hi = (uint16_t)port});
	else
		services_add_any(&rule.services);
	services_normalise(&rule.services);
	vec_push(&p->rules, rule);
}

static struct policy *make(const struct shape *s)
{
	struct policy *p = policy_new();

	random_state = 1;
	add_members(p, s->workloads);
	for (uint32_t i = 0; i < s->wide; i++)
		add_rule(p, zone(i % ZONES), zone(i / ZONES % ZONES), 0);
	for (uint32_t i = 0; i < s->fans; i++)
		add_rule(p, zone(below(ZONES)), workload(below(s->workloads)), 1 + below(s->ports));
	for (uint32_t i = 0; i < s->narrow; i++)
		add_rule(p, workload(below(s->workloads)), workload(below(s->workloads)),
			 1 + below(s->ports));
	return p;
}

static void print_sizes(const struct shape *s, const struct compiled *c, uint64_t ns)
{
	const struct image *image = &c->image;

	print_message("%s: %llu us, %zu prefixes, %zu identities, %zu classes, %u service classes, "
		      "%u rows, %zu directory lines, %zu blocks\n",
		      s->name, (unsigned long long)ns / 1000, image->prefixes.count,
		      c->identities.count, c->classes.count, image->service_classes,
		      image->cells.rows, grid_lines(&image->pairs) + grid_lines(&image->cells),
		      image->pairs.blocks.count + image->cells.blocks.count);
}

/* Half of the questions are about a rule, the others are likely to meet the default. */
static struct reference_question question(const struct shape *s, const struct policy *p)
{
	const struct rule *rule = &p->rules.items[below((uint32_t)p->rules.count)];
	uint32_t src = below(s->workloads), dst = below(s->workloads);

	if (rule->from->kind == SELECT_WORKLOAD && below(2))
		src = (uint32_t)rule->from->workload;
	if (rule->to->kind == SELECT_WORKLOAD && below(2))
		dst = (uint32_t)rule->to->workload;
	return (struct reference_question){
		.src = address(src, true),
		.dst = address(dst, true),
		.table = BH_SERVICE_TCP,
		.number = (uint16_t)(rule->services.items[0].lo + below(2)),
	};
}

static void compiles_and_decides(const struct shape *s)
{
	_policy_ struct policy *p = make(s);
	const struct reference reference = {.policy = p};
	const struct environment env = {};
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};
	uint64_t start = clock_monotonic_ns();
	int err = policy_compile(p, &env, &d, &c);

	diags_print(&d, stderr);
	assert_row(s->name, !err);
	print_sizes(s, c, clock_monotonic_ns() - start);
	for (uint32_t i = 0; i < QUESTIONS; i++) {
		struct reference_question q = question(s, p);
		struct reference_answer wanted = reference_decide(&reference, &q);
		struct decision got = decision_of_cell(
			image_decide(&c->image, &q.src, &q.dst, q.table, q.number));

		assert_row(s->name, got.verdict == wanted.verdict);
		assert_row(s->name, got.rule == wanted.rule);
	}
}

static void large_policies_compile_and_decide_rightly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++)
		compiles_and_decides(&shapes[i]);
}

/* Every workload is a class of its own: more pairs than the directory has lines for. */
static void what_does_not_fit_is_refused_with_numbers(void **state)
{
	static const struct shape s = {.name = "too large", .workloads = 14000};
	_policy_ struct policy *p = make(&s);
	const struct environment env = {};
	struct compiled *c = NULL;
	_diags_ struct diags d = {};

	(void)state;
	for (uint32_t i = 0; i < s.workloads; i++)
		add_rule(p, workload(i), workload(s.workloads - 1 - i), 80);
	assert_int_equal(policy_compile(p, &env, &d, &c), -E2BIG);
	assert_null(c);
	assert_int_equal(d.errors, 1);
	assert_non_null(strstr(d.list.items[0].message, "directory lines"));
}

/* --- POL-18: NetworkPolicies, as they come from a cluster --- */

#define SPACES   20
#define PODS     1000
#define POLICIES 1000
#define PEERS    10
#define SAMPLE   1000

#ifdef __SANITIZE_ADDRESS__
#define CHANGES 2
#else
#define CHANGES 10
#endif

/* Every pod has a label of its own among its namespace's, which a change may move on. */
static void add_pods(struct text *yaml, uint32_t moved)
{
	for (uint32_t i = 0; i < SPACES; i++)
		text_addf(yaml, "{apiVersion: v1, kind: Namespace, metadata: {name: n%u}}\n---\n",
			  i);
	for (uint32_t i = 0; i < PODS; i++)
		text_addf(yaml,
			  "{apiVersion: v1, kind: Pod, metadata: {namespace: n%u, name: p%u, "
			  "labels: {app: a%u}}, status: {podIPs: [{ip: 10.%u.0.%u}, "
			  "{ip: \"fd00:0:0:%x::%x\"}]}}\n---\n",
			  i % SPACES, i, (i + (i < moved)) % (PODS / SPACES * 2), i % SPACES,
			  i / SPACES + 1, i % SPACES, i / SPACES + 1);
}

static void add_network_policies(struct text *yaml)
{
	random_state = 7;
	for (uint32_t i = 0; i < POLICIES; i++) {
		text_addf(yaml,
			  "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
			  "metadata: {namespace: n%u, name: p%u}\nspec:\n"
			  "  podSelector: {matchLabels: {app: a%u}}\n"
			  "  ingress:\n    - ports: [{port: %u}]\n      from:\n",
			  i % SPACES, i, below(PODS / SPACES * 2), 80 + below(20));
		for (uint32_t peer = 0; peer < PEERS; peer++)
			text_addf(yaml,
				  "        - {namespaceSelector: {matchLabels: "
				  "{kubernetes.io/metadata.name: n%u}}, podSelector: "
				  "{matchLabels: {app: a%u}}}\n",
				  below(SPACES), below(PODS / SPACES * 2));
		text_add(yaml, "---\n");
	}
}

static struct bh_addr address_of_pod(uint32_t i, bool is_v4)
{
	uint32_t space = i % SPACES, number = i / SPACES + 1;

	if (is_v4)
		return (struct bh_addr){
			{0, 0, htonl(0xffff), htonl(10u << 24 | space << 16 | number)}};
	return (struct bh_addr){{htonl(0xfd000000), htonl(space), 0, htonl(number)}};
}

/* Whether the sample has both answers. */
static bool ask_sample(const struct policy *p, const struct compiled *c)
{
	const struct reference reference = {.policy = p};
	uint32_t allowed = 0;

	for (uint32_t i = 0; i < SAMPLE; i++) {
		bool is_v4 = below(2);
		struct reference_question q = {
			.src = address_of_pod(below(PODS), is_v4),
			.dst = address_of_pod(below(PODS), is_v4),
			.table = BH_SERVICE_TCP,
			.number = (uint16_t)(80 + below(20)),
		};
		struct decision got = decision_of_cell(
			image_decide(&c->image, &q.src, &q.dst, q.table, q.number));

		assert_int_equal(got.verdict, reference_decide(&reference, &q).verdict);
		allowed += got.verdict == BH_VERDICT_ALLOW;
	}
	return allowed && allowed < SAMPLE;
}

static void a_thousand_network_policies_follow_changes_of_labels(void **state)
{
	_policy_ struct policy *before = NULL;
	_compiled_ struct compiled *old = NULL;

	(void)state;
	for (uint32_t change = 0; change < CHANGES; change++) {
		_text_ struct text yaml = TEXT_INIT;
		_diags_ struct diags diags = {};
		struct policy *p = NULL;
		struct compiled *c = NULL;
		struct source source;
		uint64_t start = clock_monotonic_ns(), loaded;

		add_pods(&yaml, change);
		add_network_policies(&yaml);
		source = source_of("cluster.yaml", yaml.buf, yaml.len);
		assert_int_equal(policy_load_sources(&source, 1, &diags, &p), 0);
		loaded = clock_monotonic_ns();
		assert_int_equal(policy_recompile(old, p, &(struct environment){}, &diags, &c), 0);
		print_message("change %u: loaded in %llu ms, compiled in %llu ms\n", change,
			      (unsigned long long)(loaded - start) / 1000000,
			      (unsigned long long)(clock_monotonic_ns() - loaded) / 1000000);
		assert_true(ask_sample(p, c));
		compiled_free(old);
		policy_free(before);
		old = c;
		before = p;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_policies_compile_and_decide_rightly),
		cmocka_unit_test(what_does_not_fit_is_refused_with_numbers),
		cmocka_unit_test(a_thousand_network_policies_follow_changes_of_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
