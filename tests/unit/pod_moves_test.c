/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random clusters whose pods come, go, change, and take each other's addresses: what was changed
 * in place decides as what is compiled anew.
 */
#include "agent/kubernetes/pod_moves.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "policy/compiled_index.h"
#include "tests/unit/made_cluster.h"

#define CLUSTERS  12
#define CHANGES   60 /* of each */
#define QUESTIONS 30 /* after each change */
#define NAMES     30 /* of pods */
#define ADDRESSES 40
#define COMERS    100000

static const char own[] =
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: z}\nspec:\n"
	"  zones: [{name: in, cidrs: [10.0.0.0/27]}, {name: one, cidrs: [10.0.0.9/32]}]\n"
	"  workloads: [{name: w, addresses: [10.0.0.8]}]\n"
	"  rules:\n"
	"    - {name: a, action: deny, from: s0/p1, to: w, services: tcp/80}\n"
	"    - {name: b, action: allow, from: {cidr: 10.0.0.16/28}, to: in, services: tcp/81}\n";

static const char *const policies[] = {
	"{\"metadata\":{\"name\":\"p0\",\"namespace\":\"s0\"},\"spec\":{\"podSelector\":"
	"{\"matchLabels\":{\"app\":\"a0\"}},\"ingress\":[{\"from\":[{\"podSelector\":"
	"{\"matchLabels\":{\"app\":\"a1\"}}}],\"ports\":[{\"port\":80}]}]}}",
	"{\"metadata\":{\"name\":\"p1\",\"namespace\":\"s1\"},\"spec\":{\"podSelector\":{},"
	"\"ingress\":[{\"from\":[{\"namespaceSelector\":{},\"podSelector\":{\"matchExpressions\":"
	"[{\"key\":\"tier\",\"operator\":\"Exists\"}]}}],\"ports\":[{\"port\":\"web\"}]}]}}",
	"{\"metadata\":{\"name\":\"p2\",\"namespace\":\"s1\"},\"spec\":{\"podSelector\":"
	"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"a2\"]}]},"
	"\"policyTypes\":[\"Egress\"],\"egress\":[{\"ports\":[{\"port\":81}]}]}}",
};

struct world {
	struct made_cluster cluster;
	struct policy_version *version; /* changed in place */
	uint64_t random;
	unsigned int moved, compiled;
};

static uint32_t below(struct world *w, uint32_t n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % n;
}

static struct bh_addr address(uint32_t number)
{
	_text_ struct text text = TEXT_INIT;
	struct bh_addr a;

	text_addf(&text, number % 2 ? "10.0.0.%u" : "fd00::%x", number);
	assert_null(addr_parse(text.buf, &a));
	return a;
}

static void put_pod(struct world *w)
{
	static const char *const phases[] = {"Running", "Running", "Running", "Failed"};
	_text_ struct text json = TEXT_INIT;
	char v4[ADDRESS_STRLEN], v6[ADDRESS_STRLEN];
	struct bh_addr one = address(2 * below(w, ADDRESSES / 2) + 1);
	struct bh_addr other = address(2 * below(w, ADDRESSES / 2));

	addr_format(&one, v4);
	addr_format(&other, v6);
	text_addf(&json,
		  "{\"metadata\":{\"name\":\"p%u\",\"namespace\":\"s%u\",\"labels\":"
		  "{\"app\":\"a%u\",\"hash\":\"%u\"%s}},\"spec\":{\"containers\":[{\"ports\":"
		  "[{\"name\":\"%s\",\"containerPort\":%u}]}]%s},\"status\":{\"phase\":\"%s\",",
		  below(w, NAMES / 2), below(w, 2), below(w, 4), below(w, 1000),
		  below(w, 3) ? "" : ",\"tier\":\"t\"", below(w, 2) ? "web" : "other",
		  80 + below(w, 2), below(w, 8) ? "" : ",\"hostNetwork\":true",
		  phases[below(w, COUNT(phases))]);
	if (below(w, 2))
		text_addf(&json, "\"podIP\":\"%s\"}}", v4);
	else
		text_addf(&json, "\"podIPs\":[{\"ip\":\"%s\"},{\"ip\":\"%s\"}]}}", v4, v6);
	made_cluster_put(&w->cluster, KUBE_POD, json.buf);
}

static void drop_pod(struct world *w)
{
	_text_ struct text key = TEXT_INIT;

	text_addf(&key, "s%u/p%u", below(w, 2), below(w, NAMES / 2));
	kube_table_remove(&w->cluster.tables[KUBE_POD], key.buf);
}

static struct policy_version *compile(struct world *w)
{
	_text_ struct text diagnostics = TEXT_INIT;
	struct policy_version *v = made_cluster_compile(&w->cluster, own, &diagnostics);

	if (!v)
		fail_msg("%s", diagnostics.buf);
	return v;
}

/* As the agent does it. */
static void follow(struct world *w)
{
	struct kube_pods *pods = &w->cluster.pods;
	bool are_placed = true;

	vec_foreach (touched, &pods->touched) {
		struct address_entry entry;
		bool is_changed;

		are_placed &= !pod_move_in(w->version, touched, kube_pods_owner(pods, touched),
					   &entry, &is_changed);
		w->moved += is_changed;
	}
	pods->touched.count = 0;
	if (are_placed)
		return;
	w->compiled++;
	policy_version_free(w->version);
	w->version = compile(w);
}

