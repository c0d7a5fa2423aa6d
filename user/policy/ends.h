/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An end of a question (a name or an address) as what it means in a compiled policy. */
#ifndef POLICY_ENDS_H
#define POLICY_ENDS_H

#include "policy/compile.h"
#include "util/text.h"

struct end {
	uint8_t *families;    /* for each class, a pair_side: of what is meant */
	uint32_t *identities; /* for each class with families: one that is meant */
	size_t *pods;    /* for each class: the pod that is meant, if no other is; POLICY_NONE */
	uint64_t *meant; /* set of identities */
	size_t workload; /* that was named, or has the address; POLICY_NONE */
	uint8_t all_families;
	bool is_address;
	bool is_host_name; /* the machine, by that name */
	bool is_workload;  /* nothing but one workload */
};

/* 0; -EINVAL with a sentence in @reterr for an unknown name or one without any address. */
int end_resolve(const struct compiled *c, const char *name, struct end *ret, struct text *reterr);
void end_release(struct end *e);
#define _end_ _cleanup_(end_release)

/* Whether it is a Kubernetes node. */
bool end_is_node(const struct compiled *c, const struct end *e);

/* "workload edge-lb in zone dmz, mode enforce", for a class with families. */
void end_describe(const struct compiled *c, const struct end *e, uint32_t class, struct text *out);

/* "edge-lb", "pods like shop/api-1": what of an end is in a class. */
void end_name(const struct compiled *c, const struct end *e, uint32_t class, struct text *out);

/* As short as people would say it: "api", "dmz, internal", "all but data", "203.0.113.0/24". */
void selector_describe(const struct policy *p, const struct selector *s, struct text *out);

/* Whether the addresses of an identity are in a selector of the policy. */
bool selector_has(const struct compiled *c, const struct selector *s, uint32_t identity);

#endif
