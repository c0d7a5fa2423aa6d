/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is behind Services, as EndpointSlices tell. */
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/kubernetes/kube_endpoints.h"
#include "util/address.h"

/* clang-format off */
static const char service[] =
	"{\"metadata\": {\"name\": \"web\", \"namespace\": \"shop\"},"
	"\"spec\": {\"clusterIPs\": [\"10.96.0.1\", \"fd00:96::1\"], \"ports\": ["
	"{\"name\": \"http\", \"port\": 80, \"nodePort\": 30080},"
	"{\"name\": \"dns\", \"port\": 53, \"protocol\": \"UDP\"},"
	"{\"name\": \"empty\", \"port\": 81}]}}";

static const char other_service[] =
	"{\"metadata\": {\"name\": \"api\", \"namespace\": \"shop\"},"
	"\"spec\": {\"clusterIP\": \"10.96.0.2\", \"externalIPs\": [\"10.96.0.1\"],"
	"\"ports\": [{\"port\": 53, \"protocol\": \"UDP\"}]}}";

#define SLICE(name, owner, rest) \
	"{\"metadata\": {\"name\": \"" name "\", \"namespace\": \"shop\", \"labels\": " \
	"{\"kubernetes.io/service-name\": \"" owner "\"}}," rest "}"
#define WEB_PORTS \
	"\"ports\": [{\"name\": \"http\", \"port\": 8080, \"protocol\": \"TCP\"}," \
	"{\"name\": \"dns\", \"port\": 5353, \"protocol\": \"UDP\"}]"

static const char *const slices[] = {
	SLICE("a", "web", "\"endpoints\": ["
	      "{\"addresses\": [\"10.244.0.2\"], \"conditions\": {\"ready\": true}},"
	      "{\"addresses\": [\"10.244.0.1\"]},"
	      "{\"addresses\": [\"10.244.0.3\"], \"conditions\": {\"ready\": false, \"serving\": true}},"
	      "{\"addresses\": [\"10.244.0.4\"], \"conditions\": {\"ready\": false, \"serving\": false}},"
	      "{\"addresses\": [\"no address\"]}], " WEB_PORTS),
	SLICE("b", "web", "\"endpoints\": [{\"addresses\": [\"10.244.0.2\"]}], " WEB_PORTS),
	SLICE("c", "web", "\"endpoints\": [{\"addresses\": [\"fd00:10::1\"]}], " WEB_PORTS),
	SLICE("d", "api", "\"endpoints\": [{\"addresses\": [\"10.244.0.9\"]}], "
	      "\"ports\": [{\"port\": 5353, \"protocol\": \"UDP\"}]"),
	SLICE("e", "api", "\"endpoints\": [{\"addresses\": [\"10.244.0.8\"]}], "
	      "\"ports\": [{\"port\": 0, \"protocol\": \"UDP\"}, {\"protocol\": \"UDP\"}]"),
	SLICE("f", "nobody", "\"endpoints\": [{\"addresses\": [\"10.244.0.8\"]}]"),
	SLICE("g", "web", "\"endpoints\": null, \"ports\": null"),
};

static const struct {
	const char *name;
	const char *address;
	uint16_t port;
	uint8_t proto;
	const char *backends;
} ends[] = {
	{ "ready or serving, each once", "10.96.0.1",  80, IPPROTO_TCP,
	  "10.244.0.1:8080 10.244.0.2:8080 10.244.0.3:8080 " },
	{ "of its own family",     "fd00:96::1",       80, IPPROTO_TCP, "fd00:10::1:8080 " },
	{ "node ports of one",     "0.0.0.0",       30080, IPPROTO_TCP,
	  "10.244.0.1:8080 10.244.0.2:8080 10.244.0.3:8080 " },
	{ "and of the other",      "::",            30080, IPPROTO_TCP, "fd00:10::1:8080 " },
	{ "by name and protocol",  "fd00:96::1",       53, IPPROTO_UDP, "fd00:10::1:5353 " },
	{ "a port without any",    "10.96.0.1",        81, IPPROTO_TCP, "" },
	{ "a port without a name", "10.96.0.2",        53, IPPROTO_UDP, "10.244.0.9:5353 " },
	{ "two that claim it",     "10.96.0.1",        53, IPPROTO_UDP,
	  "10.244.0.1:5353 10.244.0.2:5353 10.244.0.3:5353 10.244.0.9:5353 " },
};
/* clang-format on */

static void put(struct kube_table *table, enum kube_kind kind, const char *json)
{
	struct kube_object object;

	assert_int_equal(kube_object_read(kind, json, &object), 0);
	kube_table_put(table, &object, 1);
}

static const struct front_backends *find(const kube_backends *all, const char *address,
					 uint16_t port, uint8_t proto)
{
	struct bh_front wanted = {.port = htons(port), .proto = proto};

	assert_null(addr_parse(address, &wanted.addr));
	vec_foreach (front, all) {
		if (!memcmp(&front->front, &wanted, sizeof(wanted)))
			return front;
	}
	return NULL;
}

