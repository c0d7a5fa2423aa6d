/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_report.h"
#include "agent/kubernetes/kube_retry.h"

#include <arpa/inet.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "agent/kubernetes/kube_drops.h"
#include "agent/kubernetes/kube_events.h"
#include "agent/kubernetes/kube_status.h"
#include "agent/kubernetes/kube_writer.h"
#include "tests/test.h"
#include "util/address.h"

#define UID "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define S   1000000000ull

static void put(struct kube_table *table, enum kube_kind kind, const char *json)
{
	static uint64_t order;
	struct kube_object object;

	assert_int_equal(kube_object_read(kind, json, &object), 0);
	kube_table_put(table, &object, ++order);
}

static void put_policy(struct kube_table *table, const char *name, unsigned int generation,
		       const char *spec)
{
	_text_ struct text json = TEXT_INIT;

	text_addf(&json,
		  "{\"metadata\":{\"name\":\"%s\",\"uid\":\"" UID "\",\"generation\":%u},"
		  "\"spec\":%s,\"status\":{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
		  name, generation, spec);
	put(table, KUBE_ZONE_POLICY, json.buf);
}

static void what_an_object_is_called_is_kept_beside_its_text(void **state)
{
	struct kube_table policies = {};
	const struct kube_entry *entry;
	char uid[KUBE_UID_STRLEN];

	(void)state;
	put_policy(&policies, "zones", 7, "{}");
	entry = kube_table_get(&policies, "zones");
	assert_int_equal(entry->object.identity.generation, 7);
	assert_true(kube_uid_format(&entry->object.identity.uid, uid));
	assert_string_equal(uid, UID);
	assert_string_equal(entry->object.identity.reporters, "a\nb\n");
	assert_null(strstr(entry->object.text, "status"));
	put_policy(&policies, "zones", 8, "{}"); /* which is no change of what counts */
	assert_ptr_equal(kube_table_get(&policies, "zones"), entry);
	assert_int_equal(entry->object.identity.generation, 8);
	kube_table_release(&policies);
}

static void what_is_no_uid_is_none(void **state)
{
	static const char *const wrong[] = {"1", UID "0", "0a1b2c3d-4e5f-6071-8293xa4b5c6d7e8f9",
					    "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8g9"};
	struct kube_uid uid = {};
	char buf[KUBE_UID_STRLEN];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_row(wrong[i], !kube_uid_parse(wrong[i], &uid));
	assert_false(kube_uid_parse(NULL, &uid));
	assert_false(kube_uid_format(&uid, buf));
}

/* --- status --- */

struct scene {
	struct kube_table tables[KUBE_KIND_COUNT];
	struct kube_zones zones;
	struct kube_faults faults;
	struct kube_status status;
};

static struct kube_table *policies_of(struct scene *s)
{
	s->tables[KUBE_ZONE_POLICY].zones = &s->zones;
	return &s->tables[KUBE_ZONE_POLICY];
}

static void add_fault(struct scene *s, const char *name, const char *word, const char *message)
{
	struct kube_entry *entry = kube_table_get(policies_of(s), name);
	const char *at = strstr(entry->object.text, word);

	kube_faults_add(&s->faults, KUBE_ZONE_POLICY, entry, entry->object.text,
			(unsigned int)(at - entry->object.text) + 1, message);
}

static void update(struct scene *s, bool is_in_force, const char *why)
{
	const struct kube_result result = {is_in_force, why};

	kube_status_update(&s->status, policies_of(s), &s->faults, &result, "n");
	if (is_in_force)
		kube_zones_take(&s->zones, policies_of(s));
}

/* What the node says of it. */
static void assert_says(const struct scene *s, const char *name, const char *said)
{
	_text_ struct text all = TEXT_INIT;

	text_addf(&all,
		  "{\"apiVersion\":\"bulkhead.dev/v1\",\"kind\":\"ZonePolicy\","
		  "\"metadata\":{\"name\":\"%s\"},\"status\":{\"nodes\":[{\"name\":\"n\",%s}]}}",
		  name, said);
	assert_string_equal(kube_status_find(&s->status, name)->text, all.buf);
}

