/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kubernetes' part of a printed policy, and the pieces that both parts are made of. */
#ifndef POLICY_PRINT_KUBERNETES_H
#define POLICY_PRINT_KUBERNETES_H

#include "policy/model.h"
#include "util/text.h"

/* Of print.c. */
void print_text(const char *s, struct text *out);
void print_services(const services *s, struct text *out);
void print_labels(const labels *own, struct text *out); /* ", labels: {...}", or nothing */
void print_selector(const struct policy *p, const struct selector *s, struct text *out);

/* Without the braces; what is one value stands under @labels_key. */
void print_requirements(const requirements *r, const char *labels_key, struct text *out);

/* Of print_kubernetes.c. */
void print_pods(const struct policy *p, const struct selector *s, struct text *out);
void print_nodes(const struct selector *s, struct text *out);
void print_members(const struct selector *pods, struct text *out); /* of a zone or workload */

/* Namespaces, nodes and pods as documents. */
void print_objects(const struct policy *p, struct text *out);

/* As comments, since what they were read from can't be told any more. */
void print_kubernetes_rules(const struct policy *p, struct text *out);

#endif
