/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kubernetes' kinds as documents: objects in the first pass, policies in the second. */
#ifndef POLICY_READ_KUBERNETES_H
#define POLICY_READ_KUBERNETES_H

#include "policy/pods.h"
#include "policy/read_common.h"

/* What every object has; its texts live as long as the documents. */
struct object {
	const char *name;
	const char *space; /* its namespace; "" if its kind has none */
	struct span at;    /* of the name */
	const struct node *labels;
	const struct node *annotations;
	const struct node *spec; /* of these, NULL is nothing */
	const struct node *status;
};

struct object_kind {
	const char *name;
	const char *version;
	bool has_space;
	bool is_policy; /* every key of its spec counts; read in the second pass */
	void (*read)(struct reader *r, const struct object *o);
};

struct waiting_policy {
	struct object object;
	const struct object_kind *kind;
};

struct kube_node {
	size_t workload;
	bool is_declared; /* else its addresses are what its pods tell */
};

struct node_claim {
	size_t node; /* index into nodes */
	struct placed_prefix placed;
};

struct cluster_policy {
	const char *name;
	enum tier tier;
	unsigned int priority;
	struct span at; /* of the priority */
};

struct cluster_rule {
	size_t rule;   /* index into the policy's rules */
	size_t policy; /* index into cluster_policies */
};

/* What the readers of one run know besides the policy. */
struct kubernetes {
	struct map objects; /* kind, namespace and name -> index into places */
	VEC(struct span) places;
	struct map spaces;    /* name -> index into the policy's namespaces */
	struct map nodes_map; /* name -> index into nodes */
	VEC(struct kube_node) nodes;
	VEC(struct node_claim) claims;
	VEC(struct waiting_policy) policies;
	VEC(struct cluster_policy) cluster_policies;
	VEC(struct cluster_rule) cluster_rules;
	struct pods pods; /* in the second pass */
	size_t selectors; /* parts of them, in all rules */
};

struct kubernetes *kubernetes_new(void);
void kubernetes_free(struct kubernetes *k);

/* First pass.  False if the document's kind is none of Kubernetes', without a word. */
bool read_kubernetes(struct reader *r, const struct node *root);

/* True, with an error, if @kind is much like one of Kubernetes' kinds, or what one has replaced. */
bool kubernetes_refuse_near(struct reader *r, const struct node *kind);

/* ", Pod, Namespace ..." */
void kubernetes_add_kinds(struct text *out);

/* Between the passes: whose the addresses of nodes are, and what selects which pod. */
void kubernetes_resolve(struct reader *r);

/* Second pass: one of kubernetes.policies. */
void read_kubernetes_policy(struct reader *r, size_t index);

/* After it: which rule of the cluster's policies is asked first. */
void kubernetes_order(struct reader *r);

/* The readers of kinds. */
void read_kubernetes_pod(struct reader *r, const struct object *o);
void read_kubernetes_namespace(struct reader *r, const struct object *o);
void read_kubernetes_node(struct reader *r, const struct object *o);
void read_kubernetes_service(struct reader *r, const struct object *o);
void read_network_policy(struct reader *r, const struct object *o);
void read_cluster_network_policy(struct reader *r, const struct object *o);

/* The index of a namespace, and of a node into kubernetes.nodes; made where they are new. */
size_t kubernetes_space(struct reader *r, const char *name, struct span at);
size_t kubernetes_node(struct reader *r, const char *name, struct span at);

/* A port's number; false with an error.  0 isn't one. */
bool read_port_number(struct reader *r, const struct node *n, uint16_t *ret);

/* TCP, UDP or SCTP; NULL @n: TCP. */
bool read_port_protocol(struct reader *r, const struct node *n, enum bh_service_table *ret);

bool read_port_name(struct reader *r, const struct node *n);

/* Adds an address, once; an empty text is none. */
void read_object_address(struct reader *r, const struct node *n, placed_prefixes *out);

/* An object's labels. */
void read_object_labels(struct reader *r, const struct node *n, labels *out);

/* matchLabels and matchExpressions; NULL @n: no requirements. */
void read_requirements(struct reader *r, const struct node *n, requirements *out);

/* Pods of the namespace @space (POLICY_NONE: any) that both selectors take; NULL: everything. */
struct selector *read_pod_selector(struct reader *r, struct span at, size_t space,
				   const struct node *namespaces, const struct node *pods);

/* A cidr, its host bits taken away with a warning. */
bool read_masked_cidr(struct reader *r, const struct node *n, struct prefix *ret);

#endif
