/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/prober.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "util/clock.h"

#define NS_PER_MS 1000000ull

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* An echo request; both ICMPs have the same layout here, and the kernel fills id and checksum. */
struct echo {
	struct icmphdr header;
	uint64_t nonce;
};

static bool is_echo(const struct lab_service *s)
{
	return s->table == BH_SERVICE_ICMP || s->table == BH_SERVICE_ICMP6;
}

static socklen_t fill_address(union socket_address *ret, enum lab_family f, const struct bh_addr *a,
			      uint16_t port)
{
	*ret = (union socket_address){};
	if (f == LAB_V4) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		ret->v4.sin_addr.s_addr = a->word[3];
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	memcpy(&ret->v6.sin6_addr, a, sizeof(*a));
	return sizeof(ret->v6);
}

static int open_socket(const struct lab_service *s, enum lab_family f)
{
	int family = f == LAB_V4 ? AF_INET : AF_INET6;
	int type = s->table == BH_SERVICE_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int protocol = 0;

	if (is_echo(s))
		protocol = f == LAB_V4 ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

/* Connects from the address that the plan says, whichever else the station has. */
static int connect_probe(const struct lab_plan *plan, const struct lab_probe *probe)
{
	const struct lab_service *s = &plan->services.items[probe->service];
	_close_ int fd = open_socket(s, probe->family);
	union socket_address address;
	socklen_t len;

	if (fd < 0)
		return -errno;
	len = fill_address(&address, probe->family,
			   &plan->stations.items[probe->from].addr[probe->family], 0);
	if (bind(fd, &address.any, len) < 0)
		return -errno;
	len = fill_address(&address, probe->family,
			   &plan->stations.items[probe->to].addr[probe->family],
			   is_echo(s) ? 0 : s->number);
	if (connect(fd, &address.any, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

static void settle(struct prober *p, struct attempt *a, enum lab_outcome outcome)
{
	close(a->fd);
	a->fd = -1;
	a->outcome = outcome;
	p->open--;
}

static bool start(struct prober *p, uint32_t place, const struct lab_probe *probe)
{
	struct attempt *a = &p->attempts[place];

	*a = (struct attempt){.probe = probe, .outcome = LAB_FAILED};
	a->fd = connect_probe(p->plan, probe);
	if (a->fd < 0)
		return false;
	if (getrandom(&a->nonce, sizeof(a->nonce), 0) != sizeof(a->nonce) ||
	    watch_add(p->epoll, a->fd, WATCH_PROBE, place, EPOLLIN | EPOLLOUT)) {
		closep(&a->fd);
		return false;
	}
	a->outcome = LAB_SILENT;
	return true;
}

void prober_start(struct prober *p, const struct lab_batch *batch)
{
	p->count = batch->count;
	p->open = 0;
	for (uint32_t i = 0; i < batch->count; i++)
		p->open += start(p, i, &p->plan->probes.items[batch->probe[i]]);
	p->deadline_ns = clock_monotonic_ns() + batch->timeout_ms * NS_PER_MS;
}

/* What an errno of a socket says of the way; a drop on our own way out is silence too. */
static enum lab_outcome outcome_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
		return LAB_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EACCES:
	case EPROTO:
		return LAB_UNREACHABLE;
	case ENOBUFS:
	case EPERM:
	case ETIMEDOUT:
		return LAB_SILENT;
	default:
		return LAB_FAILED;
	}
}

static ssize_t send_nonce(const struct prober *p, const struct attempt *a)
{
	const struct lab_service *s = &p->plan->services.items[a->probe->service];
	struct echo echo = {.nonce = a->nonce};

	if (!is_echo(s))
		return send(a->fd, &a->nonce, sizeof(a->nonce), MSG_NOSIGNAL);
	echo.header.type = s->number >> 8;
	return send(a->fd, &echo, sizeof(echo), 0);
}

/* 0 when our nonce is back, else an errno; EAGAIN if nothing is there yet. */
static int receive_nonce(const struct prober *p, const struct attempt *a)
{
	const struct lab_service *s = &p->plan->services.items[a->probe->service];
	size_t due = is_echo(s) ? sizeof(struct echo) : sizeof(a->nonce);
	struct echo echo = {};
	ssize_t n = recv(a->fd, is_echo(s) ? (void *)&echo : &echo.nonce, due, 0);

	if (n < 0)
		return errno;
	return n == (ssize_t)due && echo.nonce == a->nonce ? 0 : EBADMSG;
}

/* A TCP socket is writable once it is connected; the others always are. */
static void send_first(struct prober *p, struct attempt *a)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)WATCH_PROBE << 32 | (uint32_t)(a - p->attempts),
	};
	int error = 0;
	socklen_t len = sizeof(error);

	if (!getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) && !error)
		error = send_nonce(p, a) < 0 ? errno : 0;
	if (error) {
		settle(p, a, outcome_of(error));
		return;
	}
	a->is_sent = true;
	epoll_ctl(p->epoll, EPOLL_CTL_MOD, a->fd, &event);
}

void prober_handle(struct prober *p, uint32_t place)
{
	struct attempt *a = &p->attempts[place];
	int error;

	if (place >= p->count || a->fd < 0)
		return;
	if (!a->is_sent) {
		send_first(p, a);
		return;
	}
	error = receive_nonce(p, a);
	if (error != EAGAIN)
		settle(p, a, error ? outcome_of(error) : LAB_ANSWERED);
}

int prober_wait_ms(const struct prober *p)
{
	uint64_t now = clock_monotonic_ns();

	if (!p->count)
		return -1;
	return now >= p->deadline_ns ? 0 : (p->deadline_ns - now) / NS_PER_MS + 1;
}

bool prober_is_due(const struct prober *p)
{
	return p->count && (!p->open || clock_monotonic_ns() >= p->deadline_ns);
}

void prober_finish(struct prober *p, struct lab_batch_result *ret)
{
	*ret = (struct lab_batch_result){.count = p->count};
	for (uint32_t i = 0; i < p->count; i++) {
		ret->outcome[i] = p->attempts[i].outcome;
		closep(&p->attempts[i].fd);
	}
	p->count = p->open = 0;
}
