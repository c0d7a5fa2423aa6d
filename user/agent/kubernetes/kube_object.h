/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent reads of a cluster's objects: each becomes the document that a file would give. */
#ifndef AGENT_KUBERNETES_KUBE_OBJECT_H
#define AGENT_KUBERNETES_KUBE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/address.h>

#include "agent/kubernetes/kube_identity.h"
#include "util/intern.h"

/* id, kind, group and version, where a list of them is; whether a cluster may do without. */
#define KUBE_KINDS(X)                                                                              \
	X(NAMESPACE, "Namespace", "v1", "/api/v1/namespaces", false)                               \
	X(NODE, "Node", "v1", "/api/v1/nodes", false)                                              \
	X(POD, "Pod", "v1", "/api/v1/pods", false)                                                 \
	X(NETWORK_POLICY, "NetworkPolicy", "networking.k8s.io/v1",                                 \
	  "/apis/networking.k8s.io/v1/networkpolicies", false)                                     \
	X(CLUSTER_NETWORK_POLICY, "ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2",     \
	  "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", true)                  \
	X(ZONE_POLICY, "ZonePolicy", "bulkhead.dev/v1", "/apis/bulkhead.dev/v1/zonepolicies",      \
	  true)                                                                                    \
	X(SERVICE, "Service", "v1", "/api/v1/services", true)                                      \
	X(ENDPOINT_SLICE, "EndpointSlice", "discovery.k8s.io/v1",                                  \
	  "/apis/discovery.k8s.io/v1/endpointslices", true)

enum kube_kind {
#define X(id, kind, version, path, is_optional) KUBE_##id,
	KUBE_KINDS(X)
#undef X
	KUBE_KIND_COUNT
};

struct kube_kind_info {
	const char *name;
	const char *version;
	const char *path;
	bool is_optional;
};

extern const struct kube_kind_info kube_kinds[KUBE_KIND_COUNT];

#define KUBE_POD_ADDRESSES 2

/* Others say where packets to a Service go. */
static inline bool kube_makes_policy(enum kube_kind kind)
{
	return kind != KUBE_SERVICE && kind != KUBE_ENDPOINT_SLICE;
}

/* There are many pods, and many are alike: what differs is apart from what doesn't. */
struct kube_object {
	const char *key;    /* "namespace/name", or "name" */
	const char *text;   /* JSON: the kind, and what is needed of the rest */
	const char *labels; /* of a pod: JSON; then the text has no kind, name, node or address */
	const char *node;   /* on which a pod is; NULL: on none yet */
	struct bh_addr addresses[KUBE_POD_ADDRESSES]; /* of a pod that has them to itself */
	unsigned int address_count;
	struct kube_identity identity;
	struct interner *interner; /* whose text, labels and node are; NULL: the object's own */
};

void kube_object_release(struct kube_object *o);

/* What is alike is from now on in memory once. */
void kube_object_share(struct kube_object *o, struct interner *interner);

bool kube_object_has_same_addresses(const struct kube_object *a, const struct kube_object *b);
bool kube_object_is_same(const struct kube_object *a, const struct kube_object *b);

enum kube_event_type {
	KUBE_ADDED, /* or modified */
	KUBE_DELETED,
	KUBE_BOOKMARK,
	KUBE_ERROR
};

struct kube_event {
	enum kube_event_type type;
	struct kube_object object; /* of an object that was added or deleted */
	char *version;             /* resourceVersion; NULL: none */
	int code;                  /* of an error: an HTTP status, 0 if none is said */
};

void kube_event_release(struct kube_event *e);

/* An item of a list.  -EBADMSG: it is not an object of that kind. */
int kube_object_read(enum kube_kind kind, const char *json, struct kube_object *ret);

/* An event of a watch, the same. */
int kube_event_read(enum kube_kind kind, const char *json, struct kube_event *ret);

/* A list's metadata: both are the caller's to free, and NULL where there is none. */
int kube_list_read(const char *json, char **ret_version, char **ret_continue);

/*
 * What stands for an object that we made a document of, the @refusals'th time that a policy with it
 * is refused: a pod has no address, a namespace and a node only their names, a NetworkPolicy
 * isolates whom it selects, then its whole namespace, a ClusterNetworkPolicy denies its subject
 * everything.  NULL: nothing can, as for a ZonePolicy.
 */
char *kube_object_stand_in(enum kube_kind kind, const char *text, unsigned int refusals);

#endif
