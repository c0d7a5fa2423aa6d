/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is wrong in a cluster's objects, in words for who wrote them. */
#ifndef AGENT_KUBERNETES_KUBE_FAULTS_H
#define AGENT_KUBERNETES_KUBE_FAULTS_H

#include "agent/kubernetes/kube_table.h"
#include "util/text.h"

#define KUBE_FAULTS_KEPT  8   /* of an object; the others are counted */
#define KUBE_FAULT_LENGTH 400 /* bytes of a message, at most */

struct kube_fault {
	char *path; /* "spec.rules[2].to"; "" is the object */
	char *message;
};

/* Of one version of one object. */
struct kube_faulty {
	enum kube_kind kind;
	char *key;
	uint64_t order; /* which version: kube_entry.order */
	VEC(struct kube_fault) list;
	size_t more;  /* that aren't in the list */
	bool is_told; /* by an Event */
};

struct kube_faults {
	VEC(struct kube_faulty) objects;
};

void kube_faults_release(struct kube_faults *f);

/* At @column of @line, its text up to a newline. */
void kube_faults_add(struct kube_faults *f, enum kube_kind kind, const struct kube_entry *entry,
		     const char *line, unsigned int column, const char *message);

/* NULL: there is nothing wrong with this version. */
struct kube_faulty *kube_faults_find(const struct kube_faults *f, const struct kube_entry *entry);

/* Versions that are no more are forgotten; of those that nothing stands for, what is wrong. */
void kube_faults_tidy(struct kube_faults *f, const struct kube_table tables[KUBE_KIND_COUNT]);

/* Bytes from outside as a sentence of at most @max bytes. */
void kube_sentence_add(const char *s, size_t max, struct text *out);

#endif
