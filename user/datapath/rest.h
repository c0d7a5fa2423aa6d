/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs at hooks go on in another one, by a map that the kernel empties when no pin and no
 * process holds it. */
#ifndef DATAPATH_REST_H
#define DATAPATH_REST_H

#include "datapath/internal.h"

/* That of another start: the half's map of that number.  -ENOENT: there is none. */
int rest_get(const struct datapath *dp, unsigned int half, uint32_t id);

/* Before any of ours is at a hook: whatever becomes of this process, they find where to go on. */
int rest_keep(struct datapath *dp, struct text *reterr);

/* Once programs of no other start are at hooks. */
void rest_settle(struct datapath *dp);

/* Once none at all are. */
void rest_remove(struct pins *pins);

#endif
