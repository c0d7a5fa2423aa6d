/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What random policies are made of; for random_*.c only. */
#ifndef REFERENCE_RANDOM_PARTS_H
#define REFERENCE_RANDOM_PARTS_H

#include "tests/reference/random_policy.h"

uint32_t random_below(struct random_policy *r, uint32_t bound);
bool random_one_in(struct random_policy *r, uint32_t n);

/* "zone3"; to be freed. */
char *random_name(const char *word, size_t n);

/* Few bits vary, so that they meet: 10.0.x.y with small x and y, and the like in IPv6. */
struct bh_addr random_any_address(struct random_policy *r);
struct prefix random_prefix(struct random_policy *r);
void random_note_prefix(struct random_policy *r, struct prefix p);

enum mode random_mode(struct random_policy *r, bool can_be_unset);
void random_labels(struct random_policy *r, labels *out);

/* Zones, groups, namespaces, pods, nodes; at most @size of each kind. */
void random_add_members(struct random_policy *r, uint32_t size);

/* Any selector that the policy's kinds know. */
struct selector *random_selector(struct random_policy *r, unsigned int depth);

/* Pods as a Kubernetes selector says: of a namespace, or of namespaces by their labels. */
struct selector *random_pods(struct random_policy *r, size_t space);

/* A peer of a Kubernetes rule. */
struct selector *random_peer(struct random_policy *r, bool can_be_nodes);

struct service_range random_range(struct random_policy *r);
void random_services(struct random_policy *r, services *out);

void random_add_rules(struct random_policy *r, uint32_t count);
void random_add_promises(struct random_policy *r);

/* About then rules expire. */
#define RANDOM_NOW INT64_C(1800000000)

#endif
