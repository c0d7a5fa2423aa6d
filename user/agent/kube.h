/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster, as its API server tells of it: the objects that a policy is made of. */
#ifndef AGENT_KUBE_H
#define AGENT_KUBE_H

#include "agent/kube_config.h"
#include "agent/kube_http.h"
#include "agent/kube_services.h"
#include "agent/kube_table.h"
#include "agent/loop.h"
#include "util/json.h"
#include "util/source.h"
#include "util/text.h"

struct kube;

/* Called when the objects are other ones than at the last call, and not all the time. */
struct kube_events {
	void (*changed)(void *user);
	void *user;
	void (*services_changed)(void *user); /* no policy depends on these */
};

/* @config is borrowed.  Nothing is asked before the loop runs. */
int kube_new(struct loop *loop, const struct kube_config *config, const struct kube_events *events,
	     struct kube **ret);
void kube_free(struct kube *k);

/* For those who tell the cluster something; by kind, and until it is freed. */
const struct kube_table *kube_tables(const struct kube *k);
struct kube_http *kube_transport(struct kube *k);

/* Every kind that makes policy has been listed, or isn't served.  Before, nobody is told of its
 * changes. */
bool kube_is_listed(const struct kube *k);

/*
 * The objects as documents; the caller's.  Pods that they or @own, what is in force beside them,
 * speak of are among them, even if they don't exist.
 */
void kube_documents(const struct kube *k, const source_list *own, source_list *out);

/* At which addresses the Services are; see kube_services_fronts(). */
void kube_fronts_now(const struct kube *k, kube_fronts *ret);

/* What is known of each kind: an array of this key. */
void kube_tell(const struct kube *k, struct json *j, const char *key);

/*
 * There is an error at @line of one of these texts: from now on something safe stands for that
 * object, until it is another one.  False if there is no such object, or nothing can.
 */
bool kube_refuse(struct kube *k, const struct source *source, unsigned int line);

#endif
