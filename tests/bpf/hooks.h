/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says hangs on an interface: asked without the data path, to compare with it. */
#ifndef TESTS_BPF_HOOKS_H
#define TESTS_BPF_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"

/* A kernel that can't tell what hangs at tcx has none: that is of Linux 6.6. */
bool kernel_has_tcx(void);

unsigned int count_xdp(const char *interface);
unsigned int count_tcx(const char *interface, bool is_egress);
unsigned int count_filters(const char *interface, bool is_egress); /* with our name, in clsact */

void assert_nothing_on(const char *interface); /* nor a qdisc */

/* One program of ours at tc, by that method and no other. */
void assert_tc_on(const char *interface, bool is_egress, enum attach_method method);

/* The numbers that the kernel gave to what hangs there. */
struct hung {
	uint32_t link_id; /* 0: a filter */
	uint32_t prog_id;
};

struct hung hung_at(const char *interface, bool is_egress, enum attach_method method);

#endif