static void release(struct scene *s)
{
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_table_release(&s->tables[i]);
	kube_zones_release(&s->zones);
	kube_faults_release(&s->faults);
	kube_status_release(&s->status);
}

#define IN_FORCE(generation)                                                                       \
	"\"observedGeneration\":" generation ",\"enforcedGeneration\":" generation                 \
	",\"inForce\":true,\"errors\":[]"

static void a_status_follows_what_is_good_bad_and_repaired(void **state)
{
	struct scene s = {};

	(void)state;
	put_policy(policies_of(&s), "zones", 1, "{\"rules\":[]}");
	update(&s, true, NULL);
	assert_says(&s, "zones", IN_FORCE("1"));

	put_policy(policies_of(&s), "zones", 2, "{\"rules\":[{},{\"to\":\"web\"}]}");
	kube_faults_tidy(&s.faults, s.tables);
	add_fault(&s, "zones", "\"web\"", "'web' is not a workload");
	kube_table_get(policies_of(&s), "zones")->refusals = 1;
	update(&s, true, NULL);
	assert_says(&s, "zones",
		    "\"observedGeneration\":2,\"enforcedGeneration\":1,\"inForce\":false,"
		    "\"errors\":[{\"path\":\"spec.rules[1].to\","
		    "\"message\":\"'web' is not a workload\"}]");

	put_policy(policies_of(&s), "zones", 3, "{\"rules\":[{\"to\":\"api\"}]}");
	kube_faults_tidy(&s.faults, s.tables);
	update(&s, true, NULL);
	assert_says(&s, "zones", IN_FORCE("3"));
	assert_int_equal(s.faults.objects.count, 0);
	release(&s);
}

static void one_that_nothing_stands_for_holds_up_the_others(void **state)
{
	struct scene s = {};

	(void)state;
	put_policy(policies_of(&s), "old", 1, "{}");
	put_policy(policies_of(&s), "steady", 1, "{}");
	update(&s, true, NULL);
	put_policy(policies_of(&s), "new", 1, "{\"rulez\":[]}");
	put_policy(policies_of(&s), "old", 2, "{\"rules\":[]}");
	add_fault(&s, "new", "\"rulez\"", "unknown key 'rulez'");
	update(&s, false, "something");
	assert_says(&s, "new",
		    "\"observedGeneration\":1,\"enforcedGeneration\":0,\"inForce\":false,"
		    "\"errors\":[{\"path\":\"spec.rulez\",\"message\":\"unknown key 'rulez'\"}]");
	assert_says(&s, "old",
		    "\"observedGeneration\":2,\"enforcedGeneration\":1,\"inForce\":false,"
		    "\"errors\":[{\"path\":\"\","
		    "\"message\":\"held up by ZonePolicy 'new', which is refused\"}]");
	assert_says(&s, "steady", IN_FORCE("1"));
	release(&s);
}

static void of_one_that_is_left_out_nothing_is_in_force(void **state)
{
	struct scene s = {};
	struct kube_entry *entry;

	(void)state;
	put_policy(policies_of(&s), "new", 1, "{\"rulez\":[]}");
	add_fault(&s, "new", "\"rulez\"", "unknown key 'rulez'");
	entry = kube_table_get(policies_of(&s), "new");
	entry->refusals = 1;
	entry->is_left_out = true;
	update(&s, true, NULL);
	assert_says(&s, "new",
		    "\"observedGeneration\":1,\"enforcedGeneration\":0,\"inForce\":false,"
		    "\"leftOut\":true,\"errors\":[{\"path\":\"spec.rulez\","
		    "\"message\":\"unknown key 'rulez'\"}]");
	release(&s);
}

