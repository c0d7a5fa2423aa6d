/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cables and routes of a lab: a veth from the node to each station, named after the station at the
 * node's end and LAB_NIC at the station's; each station's way out is the node.
 */
#ifndef LAB_WIRING_H
#define LAB_WIRING_H

#include "lab/station.h"

#define LAB_NIC "eth0"

/* @spaces are parallel to the plan's stations.  -errno with a sentence in @reterr. */
int wiring_build(const struct lab_plan *plan, const struct lab_space *node,
		 const struct lab_space *spaces, struct text *reterr);

#endif
