/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs of one start, pinned for the next one of the same build: verifying them takes longer
 * than all else that it does. */
#ifndef DATAPATH_KEPT_H
#define DATAPATH_KEPT_H

#include "datapath/internal.h"

/*
 * Once dp->skel has the maps that were found, before others are made: it gets what belongs to the
 * programs, too, and they are in dp->programs, with dp->is_kept.  Unless there are none, or of
 * another build, or of other maps, or not what was pinned, or configured differently, or too few
 * for endpoints that are not among @kinds_off: then they have to be loaded.  -errno.
 */
int kept_take(struct datapath *dp, uint32_t kinds_off);

/* Those that were loaded, unless they were taken.  What fails is loaded again by the next start. */
void kept_pin(struct datapath *dp);

/* Of these pins. */
bool kept_is_name(const char *name);

#endif