static void what_fails_as_a_whole_is_said_of_what_has_changed(void **state)
{
	struct scene s = {};

	(void)state;
	put_policy(policies_of(&s), "zones", 4, "{}");
	update(&s, false, "the policy is too large\nmore");
	assert_says(&s, "zones",
		    "\"observedGeneration\":4,\"enforcedGeneration\":0,\"inForce\":false,"
		    "\"errors\":[{\"path\":\"\",\"message\":\"the policy is too large\"}]");
	kube_table_remove(policies_of(&s), "zones");
	update(&s, true, NULL);
	assert_null(kube_status_find(&s.status, "zones"));
	release(&s);
}

static void of_many_errors_some_are_told(void **state)
{
	struct scene s = {};

	(void)state;
	put_policy(policies_of(&s), "zones", 1, "{}");
	for (int i = 0; i < KUBE_FAULTS_KEPT + 3; i++)
		add_fault(&s, "zones", "{}", "wrong");
	update(&s, true, NULL);
	assert_non_null(strstr(kube_status_find(&s.status, "zones")->text,
			       "{\"path\":\"\",\"message\":\"and 3 more\"}]"));
	release(&s);
}

static void each_node_owns_its_entry(void **state)
{
	_text_ struct text path = TEXT_INIT, node = TEXT_INIT, manager = TEXT_INIT;

	(void)state;
	kube_status_path("zones", "node-a", &path);
	assert_string_equal(path.buf, "/apis/bulkhead.dev/v1/zonepolicies/zones/status"
				      "?force=true&fieldManager=bulkhead-node-a");
	while (node.len < 253)
		text_addc(&node, 'n');
	text_reset(&path);
	kube_status_path("zones", node.buf, &path);
	assert_int_equal(strlen(strstr(path.buf, "bulkhead-")), 128);
}

static void of_many_nodes_some_speak(void **state)
{
	struct kube_table nodes = {};

	(void)state;
	for (int i = 0; i < KUBE_REPORT_ALL + 1; i++) {
		_text_ struct text json = TEXT_INIT;

		assert_true(kube_report_is_speaker(&nodes, "n050"));
		text_addf(&json, "{\"metadata\":{\"name\":\"n%03d\"}}", i);
		put(&nodes, KUBE_NODE, json.buf);
	}
	assert_false(kube_report_is_speaker(&nodes, "n050"));
	assert_false(kube_report_is_speaker(&nodes, "n020"));
	assert_true(kube_report_is_speaker(&nodes, "n019"));
	kube_table_release(&nodes);
}

/* --- again --- */

#define NS_PER_MS 1000000ull

static void what_is_refused_is_tried_soon_and_then_ever_more_seldom(void **state)
{
	struct kube_retry r = {};
	uint64_t now_ns = 5, before_ms = 0, tries = 0;

	(void)state;
	for (uint64_t ms = 0; ms < 3600000; tries++) {
		uint64_t wait_ms = kube_retry_wait(&r, now_ns);

		assert_true(tries ? wait_ms >= before_ms : wait_ms == KUBE_RETRY_FIRST_MS);
		assert_true(wait_ms <= KUBE_RETRY_MOST_MS);
		before_ms = wait_ms;
		ms += wait_ms;
		now_ns += wait_ms * NS_PER_MS;
	}
	assert_int_equal(before_ms, KUBE_RETRY_MOST_MS);
	assert_true(tries < 25);
}

static void what_was_allowed_for_a_while_is_refused_for_the_first_time(void **state)
{
	struct kube_retry r = {};
	uint64_t now_ns = 5;

	(void)state;
	for (int i = 0; i < 20; i++)
		now_ns += kube_retry_wait(&r, now_ns) * NS_PER_MS;
	now_ns += 3ull * KUBE_RETRY_MOST_MS * NS_PER_MS;
	assert_int_equal(kube_retry_wait(&r, now_ns), KUBE_RETRY_FIRST_MS);
}

/* --- Events --- */

