/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster, as its API server tells of it: the objects that a policy is made of. */
#ifndef AGENT_KUBERNETES_KUBE_H
#define AGENT_KUBERNETES_KUBE_H

#include "agent/kubernetes/kube_config.h"
#include "agent/kubernetes/kube_endpoints.h"
#include "agent/kubernetes/kube_http.h"
#include "agent/kubernetes/kube_services.h"
#include "agent/kubernetes/kube_table.h"
#include "agent/loop.h"
#include "util/json.h"
#include "util/source.h"
#include "util/text.h"

struct kube;

/*
 * Called when the objects are other ones than at the last call, and not all the time.  What
 * `changed` begins has to be ended with kube_changed_over(), and it isn't called again before.
 */
struct kube_events {
	void (*changed)(void *user);
	void (*moved)(void *user); /* only pods have changed; more often, and after the first one */
	void *user;
	void (*services_changed)(void *user); /* no policy depends on these */
};

/* @config and @tables, of every kind, are borrowed.  Nothing is asked before the loop runs. */
int kube_new(struct loop *loop, const struct kube_config *config, struct kube_table *tables,
	     const struct kube_events *events, struct kube **ret);
void kube_free(struct kube *k);

/* For those who tell the cluster something; by kind, and until it is freed. */
const struct kube_table *kube_tables(const struct kube *k);
struct kube_http *kube_transport(struct kube *k);

/* Every kind that makes policy has been listed, or isn't served.  Before, nobody is told of its
 * changes. */
bool kube_is_listed(const struct kube *k);

/* As if other objects than pods had changed. */
void kube_call_changed(struct kube *k);

void kube_changed_over(struct kube *k);

/* At which addresses the Services are; see kube_services_fronts(). */
void kube_fronts_now(const struct kube *k, kube_fronts *ret);

/* From now on it is also asked who is behind Services. */
void kube_follow_endpoints(struct kube *k);

/* See kube_endpoints_backends().  False: it is not known yet, or may not be. */
bool kube_backends_now(struct kube *k, kube_backends *ret);

/* Which Services had too many of them then; "": none. */
const char *kube_crowded(const struct kube *k);

/* What is known of each kind: an array of this key. */
void kube_tell(const struct kube *k, struct json *j, const char *key);

#endif
