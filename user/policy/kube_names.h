/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What Kubernetes accepts as names.  Each function says what is wrong with a text, or NULL. */
#ifndef POLICY_KUBE_NAMES_H
#define POLICY_KUBE_NAMES_H

/* Of a namespace: a DNS label. */
const char *kube_label_fault(const char *s);

/* Of most objects: a DNS subdomain. */
const char *kube_name_fault(const char *s);

/* Of a container's port. */
const char *kube_port_fault(const char *s);

/* A label's key, with or without a prefix, and its value, which may be empty. */
const char *kube_key_fault(const char *s);
const char *kube_value_fault(const char *s);

#endif