static void a_refusal_is_an_event(void **state)
{
	struct kube_table policies = {};
	struct kube_faults faults = {};
	_text_ struct text note = TEXT_INIT, json = TEXT_INIT, path = TEXT_INIT;
	struct kube_notice notice = {
		.kind = KUBE_NETWORK_POLICY, .key = "shop/web.in", .node = "n"};
	const struct kube_entry *entry;

	(void)state;
	put(&policies, KUBE_NETWORK_POLICY,
	    "{\"metadata\":{\"name\":\"web.in\",\"namespace\":\"shop\",\"uid\":\"" UID "\"},"
	    "\"spec\":{\"frum\":1}}");
	entry = kube_table_get(&policies, notice.key);
	kube_faults_add(&faults, notice.kind, entry, "{\"spec\":{\"frum\":1}}", 10, "unknown");
	kube_faults_add(&faults, notice.kind, entry, "{}", 1, "more");
	kube_refusal_note(&faults.objects.items[0], entry, &note);
	assert_string_equal(note.buf, "spec.frum: unknown (and 1 more; it isolates the pods that "
				      "it selects)");
	notice.uid = &entry->object.identity.uid;
	notice.reason = "Refused";
	notice.action = "Read";
	notice.note = note.buf;
	notice.hash = 0xabc;
	kube_event_add(&notice, &json);
	assert_string_equal(
		json.buf,
		"{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":"
		"\"web.in.0000000000000abc\",\"namespace\":\"shop\"},\"eventTime\":"
		"\"1970-01-01T00:00:00.000000Z\",\"reportingController\":\"bulkhead.dev/agent\","
		"\"reportingInstance\":\"n\",\"type\":\"Warning\",\"reason\":\"Refused\","
		"\"action\":\"Read\",\"note\":\"spec.frum: unknown (and 1 more; it isolates the "
		"pods that it selects)\",\"regarding\":{\"apiVersion\":\"networking.k8s.io/v1\","
		"\"kind\":\"NetworkPolicy\",\"namespace\":\"shop\",\"name\":\"web.in\","
		"\"uid\":\"" UID "\"}}");
	kube_event_path(&notice, &path);
	assert_string_equal(path.buf, "/apis/events.k8s.io/v1/namespaces/shop/events/"
				      "web.in.0000000000000abc");
	kube_faults_release(&faults);
	kube_table_release(&policies);
}

static void an_event_about_what_has_no_namespace_is_in_the_default_one(void **state)
{
	static const struct kube_uid none;
	const struct kube_notice notice = {.kind = KUBE_ZONE_POLICY,
					   .key = "zones",
					   .uid = &none,
					   .node = "n",
					   .reason = "R",
					   .action = "A",
					   .note = "x"};
	_text_ struct text json = TEXT_INIT;

	(void)state;
	kube_event_add(&notice, &json);
	assert_non_null(strstr(json.buf, "\"namespace\":\"default\"},\"eventTime\""));
	assert_non_null(strstr(json.buf, "\"regarding\":{\"apiVersion\":\"bulkhead.dev/v1\","
					 "\"kind\":\"ZonePolicy\",\"name\":\"zones\"}}"));
}

static void what_is_too_long_for_an_event_is_cut(void **state)
{
	static const struct kube_uid none;
	_text_ struct text name = TEXT_INIT, note = TEXT_INIT, json = TEXT_INIT, path = TEXT_INIT;
	struct kube_notice notice = {
		.kind = KUBE_ZONE_POLICY, .uid = &none, .node = "n", .reason = "R", .action = "A"};

	(void)state;
	while (name.len < 253)
		text_add(&name, name.len == 228 ? "." : "n");
	while (note.len < 2000)
		text_add(&note, "\xe2\x82\xac");
	notice.key = name.buf;
	notice.note = note.buf;
	kube_event_path(&notice, &path);
	assert_true(strlen(strrchr(path.buf, '/') + 1) <= 253);
	kube_event_add(&notice, &json);
	assert_true(strcspn(strstr(json.buf, "\"note\":\"") + 8, "\"") <= 1024);
}

