/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_services.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "util/address.h"
#include "util/cleanup.h"

typedef VEC(struct bh_addr) addresses;

static const cJSON *at(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_at(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(at(object, key));
}

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* "None", of a headless Service, is no address. */
static void add_address(const char *text, addresses *out)
{
	struct bh_addr address;

	if (text && !addr_parse(text, &address))
		vec_push(out, address);
}

static void add_texts(const cJSON *list, addresses *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) add_address(cJSON_GetStringValue(item), out);
}

/* A load balancer of mode Proxy sends packets to nodes by itself: its address is nobody's here. */
static void add_balancers(const cJSON *status, addresses *out)
{
	const cJSON *list = at(at(status, "loadBalancer"), "ingress"), *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *mode = text_at(item, "ipMode");

		if (!mode || strcmp(mode, "Proxy") != 0)
			add_address(text_at(item, "ip"), out);
	}
}

static void read_addresses(const cJSON *service, addresses *out)
{
	const cJSON *spec = at(service, "spec");

	add_texts(at(spec, "clusterIPs"), out);
	if (!out->count)
		add_address(text_at(spec, "clusterIP"), out);
	add_texts(at(spec, "externalIPs"), out);
	add_balancers(at(service, "status"), out);
}

/* 0: it is none that a node translates. */
static uint8_t protocol_of(const cJSON *port)
{
	const char *word = text_at(port, "protocol");

	if (!word || !strcmp(word, "TCP"))
		return IPPROTO_TCP;
	if (!strcmp(word, "UDP"))
		return IPPROTO_UDP;
	return !strcmp(word, "SCTP") ? IPPROTO_SCTP : 0;
}

struct visit {
	kube_front_fn *fn;
	void *user;
};

static void add_front(const struct bh_addr *address, const cJSON *number, const cJSON *port,
		      const struct visit *visit)
{
	const char *name = text_at(port, "name");
	double value = cJSON_IsNumber(number) ? cJSON_GetNumberValue(number) : 0;
	struct bh_front front = {.addr = *address, .proto = protocol_of(port)};

	if (value < 1 || value > UINT16_MAX)
		return;
	front.port = htons((uint16_t)value);
	visit->fn(visit->user, &front, name ? name : "");
}

static void add_port(const cJSON *port, const addresses *all, const struct visit *visit)
{
	const struct bh_addr any = {};

	if (!protocol_of(port))
		return;
	vec_foreach (address, all)
		add_front(address, at(port, "port"), port, visit);
	add_front(&any, at(port, "nodePort"), port, visit);
}

void kube_service_each(const char *text, kube_front_fn *fn, void *user)
{
	const struct visit visit = {fn, user};
	_cleanup_(free_json)
	cJSON *service = cJSON_Parse(text);
	const cJSON *ports = at(at(service, "spec"), "ports"), *port;
	addresses all = {};

	read_addresses(service, &all);
	cJSON_ArrayForEach(port, ports) add_port(port, &all, &visit);
	vec_foreach (address, &all)
		fn(user, &(struct bh_front){.addr = *address}, NULL);
	vec_release(&all);
}

static void push_front(void *user, const struct bh_front *front, const char *port)
{
	kube_fronts *out = user;

	(void)port;
	vec_push(out, *front);
}

void kube_services_fronts(const struct kube_table *services, kube_fronts *ret)
{
	vec_foreach (entry, &services->entries)
		kube_service_each((*entry)->object.text, push_front, ret);
}
