/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A relation of differences taken apart by services.  There are two ways, and neither is always the
 * shorter one.
 */
#ifndef POLICY_DIFF_LAYERS_H
#define POLICY_DIFF_LAYERS_H

#include "policy/diff_relation.h"

/* One change of some services: the cells of the relation that have it make rectangles. */
struct layer {
	uint8_t change;
	uint32_t services; /* a list of the sets */
};

struct layers {
	VEC(struct layer) items;
	list_pairs of_signature; /* signature -> layers */
	uint32_t columns;        /* of services that change in the same signatures */
};

/* Fills empty layers; their services are added to @sets. */
typedef void (*layers_builder)(struct layers *l, const struct relation *r, struct list_pool *sets);

/* A layer for each change within each signature: services that change together in some pair. */
void layers_by_signature(struct layers *l, const struct relation *r, struct list_pool *sets);

/* A layer for services that change alike in the same signatures, and so in the same pairs. */
void layers_by_service(struct layers *l, const struct relation *r, struct list_pool *sets);

void layers_release(struct layers *l);

#endif
