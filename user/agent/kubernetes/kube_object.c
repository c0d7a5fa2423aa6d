/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_object.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/kubernetes/kube_json.h"
#include "agent/kubernetes/kube_thin.h"
#include "util/address.h"
#include "util/mem.h"
#include "util/text.h"

const struct kube_kind_info kube_kinds[KUBE_KIND_COUNT] = {
#define X(id, kind, version, path, is_optional)                                                    \
	[KUBE_##id] = {(kind), (version), (path), (is_optional)},
	KUBE_KINDS(X)
#undef X
};

/* clang-format off */
static const struct keep keep_mode[]      = { { "bulkhead.dev/mode", NULL }, {} };
static const struct keep keep_metadata[]  = { { "name", NULL }, { "namespace", NULL },
					      { "labels", NULL }, { "annotations", keep_mode }, {} };
static const struct keep keep_address[]   = { { "type", NULL }, { "address", NULL }, {} };
static const struct keep keep_addresses[] = { { "addresses", keep_address }, {} };
static const struct keep keep_port[]      = { { "name", NULL }, { "containerPort", NULL },
					      { "protocol", NULL }, {} };
static const struct keep keep_container[] = { { "ports", keep_port }, { "restartPolicy", NULL },
					      {} };
static const struct keep keep_ip[]        = { { "ip", NULL }, {} };
static const struct keep keep_pod_spec[]  = { { "nodeName", NULL }, { "hostNetwork", NULL },
					      { "containers", keep_container },
					      { "initContainers", keep_container }, {} };
static const struct keep keep_pod_status[] = { { "phase", NULL }, { "podIP", NULL },
					      { "podIPs", keep_ip }, {} };
static const struct keep keep_phase[]     = { { "phase", NULL }, {} };
static const struct keep keep_pod_metadata[] = { { "namespace", NULL }, { "labels", NULL }, {} };
static const struct keep keep_names[]     = { { "name", NULL }, { "namespace", NULL }, {} };

static const struct keep keep_namespace[] = { { "metadata", keep_metadata }, {} };
static const struct keep keep_node[]      = { { "metadata", keep_metadata },
					      { "status", keep_addresses }, {} };
static const struct keep keep_pod[]       = { { "metadata", keep_pod_metadata },
					      { "spec", keep_pod_spec },
					      { "status", keep_pod_status }, {} };
static const struct keep keep_service_port[] = { { "name", NULL }, { "port", NULL }, { "protocol", NULL },
					      { "nodePort", NULL }, {} };
static const struct keep keep_service_spec[] = { { "clusterIP", NULL }, { "clusterIPs", NULL },
					      { "externalIPs", NULL },
					      { "ports", keep_service_port }, {} };
static const struct keep keep_ingress[]   = { { "ip", NULL }, { "ipMode", NULL }, {} };
static const struct keep keep_balancer[]  = { { "ingress", keep_ingress }, {} };
static const struct keep keep_service_status[] = { { "loadBalancer", keep_balancer }, {} };
static const struct keep keep_service[]   = { { "metadata", keep_names },
					      { "spec", keep_service_spec },
					      { "status", keep_service_status }, {} };
static const struct keep keep_owner[]     = { { "kubernetes.io/service-name", NULL }, {} };
static const struct keep keep_slice_metadata[] = { { "name", NULL }, { "namespace", NULL },
					      { "labels", keep_owner }, {} };
static const struct keep keep_conditions[] = { { "ready", NULL }, { "serving", NULL }, {} };
static const struct keep keep_endpoint[]  = { { "addresses", NULL },
					      { "conditions", keep_conditions }, {} };
static const struct keep keep_slice_port[] = { { "name", NULL }, { "port", NULL },
					      { "protocol", NULL }, {} };
static const struct keep keep_slice[]     = { { "metadata", keep_slice_metadata },
					      { "endpoints", keep_endpoint },
					      { "ports", keep_slice_port }, {} };
static const struct keep keep_policy[]    = { { "metadata", keep_names }, { "spec", NULL }, {} };

static const struct keep *const keeps[KUBE_KIND_COUNT] = {
	[KUBE_NAMESPACE]              = keep_namespace,
	[KUBE_NODE]                   = keep_node,
	[KUBE_POD]                    = keep_pod,
	[KUBE_NETWORK_POLICY]         = keep_policy,
	[KUBE_CLUSTER_NETWORK_POLICY] = keep_policy,
	[KUBE_ZONE_POLICY]            = keep_policy,
	[KUBE_SERVICE]                = keep_service,
	[KUBE_ENDPOINT_SLICE]         = keep_slice,
};

/* The text of a ZonePolicy has no status, and yet it is known who has written some. */
static const struct keep keep_reporter[]  = { { "name", NULL },
					      { "enforcedGeneration", NULL },
					      { "leftOut", NULL }, {} };
static const struct keep keep_reporters[] = { { "nodes", keep_reporter }, {} };
static const struct keep keep_zones[]     = { { "metadata", keep_names }, { "spec", NULL },
					      { "status", keep_reporters }, {} };

/* Of what is read before that is sorted out. */
static const struct keep keep_always[]    = { { "type", NULL }, { "name", NULL },
					      { "resourceVersion", NULL }, { "code", NULL },
					      { "uid", NULL }, { "generation", NULL }, {} };
/* clang-format on */

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static const char *text_at(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables above */
static void prune(cJSON *json, const struct keep *list)
{
	cJSON *next;

	for (cJSON *child = json->child; child; child = next) {
		const struct keep *keep = child->string ? keep_find(list, child->string,
								    strlen(child->string))
							: NULL;

		next = child->next;
		if (!child->string)
			prune(child, list);
		else if (!keep)
			cJSON_Delete(cJSON_DetachItemViaPointer(json, child));
		else if (keep->within)
			prune(child, keep->within);
	}
}

static void release_string(struct interner *interner, const char *text)
{
	if (interner)
		intern_drop(interner, text);
	else
		free((char *)text);
}

void kube_object_release(struct kube_object *o)
{
	free((char *)o->key);
	release_string(o->interner, o->text);
	release_string(o->interner, o->labels);
	release_string(o->interner, o->node);
	kube_identity_release(&o->identity);
	*o = (struct kube_object){};
}

static void share(struct interner *interner, const char **string)
{
	char *own = (char *)*string;

	if (own)
		*string = intern(interner, own);
	free(own);
}

void kube_object_share(struct kube_object *o, struct interner *interner)
{
	assert(!o->interner);
	share(interner, &o->text);
	share(interner, &o->labels);
	share(interner, &o->node);
	o->interner = interner;
}

static bool is_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool kube_object_has_same_addresses(const struct kube_object *a, const struct kube_object *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (unsigned int i = 0; i < a->address_count; i++) {
		if (addr_cmp(&a->addresses[i], &b->addresses[i]) != 0)
			return false;
	}
	return true;
}

bool kube_object_is_same(const struct kube_object *a, const struct kube_object *b)
{
	return kube_object_has_same_addresses(a, b) && is_equal(a->text, b->text) &&
	       is_equal(a->labels, b->labels) && is_equal(a->node, b->node);
}

void kube_event_release(struct kube_event *e)
{
	kube_object_release(&e->object);
	free(e->version);
	*e = (struct kube_event){};
}

static bool has_ended(const cJSON *status)
{
	const char *phase = text_at(status, "phase");

	return phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
}

static void read_address(const char *text, struct kube_object *o)
{
	struct bh_addr address;

	if (!text || !*text || o->address_count >= KUBE_POD_ADDRESSES || addr_parse(text, &address))
		return;
	if (!o->address_count || addr_cmp(&o->addresses[0], &address) != 0)
		o->addresses[o->address_count++] = address;
}

/* What the pod claims for itself alone. */
static void read_addresses(const cJSON *pod, struct kube_object *o)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(pod, "status");
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(pod, "spec");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(status, "podIPs"), *item;

	if (has_ended(status) ||
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(spec, "hostNetwork")))
		return;
	cJSON_ArrayForEach(item, list) read_address(text_at(item, "ip"), o);
	if (!o->address_count)
		read_address(text_at(status, "podIP"), o);
}

