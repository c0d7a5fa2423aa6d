/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What hangs on interfaces already: found by its pins, given new programs, taken away. */
#ifndef DATAPATH_ATTACHED_H
#define DATAPATH_ATTACHED_H

#include <stddef.h>
#include <stdint.h>

#include "datapath/internal.h"
#include "datapath/record.h"

/* A filter's record is a program, to be told from others' filters by its name. */
int attached_keep_program(struct pins *pins, const struct record *record, int program);

/* What an earlier attach left at @hook gets the hook's program; what can't take it is removed. */
int attached_reuse(struct pins *pins, const struct hook *hook, enum attach_method *ret);

/* The records of @hook. */
void attached_list(const struct pins *pins, const struct hook *hook, pin_names *ret);

/* Detaches what hangs at @hook. */
void attached_remove_hook(struct pins *pins, const struct hook *hook);

/* Gives all of it the programs of the same name in @dp, and forgets interfaces that are gone. */
int attached_refresh(struct datapath *dp, struct text *reterr);

/* Detaches what the record called @name says, and forgets it. */
void attached_remove(struct pins *pins, const char *name);

/* Detaches all of @ifindex, of every interface if 0; returns how many programs. */
size_t attached_remove_all(struct pins *pins, uint32_t ifindex);

#endif
