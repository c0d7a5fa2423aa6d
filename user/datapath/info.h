/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says of the object behind a descriptor.  Where there is none, and @fd says why,
 * it is -errno, and @ret is all zeros. */
#ifndef DATAPATH_INFO_H
#define DATAPATH_INFO_H

#include <linux/bpf.h>

int map_info(int fd, struct bpf_map_info *ret);
int program_info(int fd, struct bpf_prog_info *ret);
int link_info(int fd, struct bpf_link_info *ret);

#endif
