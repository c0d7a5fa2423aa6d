/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a real API server sent: tests/unit/kube-recordings. */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <zlib.h>

#include "agent/kubernetes/kube_services.h"
#include "agent/kubernetes/kube_stream.h"
#include "agent/kubernetes/kube_texts.h"
#include "tests/unit/made_cluster.h"

#define RECORDINGS "tests/unit/kube-recordings/"
#define PAGES      3

static const char *const file_names[KUBE_KIND_COUNT] = {
	[KUBE_NAMESPACE] = "namespaces",
	[KUBE_NODE] = "nodes",
	[KUBE_POD] = "pods",
	[KUBE_NETWORK_POLICY] = "networkpolicies",
	[KUBE_CLUSTER_NETWORK_POLICY] = "clusternetworkpolicies",
	[KUBE_ZONE_POLICY] = NULL,
	[KUBE_SERVICE] = "services",
};

/* What reads an answer as the agent does. */
struct reading {
	enum kube_kind kind;
	struct kube_table *table;
	uint64_t order;
	size_t events;
	int code;
	struct kube_stream stream;
};

/* False if there is no such file; it may be packed. */
static bool read_recording(const char *name, const char *ending, struct text *out)
{
	_text_ struct text path = TEXT_INIT;
	char buf[65536];
	gzFile file;
	int len;

	text_addf(&path, RECORDINGS "%s%s", name, ending);
	file = gzopen(path.buf, "rb");
	if (!file)
		return false;
	while ((len = gzread(file, buf, sizeof(buf))) > 0)
		text_addn(out, buf, (size_t)len);
	gzclose(file);
	return true;
}

static bool find_recording(const char *name, struct text *out)
{
	return read_recording(name, ".body", out) || read_recording(name, ".body.gz", out);
}

static int take_list(void *user, const struct kube_value *value)
{
	struct reading *r = user;
	struct kube_object object;

	if (value->key)
		return 0;
	assert_int_equal(kube_object_read(r->kind, value->text, &object), 0);
	kube_table_put(r->table, &object, ++r->order);
	return 0;
}

static int take_watch(void *user, const struct kube_value *value)
{
	struct reading *r = user;
	struct kube_event e = {};

	assert_int_equal(kube_event_read(r->kind, value->text, &e), 0);
	r->events++;
	if (e.type == KUBE_ADDED)
		kube_table_put(r->table, &e.object, ++r->order);
	else if (e.type == KUBE_DELETED)
		kube_table_remove(r->table, e.object.key);
	r->code = e.type == KUBE_ERROR ? e.code : 0;
	kube_event_release(&e);
	return 0;
}

static int feed(struct reading *r, bool is_list, const struct text *bytes, size_t piece)
{
	int err = 0;

	kube_stream_start(&r->stream, is_list, is_list ? take_list : take_watch, r);
	for (size_t at = 0; !err && at < bytes->len; at += piece)
		err = kube_stream_feed(&r->stream, bytes->buf + at,
				       bytes->len - at < piece ? bytes->len - at : piece);
	return err;
}

static void read_lists(const char *directory, struct reading *r, size_t piece)
{
	size_t pages = 0;

	for (int page = 1; page <= PAGES; page++) {
		_text_ struct text name = TEXT_INIT;
		_text_ struct text body = TEXT_INIT;

		text_addf(&name, "%s/%s-p%d", directory, file_names[r->kind], page);
		if (!find_recording(name.buf, &body))
			continue;
		pages++;
		assert_int_equal(feed(r, true, &body, piece), 0);
		assert_true(kube_stream_is_whole(&r->stream));
	}
	assert_true(pages);
}

static void read_watch(struct reading *r, size_t piece)
{
	_text_ struct text name = TEXT_INIT;
	_text_ struct text body = TEXT_INIT;

	text_addf(&name, "watch/%s", file_names[r->kind]);
	assert_true(find_recording(name.buf, &body));
	assert_int_equal(feed(r, false, &body, piece), 0);
	assert_true(kube_stream_is_whole(&r->stream));
	assert_true(r->events);
}

static void assert_same(const char *name, const struct kube_table *seen,
			const struct kube_table *wanted)
{
	assert_row(name, seen->entries.count == wanted->entries.count);
	vec_foreach (entry, &wanted->entries) {
		const struct kube_object *object = &(*entry)->object;
		const struct kube_entry *there = kube_table_get(seen, object->key);

		assert_row(object->key, there != NULL);
		assert_row(object->key, kube_object_is_same(&there->object, object));
	}
}

static void a_list_and_its_watch_give_the_next_list(void **state)
{
	static const size_t pieces[] = {1, 16384};

	(void)state;
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		for (size_t i = 0; file_names[kind] && i < COUNT(pieces); i++) {
			struct kube_table seen = {}, wanted = {};
			struct reading r = {.kind = kind, .table = &seen};
			struct reading after = {.kind = kind, .table = &wanted};

			read_lists("lists", &r, pieces[i]);
			read_watch(&r, pieces[i]);
			read_lists("lists-after-watch", &after, pieces[i]);
			assert_same(file_names[kind], &seen, &wanted);
			kube_stream_release(&r.stream);
			kube_stream_release(&after.stream);
			kube_table_release(&seen);
			kube_table_release(&wanted);
		}
	}
}

