/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps and programs into the kernel, and which program is where. */
#ifndef DATAPATH_LOADER_H
#define DATAPATH_LOADER_H

#include <bpf/libbpf.h>

#include "datapath/internal.h"
#include "datapath/program.h"

/* Once for the process: libbpf says nothing but to us. */
void loader_init(void);

/* Before anything else: nothing is loaded. */
void loader_begin(struct datapath *dp);

/* Once dp->skel is configured: its maps are made, those that it does not have already, and programs
 * unless kept_take() found them. */
int loader_load(struct datapath *dp, struct text *reterr);

/* Gives @obj, which is open, the maps that are in use by now, but for its constants.  -errno. */
int loader_share(const struct datapath *dp, struct bpf_object *obj);

/* Whether endpoints of a kind that is not among @kinds_off need it. */
bool loader_is_of_kinds(enum program program, uint32_t kinds_off);

/* A descriptor that stays ours; -1: it is not loaded, as endpoints of its kind are off. */
int loader_program(const struct datapath *dp, enum program program);

/* The one of that name; those that are on no hook, too. */
int loader_find(const struct datapath *dp, const char *name);

void loader_release(struct datapath *dp);

#endif
