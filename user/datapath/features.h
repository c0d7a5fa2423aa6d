/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of the kernel's features is in use: asked of the kernel, never of its version. */
#ifndef DATAPATH_FEATURES_H
#define DATAPATH_FEATURES_H

#include "datapath/datapath.h"

struct features {
	enum attach_method tc; /* what a workload's programs hang by */
	bool has_xdp_frags;    /* packets in several buffers, which jumbo frames are */
	bool has_netfilter;    /* programs behind the translation of Services */
	bool has_btf;
	bool is_jited;
};

bool features_have_btf(void);

/* Of programs that are loaded.  No interface is touched. */
void features_of(const struct datapath *dp, struct features *ret);

#endif
