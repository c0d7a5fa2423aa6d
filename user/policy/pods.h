/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which pods a selector takes, found without asking every pod, and what follows for a pod. */
#ifndef POLICY_PODS_H
#define POLICY_PODS_H

#include "policy/model.h"
#include "util/diag.h"
#include "util/lists.h"
#include "util/map.h"

#define PODS_MAX_LOOKS 300000000 /* at a pod, by all selectors of a run */

/* The pods that have an address: all others are nobody. */
struct pods {
	const struct policy *policy;
	struct diags *diags;
	VEC(uint32_t) all;     /* workloads, in file order */
	struct map labels;     /* key, NUL, value -> its list in by_label */
	struct lists by_label; /* workloads */
	struct lists by_space;
	uint64_t looks;
};

typedef VEC(uint32_t) pod_list;
typedef VEC(uint16_t) port_numbers;

/* Of every pod that @p has by now. */
void pods_init(struct pods *x, const struct policy *p, struct diags *d);
void pods_release(struct pods *x);

/* Adds the workloads that a SELECT_PODS takes; fewer, with an error, if that is too much work. */
void pods_select(struct pods *x, const struct selector *s, pod_list *out);

/*
 * Adds the numbers, each once and sorted, that pods call @name in @table.  Pods that @s takes,
 * which is a peer of a Kubernetes policy: pods, cidrs, nodes, any, or one of those.
 */
void pods_numbers(struct pods *x, const struct selector *s, const char *name,
		  enum bh_service_table table, port_numbers *out);

/* Sets the group and the zone of every pod; warns of pods that two groups or two zones select. */
void pods_resolve(struct pods *x, struct policy *p);

#endif
