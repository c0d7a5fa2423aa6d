/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is to be allowed, before it becomes rules: (from, to, service), each once. */
#ifndef POLICY_LEARN_TRIPLES_H
#define POLICY_LEARN_TRIPLES_H

#include "policy/learn.h"

enum axis {
	AXIS_FROM,
	AXIS_TO,
	AXIS_SERVICE,
	AXES
};

struct triple {
	uint32_t on[AXES]; /* numbers of parties, of services */
	struct support support;
};
typedef VEC(struct triple) triple_list;

struct triples {
	VEC(struct party) parties;
	VEC(struct service_range) services;
	struct map party_numbers, service_numbers;
	triple_list items;
	struct map places;
};

uint32_t triples_party(struct triples *t, const struct party *party);
uint32_t triples_service(struct triples *t, const struct service_range *s);
/* False if there is no room for one more. */
bool triples_add(struct triples *t, const uint32_t on[AXES], const struct support *support);
void triples_release(struct triples *t);

void support_add(struct support *s, const struct support *other);

/* Replaces the triples by those that wider names and ranges make of them; see learn(). */
void triples_widen_addresses(struct triples *t, struct guard *g);
void triples_widen_ports(struct triples *t, struct guard *g, struct learned *learned);

/* Takes out what is within another. */
void triples_drop_covered(struct triples *t, const struct compiled *c);

/* Numbers of parties and services, sorted. */
struct box {
	VEC(uint32_t) on[AXES];
	struct support support;
};
typedef VEC(struct box) boxes;

/* The fewest boxes that hold the triples, as learn() promises. */
void triples_join(const struct triples *t, boxes *ret);
void boxes_release(boxes *b);

/* Boxes as rules with names that the policy doesn't have; what most events support comes first. */
void triples_rules(const struct triples *t, const struct compiled *c, struct learned *learned);

#endif
