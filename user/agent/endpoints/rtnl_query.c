/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/rtnl_query.h"

#include <errno.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define BUFFER_BYTES 32768 /* as much as the kernel puts into one message of a dump */
#define SEQUENCE     1     /* a socket is asked once */

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

static int receive(struct mnl_socket *socket, mnl_cb_t fn, void *user)
{
	_free_ char *buf = xmalloc(BUFFER_BYTES);
	unsigned int port = mnl_socket_get_portid(socket);
	int status = MNL_CB_OK;

	while (status > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(socket, buf, BUFFER_BYTES);

		if (len < 0)
			return -errno;
		status = mnl_cb_run(buf, (size_t)len, SEQUENCE, port, fn, user);
	}
	return status < 0 ? -errno : 0;
}

int rtnl_query(struct nlmsghdr *request, mnl_cb_t fn, void *user)
{
	_cleanup_(close_socket)
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int strict = 1;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* Without it dumps aren't filtered, only longer. */
	(void)mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	/* A dump ends by itself, a single answer with an acknowledgement. */
	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_seq = SEQUENCE;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	return receive(socket, fn, user);
}
