/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which stations a policy needs, and an address of each that really resolves to who it stands for.
 */
#ifndef LAB_STATIONS_H
#define LAB_STATIONS_H

#include "lab/plan.h"

/* The name of the namespace in the middle; no station has it. */
#define LAB_NODE "node"

/*
 * Workloads first, in file order, one station for each pair of addresses; then zones that have
 * none; then one for each class of addresses outside every zone.  Adds at most LAB_MAX_STATIONS
 * + 1.
 */
void lab_add_stations(const struct compiled *c, struct lab_plan *plan);

#endif
