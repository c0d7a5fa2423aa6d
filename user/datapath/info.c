/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/info.h"

#include <string.h>

#include <bpf/bpf.h>

static int get(int fd, void *ret, __u32 len)
{
	memset(ret, 0, len);
	return fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, ret, &len);
}

int map_info(int fd, struct bpf_map_info *ret)
{
	return get(fd, ret, sizeof(*ret));
}

int program_info(int fd, struct bpf_prog_info *ret)
{
	return get(fd, ret, sizeof(*ret));
}

int link_info(int fd, struct bpf_link_info *ret)
{
	return get(fd, ret, sizeof(*ret));
}