static void a_recorded_cluster_is_a_policy(void **state)
{
	static const char *const directories[] = {"lists", "lists-after-watch"};

	(void)state;
	for (size_t i = 0; i < COUNT(directories); i++) {
		_made_cluster_ struct made_cluster c;
		_policy_version_ struct policy_version *v = NULL;
		_text_ struct text messages = TEXT_INIT;
		size_t addresses = 0;

		made_cluster_init(&c);
		for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
			struct reading r = {.kind = kind, .table = &c.tables[kind]};

			if (!file_names[kind])
				continue;
			read_lists(directories[i], &r, 16384);
			kube_stream_release(&r.stream);
		}
		v = made_cluster_compile(&c, NULL, &messages);
		assert_row_string(directories[i], v ? "" : messages.buf, "");
		vec_foreach (w, &v->loaded->policy->workloads)
			addresses += w->kind == WORKLOAD_POD ? w->prefixes.count : 0;
		assert_true(v->loaded->policy->rules.count && addresses > 1000);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	const char *address;
	uint16_t port;
	uint8_t proto;
	bool is_front;
} ends[] = {
	{ "a cluster address",        "10.96.69.108",       80,    IPPROTO_TCP,  true },
	{ "its IPv6",                 "fd00:10:96::3714",   80,    IPPROTO_TCP,  true },
	{ "not its backends' port",   "10.96.69.108",       8081,  IPPROTO_TCP,  false },
	{ "nor another protocol",     "10.96.69.108",       80,    IPPROTO_UDP,  false },
	{ "pieces for it",            "10.96.69.108",       0,     0,            true },
	{ "two protocols",            "10.96.0.10",         53,    IPPROTO_UDP,  true },
	{ "of one port",              "10.96.0.10",         53,    IPPROTO_TCP,  true },
	{ "an external address",      "198.51.100.7",       80,    IPPROTO_TCP,  true },
	{ "a load balancer's",        "203.0.113.80",       2905,  IPPROTO_SCTP, true },
	{ "a node port",              "::",                 30080, IPPROTO_TCP,  true },
	{ "which is no address's",    "10.96.143.211",      30080, IPPROTO_TCP,  false },
	{ "no address for all ports", "::",                 0,     0,            false },
};
/* clang-format on */

static bool has_front(const kube_fronts *fronts, const char *address, uint16_t port, uint8_t proto)
{
	struct bh_front wanted = {.port = htons(port), .proto = proto};

	assert_int_equal(addr_parse(address, &wanted.addr), 0);
	vec_foreach (front, fronts) {
		if (!memcmp(front, &wanted, sizeof(wanted)))
			return true;
	}
	return false;
}

static void its_services_are_fronts(void **state)
{
	struct kube_table table = {};
	struct reading r = {.kind = KUBE_SERVICE, .table = &table};
	kube_fronts fronts = {};

	(void)state;
	read_lists("lists", &r, 16384);
	kube_services_fronts(&table, &fronts);
	for (size_t i = 0; i < COUNT(ends); i++)
		assert_row(ends[i].name, has_front(&fronts, ends[i].address, ends[i].port,
						   ends[i].proto) == ends[i].is_front);
	vec_release(&fronts);
	kube_stream_release(&r.stream);
	kube_table_release(&table);
}

struct fault {
	const char *name;
	enum kube_kind kind;
	bool is_list;
	int err;
	bool is_whole;
	int code;      /* of the last event */
	size_t events; /* of a watch */
};

/* clang-format off */
static const struct fault faults[] = {
	{ "fail/410-in-the-middle-of-a-stream", KUBE_POD, false, 0, true, 410, 1001 },
	{ "fail/410-watch-from-old-rv-networkpolicies", KUBE_NETWORK_POLICY, false, 0, true,
	  410, 1 },
	{ "fail/restart-kill-mid-event", KUBE_POD, false, 0, false, 0, 22 },
	{ "fail/list-cut-by-timeout-after-200", KUBE_POD, true, 0, false, 0, 0 },
	{ "fail/504-list-timeout", KUBE_POD, true, 0, true, 0, 0 },
	{ "fail/404-no-crd-list", KUBE_CLUSTER_NETWORK_POLICY, true, -EBADMSG, false, 0, 0 },
	{ "fail/crd-deleted-under-watch", KUBE_CLUSTER_NETWORK_POLICY, false, 0, true, 0, 10 },
};
/* clang-format on */

static void faults_are_told_from_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		const struct fault *fault = &faults[i];
		struct kube_table table = {};
		struct reading r = {.kind = fault->kind, .table = &table};
		_text_ struct text body = TEXT_INIT;

		assert_row(fault->name, find_recording(fault->name, &body));
		assert_row(fault->name, feed(&r, fault->is_list, &body, 1000) == fault->err);
		assert_row(fault->name, kube_stream_is_whole(&r.stream) == fault->is_whole);
		assert_row(fault->name, r.code == fault->code);
		assert_row(fault->name, r.events == fault->events);
		kube_stream_release(&r.stream);
		kube_table_release(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_and_its_watch_give_the_next_list),
		cmocka_unit_test(a_recorded_cluster_is_a_policy),
		cmocka_unit_test(its_services_are_fronts),
		cmocka_unit_test(faults_are_told_from_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
