/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Routes by which the kernel takes in addresses that no interface has (AnyIP). */
#ifndef AGENT_ENDPOINTS_LOCAL_ROUTES_H
#define AGENT_ENDPOINTS_LOCAL_ROUTES_H

#include <stdbool.h>

#include <linux/rtnetlink.h>

#include "agent/endpoints/rtnl.h"

/* Of the local table, which every packet is looked up in first; others depend on rules. */
bool is_local_route(const struct rtmsg *msg);

/* Adds them to what is there. */
int local_routes_read(struct own_addresses *out);

#endif
