/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kubernetes Events (events.k8s.io/v1), as texts. */
#ifndef AGENT_KUBERNETES_KUBE_EVENTS_H
#define AGENT_KUBERNETES_KUBE_EVENTS_H

#include "agent/kubernetes/kube_faults.h"

struct kube_notice {
	enum kube_kind kind; /* of what it is about, as the next two */
	const char *key;
	const struct kube_uid *uid;
	const char *node;   /* who says so */
	const char *reason; /* a word: "Refused" */
	const char *action; /* what was done, a word */
	const char *note;   /* a sentence; what is too long is cut */
	uint64_t hash;      /* with the object's name it makes the Event's */
	uint64_t wall_ns;
};

/* Where Events about it are, and there the one itself. */
void kube_events_path(const struct kube_notice *n, struct text *out);
void kube_event_path(const struct kube_notice *n, struct text *out);

void kube_event_add(const struct kube_notice *n, struct text *out);

/* For one that is there: it has happened @count times, more than once. */
void kube_event_series(uint64_t count, uint64_t wall_ns, struct text *out);

/* What is wrong with an object, and what is done about it: on all nodes the same. */
void kube_refusal_note(const struct kube_faulty *faulty, const struct kube_entry *entry,
		       struct text *out);
uint64_t kube_refusal_hash(const struct kube_faulty *faulty, const struct kube_entry *entry);

#endif