static void write_backends(const struct bh_backends *backends, struct text *out)
{
	for (uint32_t i = 0; i < backends->count && i < BH_BACKENDS_MAX; i++) {
		char buf[ADDRESS_STRLEN];

		text_addf(out, "%s:%d ", addr_format(&backends->of[i].addr, buf),
			  ntohs(backends->of[i].port));
	}
}

static void each_front_has_the_endpoints_of_its_port(void **state)
{
	struct kube_table services = {}, table = {};
	kube_backends all = {};

	(void)state;
	put(&services, KUBE_SERVICE, service);
	put(&services, KUBE_SERVICE, other_service);
	for (size_t i = 0; i < COUNT(slices); i++)
		put(&table, KUBE_ENDPOINT_SLICE, slices[i]);
	kube_endpoints_backends(&services, &table, &all);
	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct front_backends *f = find(&all, ends[i].address, ends[i].port,
						      ends[i].proto);
		_text_ struct text text = TEXT_INIT;

		assert_row(ends[i].name, f != NULL);
		write_backends(&f->backends, &text);
		if (strcmp(text.buf, ends[i].backends) != 0)
			fail_msg("%s: '%s'", ends[i].name, text.buf);
	}
	for (size_t i = 1; i < all.count; i++)
		assert_true(memcmp(&all.items[i - 1].front, &all.items[i].front,
				   sizeof(struct bh_front)) < 0);
	vec_release(&all);
	kube_table_release(&services);
	kube_table_release(&table);
}

static void too_many_are_not_taken_for_fewer(void **state)
{
	struct kube_table services = {}, table = {};
	_text_ struct text json = TEXT_INIT;
	kube_backends all = {};

	(void)state;
	text_add(&json, "{\"metadata\": {\"name\": \"a\", \"namespace\": \"shop\", \"labels\": "
			"{\"kubernetes.io/service-name\": \"web\"}}, \"endpoints\": [");
	for (int i = 0; i <= BH_BACKENDS_MAX; i++)
		text_addf(&json, "%s{\"addresses\": [\"10.244.0.%d\"]}", i ? "," : "", i + 1);
	text_add(&json, "], " WEB_PORTS "}");
	put(&services, KUBE_SERVICE, service);
	put(&table, KUBE_ENDPOINT_SLICE, json.buf);
	kube_endpoints_backends(&services, &table, &all);
	assert_true(find(&all, "10.96.0.1", 80, IPPROTO_TCP)->backends.count > BH_BACKENDS_MAX);
	vec_release(&all);
	kube_table_release(&services);
	kube_table_release(&table);
}

/* So many, each with an address of its own. */
static void put_many(struct kube_table *table, const char *name, const char *owner, int count)
{
	_text_ struct text json = TEXT_INIT;

	text_addf(&json,
		  "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"shop\",\"labels\":"
		  "{\"kubernetes.io/service-name\":\"%s\"}},\"ports\":[{\"port\":5353,"
		  "\"name\":\"%s\",\"protocol\":\"UDP\"}],\"endpoints\":[",
		  name, owner, !strcmp(owner, "web") ? "dns" : "");
	for (int i = 0; i < count; i++)
		text_addf(&json, "%s{\"addresses\":[\"10.244.%zu.%d\"]}", i ? "," : "",
			  strlen(name), i + 1);
	text_add(&json, "]}");
	put(table, KUBE_ENDPOINT_SLICE, json.buf);
}

static const struct {
	const char *name;
	int of_web, of_api;
	const char *crowded;
} crowds[] = {
	{"as many as there is room for", 96, 0, ""},
	{"one more", 97, 0, "shop/api, shop/web"},
	{"of one that has an address alone, too", 0, 97, "shop/api, shop/web"},
	{"two that claim one, together", 50, 50, "shop/api, shop/web"},
};

static void services_with_too_many_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(crowds); i++) {
		struct kube_table services = {}, table = {};
		_text_ struct text names = TEXT_INIT;
		kube_backends all = {};

		put(&services, KUBE_SERVICE, other_service);
		put(&services, KUBE_SERVICE, service);
		put_many(&table, "a", "web", crowds[i].of_web);
		put_many(&table, "bb", "api", crowds[i].of_api);
		kube_endpoints_backends(&services, &table, &all);
		kube_endpoints_crowded(&services, &all, &names);
		assert_row_string(crowds[i].name, names.buf, crowds[i].crowded);
		vec_release(&all);
		kube_table_release(&services);
		kube_table_release(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_front_has_the_endpoints_of_its_port),
		cmocka_unit_test(too_many_are_not_taken_for_fewer),
		cmocka_unit_test(services_with_too_many_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
