/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What kernels have learnt since 5.10, and how our programs go without. */
#ifndef DATAPATH_OLDER_H
#define DATAPATH_OLDER_H

struct bulkhead_bpf;

/* Before an object is opened: it will be loaded as the kernel here can take it. */
void older_begin(void);

/* The object that was opened: what it may use. */
void older_configure(struct bulkhead_bpf *skel);

#endif
