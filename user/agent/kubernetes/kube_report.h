/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a node tells its cluster: the status of ZonePolicies, which objects are refused, and, if
 * that is wanted, drops at pods.  Of a large cluster only some nodes speak of what all of them
 * read.
 */
#ifndef AGENT_KUBERNETES_KUBE_REPORT_H
#define AGENT_KUBERNETES_KUBE_REPORT_H

#include <bulkhead/event.h>

#include "agent/events/event_json.h"
#include "agent/kubernetes/kube.h"
#include "agent/kubernetes/kube_blame.h"

struct kube_report;

/* Both are borrowed; @k goes first. */
struct kube_report *kube_report_new(struct loop *loop, struct kube *k,
				    const struct kube_config *config);
void kube_report_free(struct kube_report *r);

/*
 * Around an attempt to put the objects in force; between them what is wrong with them, each time
 * before any is refused.
 */
void kube_report_begin(struct kube_report *r);
void kube_report_fault(struct kube_report *r, const struct kube_blamed *blamed);

/* @why the ZonePolicies are not in force, if they aren't; may be several lines. */
void kube_report_end(struct kube_report *r, bool is_in_force, const char *why);

/* NULL @r: there is no cluster. */
void kube_report_drop(struct kube_report *r, const struct bh_event *event,
		      const struct event_names *names);

void kube_report_tell(const struct kube_report *r, struct json *j, const char *key);

/* How many nodes speak of what all of them read, so that one object holds it. */
#define KUBE_REPORT_ALL  100 /* up to so many all of them */
#define KUBE_REPORT_SOME 20  /* of more, those whose names come first */

bool kube_report_is_speaker(const struct kube_table *nodes, const char *node);

#endif
