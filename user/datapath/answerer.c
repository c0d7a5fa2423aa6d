/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/attached.h"
#include "datapath/internal.h"
#include "util/cleanup.h"

/* A veth drops what its native XDP program sends, unless the other end has one, too. */
bool answerer_is_needed(uint32_t ifindex)
{
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&driver};

	return fd >= 0 && if_indextoname(ifindex, request.ifr_name) &&
	       !ioctl(fd, SIOCETHTOOL, &request) && !strcmp(driver.driver, "veth");
}

struct hook answerer_hook(const struct datapath *dp, uint32_t ifindex)
{
	return (struct hook){
		.ifindex = ifindex,
		.is_answerer = true,
		.xdp = -1,
		.tc = bpf_program__fd(dp->skel->progs.bh_tc_answer),
	};
}

int answerer_attach(struct datapath *dp, uint32_t ifindex, struct text *reterr)
{
	const struct hook hook = answerer_hook(dp, ifindex);
	enum attach_method method;

	return attach_hook(dp, &hook, reterr, &method);
}

void answerer_remove(struct datapath *dp, uint32_t ifindex)
{
	const struct hook hook = answerer_hook(dp, ifindex);

	attached_remove_hook(&dp->pins, &hook);
}
