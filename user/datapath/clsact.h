/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tc filters on the clsact qdisc, for kernels without tcx.  Knows nothing of pins. */
#ifndef DATAPATH_CLSACT_H
#define DATAPATH_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/vec.h"

/* One filter. */
struct clsact_filter {
	uint32_t ifindex;
	bool is_egress;
	uint32_t handle;   /* 0: the kernel chooses */
	uint32_t priority; /* 0: the first, before all that are there if the kernel lets it */
};

#define CLSACT_KIND_STRLEN 16

/* What is there, whoever made it. */
struct clsact_entry {
	char kind[CLSACT_KIND_STRLEN]; /* "bpf", "flower", … */
	uint32_t priority;
	uint32_t prog_id; /* 0: not of the kind bpf */
};

typedef VEC(struct clsact_entry) clsact_entries;

/* Makes the qdisc; *ret_is_new: there was none. */
int clsact_make(uint32_t ifindex, bool *ret_is_new);

/* Adds the filter, or replaces the program of the one at that handle and priority. */
int clsact_attach(struct clsact_filter *filter, int prog_fd);

/* The program there; -ENOENT if there is none. */
int clsact_program(const struct clsact_filter *filter, uint32_t *ret_id);
int clsact_detach(const struct clsact_filter *filter);

/* In the order in which they run; empty if there is no such qdisc. */
int clsact_list(uint32_t ifindex, bool is_egress, clsact_entries *ret);

/* Removes the qdisc if no filter is left on it. */
int clsact_remove_unused(uint32_t ifindex);

#endif
