/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_endpoints.h"

#include <arpa/inet.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/kubernetes/kube_services.h"
#include "util/address.h"
#include "util/cleanup.h"
#include "util/map.h"
#include "util/text.h"

#define SERVICE_LABEL "kubernetes.io/service-name"
#define NAMES_MAX     16

typedef VEC(struct bh_backend) backend_list;

/* What is behind the ports of Services, for each family. */
struct behind {
	struct map places; /* port_key() -> index into lists + 1 */
	VEC(backend_list) lists;
};

struct visit {
	const char *service; /* "namespace/name" */
	const struct behind *behind;
	kube_backends *out;
};

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

/* Ports are matched by name and protocol. */
static void port_key(const char *service, const char *port, const char *protocol, bool is_v4,
		     struct text *out)
{
	text_addf(out, "%s %s %s %d", service, port, protocol, is_v4);
}

/* --- EndpointSlices --- */

/* That nothing is known of it means that it is ready. */
static bool is_in_use(const cJSON *endpoint)
{
	const cJSON *conditions = at(endpoint, "conditions");

	return !cJSON_IsFalse(at(conditions, "ready")) || cJSON_IsTrue(at(conditions, "serving"));
}

static void add_backend(struct behind *b, const struct text *key, const struct bh_backend *backend)
{
	uint64_t *place = map_put(&b->places, key->buf, key->len, 0, NULL);

	if (!*place) {
		vec_push(&b->lists, (backend_list){});
		*place = b->lists.count;
	}
	vec_push(&b->lists.items[*place - 1], *backend);
}

static void add_endpoint(struct behind *b, const char *service, const cJSON *port,
			 const cJSON *endpoint)
{
	const char *name = text_at(port, "name"), *protocol = text_at(port, "protocol");
	double number = cJSON_GetNumberValue(at(port, "port"));
	const cJSON *address;

	if (!(number >= 1 && number <= UINT16_MAX) || !is_in_use(endpoint))
		return;
	cJSON_ArrayForEach(address, at(endpoint, "addresses"))
	{
		struct bh_backend backend = {.port = htons((uint16_t)number)};
		const char *text = cJSON_GetStringValue(address);
		_text_ struct text key = TEXT_INIT;

		if (!text || addr_parse(text, &backend.addr))
			continue;
		port_key(service, name ? name : "", protocol ? protocol : "TCP",
			 addr_is_v4(&backend.addr), &key);
		add_backend(b, &key, &backend);
	}
}

static void add_slice(struct behind *b, const char *json)
{
	_cleanup_(free_json)
	cJSON *slice = cJSON_Parse(json);
	const cJSON *metadata = at(slice, "metadata"), *port, *endpoint;
	const char *space = text_at(metadata, "namespace");
	const char *name = text_at(at(metadata, "labels"), SERVICE_LABEL);
	_text_ struct text service = TEXT_INIT;

	if (!space || !name)
		return;
	text_addf(&service, "%s/%s", space, name);
	cJSON_ArrayForEach(port, at(slice, "ports"))
	{
		cJSON_ArrayForEach(endpoint, at(slice, "endpoints"))
			add_endpoint(b, service.buf, port, endpoint);
	}
}

static int compare_backends(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_backend));
}