/* Of ports only names count. */
static void keep_named_ports(cJSON *containers)
{
	cJSON *next;

	for (cJSON *container = containers ? containers->child : NULL; container;
	     container = next) {
		cJSON *ports = cJSON_GetObjectItemCaseSensitive(container, "ports"), *after;

		next = container->next;
		for (cJSON *port = ports ? ports->child : NULL; port; port = after) {
			const char *name = text_at(port, "name");

			after = port->next;
			if (!name || !*name)
				cJSON_Delete(cJSON_DetachItemViaPointer(ports, port));
		}
		if (!ports || !ports->child)
			cJSON_Delete(cJSON_DetachItemViaPointer(containers, container));
	}
}

static void drop_empty(cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (item && !item->child)
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

static char *take_string(cJSON *object, const char *key)
{
	const char *text = text_at(object, key);
	char *copy = text && *text ? xstrdup(text) : NULL;

	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	return copy;
}

static bool are_labels(const cJSON *labels)
{
	const cJSON *label;

	if (!labels || cJSON_IsNull(labels))
		return true;
	cJSON_ArrayForEach(label, labels)
	{
		if (!cJSON_IsString(label))
			return false;
	}
	return cJSON_IsObject(labels);
}

/* A pod whose labels are none is nobody: who knows what would select it. */
static char *take_labels(cJSON *metadata, struct kube_object *o)
{
	cJSON *labels = cJSON_DetachItemFromObjectCaseSensitive(metadata, "labels");
	char *text = NULL;

	if (!are_labels(labels))
		o->address_count = 0;
	else if (labels && labels->child)
		text = cJSON_PrintUnformatted(labels);
	cJSON_Delete(labels);
	return xstrdup(text ? text : "{}");
}

/* Takes apart what pods have alike and what they don't. */
static void split_pod(cJSON *pod, struct kube_object *o)
{
	static const char *const lists[] = {"containers", "initContainers"};
	cJSON *spec = cJSON_GetObjectItemCaseSensitive(pod, "spec");
	cJSON *status = cJSON_GetObjectItemCaseSensitive(pod, "status");

	read_addresses(pod, o);
	o->labels = take_labels(cJSON_GetObjectItemCaseSensitive(pod, "metadata"), o);
	o->node = take_string(spec, "nodeName");
	for (size_t i = 0; i < COUNT(lists); i++) {
		keep_named_ports(cJSON_GetObjectItemCaseSensitive(spec, lists[i]));
		drop_empty(spec, lists[i]);
	}
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(spec, "hostNetwork")))
		cJSON_DeleteItemFromObjectCaseSensitive(spec, "hostNetwork");
	drop_empty(pod, "spec");
	if (!has_ended(status))
		cJSON_DeleteItemFromObjectCaseSensitive(pod, "status");
	else
		prune(status, keep_phase);
}

