/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps from one start to the next: those that are pinned are used again, or replaced as a whole. */
#ifndef DATAPATH_PINNED_MAPS_H
#define DATAPATH_PINNED_MAPS_H

#include "datapath/internal.h"

/*
 * Both before the object is loaded.  What is pinned with our layout becomes our maps, but for
 * tables that grow; of another layout, or in part, it is left alone, and dp->beside says why.
 */
int pinned_maps_compare(struct datapath *dp, struct text *reterr);
int pinned_maps_adopt(struct datapath *dp, struct text *reterr);

/* Whether programs may be on hooks that read what is pinned there, of whatever layout it is. */
bool pinned_maps_are_in_force(const struct pins *pins);

/* Pins what is not pinned yet, and replaces what is not ours. */
int pinned_maps_keep(struct datapath *dp, struct text *reterr);

/* Of the numbers that the kernel gave to all that are kept; 0: one of them is not there yet. */
uint64_t pinned_maps_sum(const struct datapath *dp);

/* What bh_control says that whoever made it takes its maps for. */
uint32_t pinned_maps_layout(const struct datapath *dp);

#endif
