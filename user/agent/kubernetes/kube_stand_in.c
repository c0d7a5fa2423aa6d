/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/kubernetes/kube_object.h"
#include "util/cleanup.h"

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static cJSON *replace(cJSON *object, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddItemToObject(object, key, value);
	return value;
}

static void keep_name(cJSON *object)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");

	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "labels");
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "annotations");
	cJSON_DeleteItemFromObjectCaseSensitive(object, "status");
}

/* A copy of these members of the object's spec is all that is left of it. */
static cJSON *keep_of_spec(cJSON *object, const char *const *keys, size_t count)
{
	cJSON *before = cJSON_DetachItemFromObjectCaseSensitive(object, "spec");
	cJSON *spec = cJSON_AddObjectToObject(object, "spec");

	for (size_t i = 0; i < count; i++) {
		cJSON *kept = cJSON_DetachItemFromObjectCaseSensitive(before, keys[i]);

		if (kept)
			cJSON_AddItemToObject(spec, keys[i], kept);
	}
	cJSON_Delete(before);
	return spec;
}

static void isolate(cJSON *policy, bool is_all)
{
	static const char *const selector[] = {"podSelector"};
	static const char *const directions[] = {"Ingress", "Egress"};
	cJSON *spec = keep_of_spec(policy, selector, COUNT(selector));

	if (is_all || !cJSON_HasObjectItem(spec, selector[0]))
		replace(spec, selector[0], cJSON_CreateObject());
	cJSON_AddItemToObject(spec, "policyTypes",
			      cJSON_CreateStringArray(directions, COUNT(directions)));
}

static void deny(cJSON *policy)
{
	static const char *const subject[] = {"tier", "priority", "subject"};
	static const char in[] = "[{\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}]}]";
	static const char out[] = "[{\"action\":\"Deny\",\"to\":[{\"namespaces\":{}},"
				  "{\"networks\":[\"0.0.0.0/0\",\"::/0\"]}]}]";
	cJSON *spec = keep_of_spec(policy, subject, COUNT(subject));

	cJSON_AddItemToObject(spec, "ingress", cJSON_Parse(in));
	cJSON_AddItemToObject(spec, "egress", cJSON_Parse(out));
}

char *kube_object_stand_in(enum kube_kind kind, const char *text, unsigned int refusals)
{
	_cleanup_(free_json)
	cJSON *object = cJSON_Parse(text);

	switch (kind) {
	case KUBE_POD:
		break; /* it is left out */
	case KUBE_NAMESPACE:
	case KUBE_NODE:
		keep_name(object);
		break;
	case KUBE_NETWORK_POLICY:
		isolate(object, refusals > 1);
		break;
	case KUBE_CLUSTER_NETWORK_POLICY:
		if (refusals > 1)
			return NULL;
		deny(object);
		break;
	case KUBE_ZONE_POLICY:
	case KUBE_SERVICE:
	case KUBE_ENDPOINT_SLICE:
	case KUBE_KIND_COUNT:
		return NULL;
	}
	return cJSON_PrintUnformatted(object);
}