/* One endpoint may be in two slices for a while. */
static void sort_list(backend_list *list)
{
	size_t kept = 0;

	qsort(list->items, list->count, sizeof(*list->items), compare_backends);
	for (size_t i = 0; i < list->count; i++) {
		if (!kept || compare_backends(&list->items[kept - 1], &list->items[i]) != 0)
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static void behind_release(struct behind *b)
{
	vec_foreach (list, &b->lists)
		vec_release(list);
	vec_release(&b->lists);
	map_release(&b->places);
}

/* --- fronts --- */

static const char *protocol_word(uint8_t proto)
{
	if (proto == IPPROTO_TCP)
		return "TCP";
	return proto == IPPROTO_UDP ? "UDP" : "SCTP";
}

static void fill(struct bh_backends *backends, const backend_list *list)
{
	size_t count = list->count < BH_BACKENDS_MAX ? list->count : BH_BACKENDS_MAX;

	backends->count = (uint32_t)list->count;
	memcpy(backends->of, list->items, count * sizeof(*list->items));
}

static void add_front(const struct visit *v, const struct bh_front *front, const char *port)
{
	struct front_backends result = {.front = *front};
	_text_ struct text key = TEXT_INIT;
	const uint64_t *place;

	port_key(v->service, port, protocol_word(front->proto), addr_is_v4(&front->addr), &key);
	place = map_get(&v->behind->places, key.buf, key.len);
	if (place)
		fill(&result.backends, &v->behind->lists.items[*place - 1]);
	vec_push(v->out, result);
}

static void on_front(void *user, const struct bh_front *front, const char *port)
{
	struct bh_front v4 = *front;

	if (!port) /* pieces of datagrams are of the connection that the first one is of */
		return;
	add_front(user, front, port);
	if (!addr_is_any(&front->addr))
		return;
	v4.addr.word[2] = htonl(0xffff);
	add_front(user, &v4, port);
}

static int compare_fronts(const void *a, const void *b)
{
	const struct front_backends *x = a, *y = b;

	return memcmp(&x->front, &y->front, sizeof(x->front));
}

/* Two Services say that it is theirs, and nobody knows whose it becomes: all are asked. */
static void merge(struct bh_backends *into, const struct bh_backends *from)
{
	backend_list list = {};

	if (into->count > BH_BACKENDS_MAX || from->count > BH_BACKENDS_MAX) {
		into->count = BH_BACKENDS_MAX + 1;
		return;
	}
	vec_append(&list, into->of, into->count);
	vec_append(&list, from->of, from->count);
	if (list.count) {
		sort_list(&list);
		fill(into, &list);
	}
	vec_release(&list);
}

static void leave_out_equal(kube_backends *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct front_backends *last = kept ? &all->items[kept - 1] : NULL;

		if (last && !compare_fronts(last, &all->items[i]))
			merge(&last->backends, &all->items[i].backends);
		else
			all->items[kept++] = all->items[i];
	}
	all->count = kept;
}

void kube_endpoints_backends(const struct kube_table *services, const struct kube_table *slices,
			     kube_backends *ret)
{
	_cleanup_(behind_release)
	struct behind behind = {};

	vec_foreach (entry, &slices->entries)
		add_slice(&behind, (*entry)->object.text);
	vec_foreach (list, &behind.lists)
		sort_list(list);
	vec_foreach (entry, &services->entries) {
		struct visit visit = {(*entry)->object.key, &behind, ret};

		kube_service_each((*entry)->object.text, on_front, &visit);
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_fronts);
	leave_out_equal(ret);
}

/* --- too many --- */

struct search {
	const kube_backends *backends;
	bool is_crowded;
};

static void look_up(struct search *s, const struct bh_front *front)
{
	const struct front_backends key = {.front = *front}, *found = NULL;

	if (s->backends->count)
		found = bsearch(&key, s->backends->items, s->backends->count, sizeof(key),
				compare_fronts);
	s->is_crowded |= found && found->backends.count > BH_BACKENDS_MAX;
}

static void on_front_of_any(void *user, const struct bh_front *front, const char *port)
{
	struct bh_front v4 = *front;

	if (!port)
		return;
	look_up(user, front);
	if (!addr_is_any(&front->addr))
		return;
	v4.addr.word[2] = htonl(0xffff);
	look_up(user, &v4);
}

static bool is_crowded(const kube_backends *backends)
{
	vec_foreach (f, backends) {
		if (f->backends.count > BH_BACKENDS_MAX)
			return true;
	}
	return false;
}

void kube_endpoints_crowded(const struct kube_table *services, const kube_backends *backends,
			    struct text *out)
{
	size_t count = 0;

	if (!is_crowded(backends))
		return;
	vec_foreach (entry, &services->entries) {
		struct search search = {backends, false};

		kube_service_each((*entry)->object.text, on_front_of_any, &search);
		if (!search.is_crowded)
			continue;
		if (count++ < NAMES_MAX)
			text_addf(out, "%s%s", out->len ? ", " : "", (*entry)->object.key);
	}
	if (count > NAMES_MAX)
		text_addf(out, " and %zu more", count - NAMES_MAX);
}