/* --- drops --- */

struct told {
	struct kube_drops drops;
	unsigned int firsts, series;
	uint64_t count;
	char *note; /* the last one's */
};

static void on_drop(void *user, const struct kube_drop *drop)
{
	struct told *t = user;

	t->firsts += !drop->told;
	t->series += drop->told > 0;
	t->count = drop->count;
	free(t->note);
	t->note = strdup(drop->note);
}

static void drop_at(struct told *t, const char *pod, uint16_t port, uint64_t now_ns)
{
	struct bh_event event = {.proto = 6,
				 .direction = BH_INGRESS,
				 .reason = BH_REASON_POLICY,
				 .dport = htons(port)};
	const struct event_names names = {.endpoint = pod,
					  .rule = "shop/web-in:ingress[0]",
					  .src = {.workload = "shop/bad"},
					  .wall_ns = now_ns};

	t->drops.fn = on_drop;
	t->drops.user = t;
	assert_null(addr_parse("10.0.0.7", &event.src));
	kube_drops_add(&t->drops, &event, &names, now_ns);
}

static void told_release(struct told *t)
{
	kube_drops_release(&t->drops);
	free(t->note);
}

static void the_first_drop_of_a_kind_is_told_and_the_others_are_a_series(void **state)
{
	struct told t = {};

	(void)state;
	drop_at(&t, "shop/web", 80, S);
	assert_string_equal(t.note, "dropped what came to it from shop/bad 10.0.0.7, tcp/80: rule "
				    "shop/web-in:ingress[0], reason policy");
	for (int i = 0; i < 9; i++)
		drop_at(&t, "shop/web", 80, 2 * S);
	kube_drops_tick(&t.drops, 60 * S);
	assert_int_equal(t.series, 0);
	kube_drops_tick(&t.drops, 61 * S);
	kube_drops_tick(&t.drops, 62 * S);
	assert_int_equal(t.firsts, 1);
	assert_int_equal(t.series, 1);
	assert_int_equal(t.count, 10);
	drop_at(&t, "shop/web", 80, 63 * S);
	kube_drops_tick(&t.drops, 180 * S); /* it waits twice as long */
	assert_int_equal(t.series, 1);
	kube_drops_tick(&t.drops, 182 * S);
	assert_int_equal(t.count, 11);
	told_release(&t);
}

static void few_of_a_pod_are_told_and_few_of_a_node(void **state)
{
	struct told t = {};

	(void)state;
	for (uint16_t port = 1; port <= 100; port++)
		drop_at(&t, "shop/web", port, S);
	assert_int_equal(t.firsts, KUBE_DROPS_OF_POD);
	for (uint16_t n = 0; n < 100; n++) {
		_text_ struct text pod = TEXT_INIT;

		text_addf(&pod, "shop/%u", n);
		drop_at(&t, pod.buf, 80, S);
	}
	assert_int_equal(t.firsts, KUBE_DROPS_MAX);
	assert_int_equal(t.drops.left_out, 200 - KUBE_DROPS_MAX);
	kube_drops_tick(&t.drops, S + KUBE_DROPS_WINDOW_NS);
	drop_at(&t, "shop/web", 80, 2 * S + KUBE_DROPS_WINDOW_NS);
	assert_int_equal(t.firsts, KUBE_DROPS_MAX + 1);
	told_release(&t);
}

static void what_is_no_drop_at_a_pod_is_passed_over(void **state)
{
	struct bh_event event = {.verdict = BH_VERDICT_AUDIT};
	struct event_names names = {.endpoint = "shop/web"};
	struct told t = {.drops = {.fn = on_drop, .user = &t}};

	(void)state;
	kube_drops_add(&t.drops, &event, &names, S);
	event.verdict = BH_VERDICT_DENY;
	names.endpoint = "host";
	kube_drops_add(&t.drops, &event, &names, S);
	names.endpoint = NULL;
	kube_drops_add(&t.drops, &event, &names, S);
	assert_int_equal(t.firsts, 0);
	told_release(&t);
}

