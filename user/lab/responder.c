/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/responder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "util/cleanup.h"

#define DATAGRAM_BYTES 2048

static int listen_on(const struct lab_service *s, int epoll)
{
	bool is_tcp = s->table == BH_SERVICE_TCP;
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(s->number)};
	int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	_close_ int fd = socket(AF_INET6, type, 0);
	int off = 0, on = 1, err;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    (is_tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (is_tcp && listen(fd, SOMAXCONN) < 0))
		return -errno;
	/* From here on epoll's events carry it; it is open as long as the station lives. */
	err = watch_add(epoll, fd, is_tcp ? WATCH_LISTENER : WATCH_DATAGRAM, fd, EPOLLIN);
	if (!err)
		(void)TAKE_FD(fd);
	return err;
}

int responder_open(const struct lab_plan *plan, int epoll)
{
	int err = 0;

	for (size_t i = 0; !err && i < plan->services.count; i++) {
		const struct lab_service *s = &plan->services.items[i];

		if (s->table == BH_SERVICE_TCP || s->table == BH_SERVICE_UDP)
			err = listen_on(s, epoll);
	}
	return err;
}

static void accept_peer(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && watch_add(epoll, fd, WATCH_PEER, fd, EPOLLIN))
		close(fd);
}

/* What a probe sends fits any socket buffer, so a short write is a failure. */
static void echo_stream(int fd)
{
	char bytes[DATAGRAM_BYTES];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n <= 0 || send(fd, bytes, n, MSG_NOSIGNAL) != n)
		close(fd);
}

static void echo_datagram(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char bytes[DATAGRAM_BYTES];
	ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len);

	if (n > 0)
		sendto(fd, bytes, n, 0, (struct sockaddr *)&from, len);
}

void responder_handle(int epoll, const struct epoll_event *event)
{
	int fd = watch_value_of(event);

	switch (watch_kind_of(event)) {
	case WATCH_LISTENER:
		accept_peer(epoll, fd);
		break;
	case WATCH_PEER:
		echo_stream(fd);
		break;
	case WATCH_DATAGRAM:
		echo_datagram(fd);
		break;
	case WATCH_CONTROL:
	case WATCH_PROBE:
		break;
	}
}