static int take_object(enum kube_kind kind, cJSON *json, struct kube_object *ret)
{
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const char *name = text_at(metadata, "name"), *space = text_at(metadata, "namespace");
	_text_ struct text key = TEXT_INIT;
	struct kube_object o = {};
	const char *printed;

	if (!name || !*name)
		return -EBADMSG;
	text_addf(&key, "%s%s%s", space ? space : "", space ? "/" : "", name);
	kube_identity_read(json, kind == KUBE_ZONE_POLICY, &o.identity);
	prune(json, keeps[kind]);
	if (kind == KUBE_POD) {
		split_pod(json, &o);
	} else {
		cJSON_AddStringToObject(json, "apiVersion", kube_kinds[kind].version);
		cJSON_AddStringToObject(json, "kind", kube_kinds[kind].name);
	}
	printed = cJSON_PrintUnformatted(json);
	if (!printed) {
		kube_object_release(&o);
		return -EBADMSG;
	}
	o.text = xstrdup(printed);
	o.key = text_take(&key);
	*ret = o;
	return 0;
}

/*
 * A NUL would end a string early, and make it mean something else: it becomes another character
 * that is right in no name.  Anybody may write one into an annotation, so it is no error.
 */
static cJSON *parse(const char *json, const struct keep *list)
{
	static const char nul[] = "\\u0000";
	_text_ struct text copy = TEXT_INIT;

	if (!kube_thin(json, list, keep_always, &copy)) {
		text_reset(&copy);
		text_add(&copy, json);
	}
	for (char *at = copy.buf; (at = strstr(at, nul)); at++)
		at[strlen(nul) - 1] = '1';
	return cJSON_ParseWithOpts(copy.buf, NULL, true);
}

static const struct keep *read_list(enum kube_kind kind)
{
	return kind == KUBE_ZONE_POLICY ? keep_zones : keeps[kind];
}

int kube_object_read(enum kube_kind kind, const char *json, struct kube_object *ret)
{
	_kube_json_ bool has_begun = kube_json_begin();
	cJSON *object = parse(json, read_list(kind));

	if (!cJSON_IsObject(object))
		return -EBADMSG;
	return take_object(kind, object, ret);
}

static bool read_type(const char *word, enum kube_event_type *ret)
{
	static const struct {
		const char *word;
		enum kube_event_type type;
	} types[] = {
		{"ADDED", KUBE_ADDED},       {"MODIFIED", KUBE_ADDED}, {"DELETED", KUBE_DELETED},
		{"BOOKMARK", KUBE_BOOKMARK}, {"ERROR", KUBE_ERROR},
	};

	for (size_t i = 0; word && i < COUNT(types); i++) {
		if (!strcmp(types[i].word, word)) {
			*ret = types[i].type;
			return true;
		}
	}
	return false;
}

static char *copy_text(const cJSON *object, const char *key)
{
	const char *text = text_at(object, key);

	return text ? xstrdup(text) : NULL;
}

int kube_event_read(enum kube_kind kind, const char *json, struct kube_event *ret)
{
	const struct keep whole[] = {{"object", read_list(kind)}, {}};
	_kube_json_ bool has_begun = kube_json_begin();
	const cJSON *root = parse(json, whole);
	cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "object");
	struct kube_event e = {};
	int err = 0;

	if (!read_type(text_at(root, "type"), &e.type) || !cJSON_IsObject(object))
		return -EBADMSG;
	e.version = copy_text(cJSON_GetObjectItemCaseSensitive(object, "metadata"),
			      "resourceVersion");
	if (e.type == KUBE_ERROR)
		e.code =
			(int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, "code"));
	if (e.type == KUBE_ADDED || e.type == KUBE_DELETED)
		err = take_object(kind, object, &e.object);
	if (err)
		kube_event_release(&e);
	else
		*ret = e;
	return err;
}

int kube_list_read(const char *json, char **ret_version, char **ret_continue)
{
	_cleanup_(free_json)
	cJSON *metadata = cJSON_ParseWithOpts(json, NULL, true);
	const char *next = text_at(metadata, "continue");

	if (!cJSON_IsObject(metadata))
		return -EBADMSG;
	*ret_version = copy_text(metadata, "resourceVersion");
	*ret_continue = next && *next ? xstrdup(next) : NULL;
	return 0;
}
