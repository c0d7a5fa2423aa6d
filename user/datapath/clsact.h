/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tc filters on the clsact qdisc, for kernels without tcx.  Knows nothing of pins. */
#ifndef DATAPATH_CLSACT_H
#define DATAPATH_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

/* One filter. */
struct clsact_filter {
	uint32_t ifindex;
	bool is_egress;
	uint32_t handle;   /* 0: the kernel chooses */
	uint32_t priority; /* 0: the kernel chooses, before all that are there */
};

/* Makes the qdisc; *ret_is_new: there was none. */
int clsact_make(uint32_t ifindex, bool *ret_is_new);

/* Adds the filter, or replaces the program of the one at that handle and priority. */
int clsact_attach(struct clsact_filter *filter, int prog_fd);

/* The program there, to be closed; -ENOENT if there is none. */
int clsact_get(const struct clsact_filter *filter);
int clsact_detach(const struct clsact_filter *filter);

/* Removes the qdisc if no filter is left on it. */
int clsact_remove_unused(uint32_t ifindex);

#endif
