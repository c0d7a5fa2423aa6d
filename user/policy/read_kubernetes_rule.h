/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What NetworkPolicies and ClusterNetworkPolicies have in common: subject, peers and ports. */
#ifndef POLICY_READ_KUBERNETES_RULE_H
#define POLICY_READ_KUBERNETES_RULE_H

#include "policy/read_kubernetes.h"

#define KUBE_MAX_SELECTORS 4000000 /* parts of the selectors of all rules */

#define TABLE_BIT(table) (1u << (table))

/* A port by name, in the tables that it may stand for. */
struct port_reference {
	const char *name;
	unsigned int tables; /* TABLE_BIT */
};

/* A rule whose named ports aren't numbers yet. */
struct kube_rule {
	char *name;
	struct span at;
	enum tier tier;
	enum side side; /* the subject's end */
	enum action action;
	const struct selector *subject;
	struct selector *peer;
	bool is_any_service; /* nothing is said of ports */
	services services;
	VEC(struct port_reference) ports;
};

/* Adds what it means to the policy: a rule for its numbers, and one for each number of a name. */
void kube_rule_add(struct reader *r, struct kube_rule *k);
void kube_rule_release(struct kube_rule *k);

void kube_rule_add_range(struct kube_rule *k, enum bh_service_table table, uint16_t lo,
			 uint16_t hi);

/* The protocols of a ClusterNetworkPolicy's rule whose side and peer are set. */
void kube_read_protocols(struct reader *r, const struct node *list, struct kube_rule *k);

/* Sets what is isolated in the pods that @subject takes. */
void kube_isolate(struct reader *r, const struct selector *subject, uint8_t sides);

#endif
