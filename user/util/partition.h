/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A partition of the numbers 0..n-1 that gets finer with every set that tells elements apart. */
#ifndef UTIL_PARTITION_H
#define UTIL_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/vec.h"

struct partition {
	uint32_t *part; /* of each element */
	uint32_t elements;
	uint32_t parts;
	/* Per part: its size; how many members the set at hand has in it (0 between calls); and
	 * the part that those move to. */
	uint32_t *size, *hits, *moved;
	VEC(uint32_t) touched;
};

/* Elements with equal keys start in one part; @keys NULL: all of them do. */
void partition_init(struct partition *p, uint32_t elements, const uint64_t *keys);

/* Separates members from others; @members has no element twice.  Costs what it has members. */
void partition_split(struct partition *p, const uint32_t *members, size_t count);

/* Numbers the parts in the order of their first elements: that of element 0 is part 0. */
void partition_number(struct partition *p);

void partition_release(struct partition *p);
#define _partition_ _cleanup_(partition_release)

#endif
