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
#include "agent/kubernetes/kube_snapshot.h"
#include "policy/compiled_index.h"
#include "tests/unit/made_cluster.h"

#define CLUSTERS  12
#define CHANGES   60 /* of each */
#define QUESTIONS 30 /* after each change */
#define NAMES     30 /* of pods */
#define ADDRESSES 40
#define COMERS    100000
#define MAKINGS   40 /* in each cluster */
#define MEANWHILE 2  /* changes during each */

static const char own[] =
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: z}\nspec:\n"
	"  zones: [{name: in, cidrs: [10.0.0.0/27]}, {name: one, cidrs: [10.0.0.9/32]}]\n"
	"  workloads: [{name: w, addresses: [10.0.0.8]}]\n"
	"  rules:\n"
	"    - {name: a, action: deny, from: s0/p1, to: w, services: tcp/80}\n"
	"    - {name: b, action: allow, from: {cidr: 10.0.0.16/28}, to: in, services: tcp/81}\n"
	"    - {name: c, action: deny, from: {cidr: 10.0.0.33/32}, to: in, services: tcp/82}\n";

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

/* --- while another policy is made --- */

struct workshop {
	struct world world;
	struct policy_set set;
	struct kube_snapshot made_of;
	struct loop *loop;
	struct preparation result;
	unsigned int placed, displaced;
};

static void workshop_open(struct workshop *s, uint64_t seed)
{
	*s = (struct workshop){.world.random = seed, .result = PREPARATION_INIT};
	fill(&s->world);
	s->set.objects = s->world.cluster.tables;
	s->set.is_listed = true;
	s->set.current = s->world.version;
	assert_int_equal(loop_new(&s->loop), 0);
}

static void workshop_close(struct workshop *s)
{
	policy_job_free(TAKE_PTR(s->set.job));
	kube_snapshot_release(&s->made_of);
	loop_free(s->loop);
	policy_version_free(s->world.version);
	made_cluster_release(&s->world.cluster);
}

static void on_over(void *user, struct preparation *p)
{
	struct workshop *s = user;

	s->result.err = p->err;
	s->result.version = TAKE_PTR(p->version);
	loop_stop(s->loop);
}

static void begin(struct workshop *s)
{
	struct source source = source_of("own.yaml", own, strlen(own));
	const struct policy_input input = {.sources = &source, .source_count = 1};
	const struct policy_job_plan plan = {s->loop, &input, s->made_of.tables, on_over, s};

	kube_snapshot_release(&s->made_of);
	kube_snapshot_take(s->world.cluster.tables, &s->made_of);
	policy_job_begin(&s->set, &plan);
}

static void change_in_force(struct world *w)
{
	struct kube_pods *pods = &w->cluster.pods;

	if (below(w, 4))
		put_pod(w);
	else
		drop_pod(w);
	vec_foreach (touched, &pods->touched) {
		struct address_entry entry;
		bool is_changed;

		pod_move_in(w->version, touched, kube_pods_owner(pods, touched), &entry,
			    &is_changed);
	}
	kube_pods_settle(pods);
}

struct followed {
	struct workshop *shop;
	bool are_placed;
};

static bool is_pod(const struct policy_version *v, const struct bh_addr *a)
{
	const struct policy *p = v->loaded->policy;
	uint32_t identity = image_identity(&v->compiled->image, a);
	size_t workload = v->compiled->identities.items[identity].workload;

	return workload != POLICY_NONE && p->workloads.items[workload].kind == WORKLOAD_POD;
}

/* Who has no place is no longer who had the address before, unless a zone has it, too. */
static void follow_one(void *user, const struct bh_addr *a)
{
	struct followed *f = user;
	struct policy_version *v = f->shop->result.version;
	const struct bh_addr of_zone = address(9);

	if (!pod_move_ahead(v, a, kube_pods_owner(&f->shop->world.cluster.pods, a)))
		return;
	f->are_placed = false;
	if (addr_cmp(a, &of_zone) != 0) {
		assert_false(is_pod(v, a));
		f->shop->displaced++;
	}
}

/* What no policy has a place for has none at all until the next one is made. */
static void make_one(struct workshop *s)
{
	struct world *w = &s->world;
	struct followed f = {s, true};

	begin(s);
	for (int i = 0; i < MEANWHILE; i++)
		change_in_force(w);
	loop_run(s->loop);
	assert_int_equal(s->result.err, 0);
	kube_pods_noted(&w->cluster.pods, follow_one, &f);
	policy_version_free(w->version);
	s->set.current = w->version = TAKE_PTR(s->result.version);
	s->placed += f.are_placed;
	if (f.are_placed)
		ask_anew(w);
}

static void pods_that_move_while_a_policy_is_made_mean_the_same_in_it(void **state)
{
	unsigned int placed = 0, displaced = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= CLUSTERS; seed++) {
		struct workshop s;

		workshop_open(&s, seed);
		for (int i = 0; i < MAKINGS; i++)
			make_one(&s);
		placed += s.placed;
		displaced += s.displaced;
		workshop_close(&s);
	}
	print_message("each was in its place %u times, %u had none\n", placed, displaced);
	assert_true(placed > CLUSTERS * MAKINGS / 16);
}

static void assert_has_to_begin_again(struct workshop *s)
{
	loop_run(s->loop);
	assert_int_equal(s->result.err, -ECANCELED);
	assert_null(s->result.version);
	assert_null(s->set.job);
}

static void what_it_is_made_of_is_not_right_any_more(void **state)
{
	struct policy_version *other;
	struct workshop s;

	(void)state;
	workshop_open(&s, 5);
	begin(&s);
	policy_job_stop(s.set.job);
	assert_has_to_begin_again(&s);

	begin(&s);
	other = compile(&s.world);
	s.set.current = other;
	assert_has_to_begin_again(&s);
	s.set.current = s.world.version;
	policy_version_free(other);

	begin(&s);
	workshop_close(&s);
}

/* Two at once, and never three. */
static void another_one_is_prepared_meanwhile(void **state)
{
	const struct policy_input input = {};
	_text_ struct text diagnostics = TEXT_INIT;
	struct policy_version *v;
	struct workshop s;

	(void)state;
	workshop_open(&s, 6);
	begin(&s);
	assert_int_equal(policy_set_prepare(&s.set, &input, &diagnostics, &v), 0);
	policy_version_free(v);
	assert_has_to_begin_again(&s);
	workshop_close(&s);
}

/* --- what is kept of them --- */

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
		cmocka_unit_test(pods_that_move_while_a_policy_is_made_mean_the_same_in_it),
		cmocka_unit_test(what_it_is_made_of_is_not_right_any_more),
		cmocka_unit_test(another_one_is_prepared_meanwhile),
		cmocka_unit_test(those_that_come_and_go_leave_nothing_behind),
		cmocka_unit_test(pods_are_the_same_after_they_were_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