/* Rules have other numbers where a named port has had other ones. */
static void ask(struct world *w, const struct compiled *other)
{
	const struct compiled *c = w->version->compiled;

	for (int i = 0; i < QUESTIONS; i++) {
		struct bh_addr src = address(below(w, ADDRESSES + 4));
		struct bh_addr dst = address(below(w, ADDRESSES + 4));
		uint16_t port = (uint16_t)(79 + below(w, 4));
		struct decision is =
			decision_of_cell(image_decide(&c->image, &src, &dst, BH_SERVICE_TCP, port));
		struct decision wanted = decision_of_cell(
			image_decide(&other->image, &src, &dst, BH_SERVICE_TCP, port));

		assert_int_equal(is.verdict, wanted.verdict);
		assert_string_equal(compiled_rule_name(c, is.rule),
				    compiled_rule_name(other, wanted.rule));
	}
}

static void ask_anew(struct world *w)
{
	struct policy_version *anew = compile(w);

	ask(w, anew->compiled);
	policy_version_free(anew);
}

/* What the next compiler makes of the policy, which was changed along. */
static void ask_again(struct world *w)
{
	struct compiled *again;
	_diags_ struct diags diags = {};

	assert_int_equal(
		policy_compile(w->version->loaded->policy, &(struct environment){}, &diags, &again),
		0);
	ask(w, again);
	compiled_free(again);
}

static void change_once(struct world *w)
{
	if (below(w, 4))
		put_pod(w);
	else
		drop_pod(w);
	follow(w);
	ask_anew(w);
	ask_again(w);
}

static void fill(struct world *w)
{
	made_cluster_init(&w->cluster);
	for (size_t i = 0; i < COUNT(policies); i++)
		made_cluster_put(&w->cluster, KUBE_NETWORK_POLICY, policies[i]);
	made_cluster_put(&w->cluster, KUBE_NAMESPACE, "{\"metadata\":{\"name\":\"s0\"}}");
	for (int i = 0; i < NAMES; i++)
		put_pod(w);
	w->cluster.pods.touched.count = 0;
	w->version = compile(w);
}

static void pods_that_moved_in_place_mean_what_they_do_compiled_anew(void **state)
{
	unsigned int moved = 0, compiled = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= CLUSTERS; seed++) {
		struct world w = {.random = seed};

		fill(&w);
		for (int i = 0; i < CHANGES; i++)
			change_once(&w);
		moved += w.moved;
		compiled += w.compiled;
		policy_version_free(w.version);
		made_cluster_release(&w.cluster);
	}
	print_message("%u addresses moved, compiled %u times\n", moved, compiled);
	assert_true(moved > CLUSTERS * CHANGES / 2 && compiled > CLUSTERS);
}

/* A pod that has such an address, in no zone. */
static size_t with_ipv6(const struct policy *p)
{
	for (size_t i = 0; i < p->workloads.count; i++) {
		const struct workload *w = &p->workloads.items[i];

		vec_foreach (placed, &w->prefixes) {
			if (w->kind == WORKLOAD_POD && !prefix_is_v4(&placed->prefix))
				return i;
		}
	}
	fail();
	return POLICY_NONE;
}

static void those_that_come_and_go_leave_nothing_behind(void **state)
{
	struct world w = {.random = 3};
	struct address_entry entry;
	struct compiled *c;
	size_t pod;

	(void)state;
	fill(&w);
	c = w.version->compiled;
	pod = with_ipv6(c->policy);
	for (uint32_t i = 1; i < COMERS; i++) {
		const struct bh_addr a = {{htonl(0xfd010000), 0, 0, htonl(i)}};

		assert_int_equal(address_add(c, &a, pod, &entry), 0);
		assert_true(entry.is_listed);
		assert_int_equal(c->index->changes.nodes.count, 1);
		assert_int_equal(compiled_workload(c, &a), pod);
		assert_int_equal(address_remove(c, &a, &entry), 0);
		assert_int_equal(c->index->changes.nodes.count, 0);
		assert_int_equal(compiled_workload(c, &a), POLICY_NONE);
	}
	policy_version_free(w.version);
	made_cluster_release(&w.cluster);
}

static void put(void *user, const char *bytes, size_t len)
{
	text_addn(user, bytes, len);
}

static void pods_are_the_same_after_they_were_written_and_read(void **state)
{
	_made_cluster_ struct made_cluster copy;
	_text_ struct text text = TEXT_INIT;
	struct source source;
	struct world w = {.random = 7};

	(void)state;
	made_cluster_init(&copy);
	fill(&w);
	kube_pods_write(&w.cluster.tables[KUBE_POD], &(struct sink){put, &text});
	source = (struct source){.name = "", .text = text.buf, .len = text.len};
	kube_pods_read(&source, &copy.tables[KUBE_POD]);
	vec_foreach (entry, &w.cluster.tables[KUBE_POD].entries) {
		const struct kube_entry *there = kube_table_get(&copy.tables[KUBE_POD],
								(*entry)->object.key);

		assert_non_null(there);
		assert_true(kube_object_is_same(&there->object, &(*entry)->object));
	}
	policy_version_free(w.version);
	made_cluster_release(&w.cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_that_moved_in_place_mean_what_they_do_compiled_anew),
		cmocka_unit_test(those_that_come_and_go_leave_nothing_behind),
		cmocka_unit_test(pods_are_the_same_after_they_were_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
