/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One question to the kernel about its network, and the answer's messages. */
#ifndef AGENT_ENDPOINTS_RTNL_QUERY_H
#define AGENT_ENDPOINTS_RTNL_QUERY_H

#include <libmnl/libmnl.h>

/*
 * Sends @request, which has a type, NLM_F_DUMP for more than one object, and its body; calls @fn
 * for every message of the answer.  The kernel may be asked to filter by what the body says, but
 * some answer with more than that (before 4.20 all do).
 */
int rtnl_query(struct nlmsghdr *request, mnl_cb_t fn, void *user);

#endif