/* clang-format off */
static const struct {
	const char *method;
	long status;
	enum kube_outcome outcome;
} outcomes[] = {
	{ "PATCH", 200, KUBE_DONE    }, { "POST", 201, KUBE_DONE    },
	{ "POST",  409, KUBE_EXISTS  }, { "PATCH", 409, KUBE_RETRY  },
	{ "PATCH", 0,   KUBE_RETRY   }, { "PATCH", 401, KUBE_RETRY  },
	{ "PATCH", 429, KUBE_RETRY   }, { "PATCH", 500, KUBE_RETRY  },
	{ "POST",  503, KUBE_RETRY   }, { "PATCH", 403, KUBE_REFUSED },
	{ "PATCH", 404, KUBE_REFUSED }, { "POST",  422, KUBE_REFUSED },
};
/* clang-format on */

static void what_may_go_well_later_is_tried_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++)
		assert_int_equal(kube_outcome_of(outcomes[i].method, outcomes[i].status),
				 outcomes[i].outcome);
}

static bool put_write(struct kube_writer *w, const char *key, const char *body)
{
	return kube_writer_put(w, &(struct kube_write){
					  .key = key,
					  .message = {"POST", "/x", "application/json", body},
				  });
}

static void what_waits_is_bounded_and_replaced_by_what_is_newer(void **state)
{
	const struct kube_server server = {
		.url = "https://192.0.2.1:1", .ca_file = "/", .silence_s = 1};
	struct kube_writer w = {};
	struct kube_http *http;
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(kube_http_new(loop, &server, &http), 0);
	kube_writer_init(&w, loop, http);
	assert_true(put_write(&w, "zones", "1"));
	assert_true(put_write(&w, "zones", "2")); /* the first is under way */
	assert_true(put_write(&w, "zones", "3"));
	assert_int_equal(w.queue.count, 2);
	assert_true(w.queue.items[0].is_replaced);
	assert_string_equal(w.queue.items[1].body, "3");
	while (w.queue.count < KUBE_WRITER_MAX)
		assert_true(put_write(&w, NULL, "x"));
	assert_false(put_write(&w, NULL, "x"));
	assert_false(put_write(&w, "other", "x"));
	assert_true(put_write(&w, "zones", "4"));
	assert_int_equal(w.left_out, 2);
	kube_http_free(http);
	kube_writer_release(&w);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_object_is_called_is_kept_beside_its_text),
		cmocka_unit_test(what_is_no_uid_is_none),
		cmocka_unit_test(a_status_follows_what_is_good_bad_and_repaired),
		cmocka_unit_test(one_that_nothing_stands_for_holds_up_the_others),
		cmocka_unit_test(of_one_that_is_left_out_nothing_is_in_force),
		cmocka_unit_test(what_fails_as_a_whole_is_said_of_what_has_changed),
		cmocka_unit_test(of_many_errors_some_are_told),
		cmocka_unit_test(each_node_owns_its_entry),
		cmocka_unit_test(of_many_nodes_some_speak),
		cmocka_unit_test(what_is_refused_is_tried_soon_and_then_ever_more_seldom),
		cmocka_unit_test(what_was_allowed_for_a_while_is_refused_for_the_first_time),
		cmocka_unit_test(a_refusal_is_an_event),
		cmocka_unit_test(an_event_about_what_has_no_namespace_is_in_the_default_one),
		cmocka_unit_test(what_is_too_long_for_an_event_is_cut),
		cmocka_unit_test(the_first_drop_of_a_kind_is_told_and_the_others_are_a_series),
		cmocka_unit_test(few_of_a_pod_are_told_and_few_of_a_node),
		cmocka_unit_test(what_is_no_drop_at_a_pod_is_passed_over),
		cmocka_unit_test(what_may_go_well_later_is_tried_again),
		cmocka_unit_test(what_waits_is_bounded_and_replaced_by_what_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
