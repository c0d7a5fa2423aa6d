/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A steady stream of datagrams, for the counting of what gets lost.
 *   wire send ADDRESS PORT RATE   on SIGTERM prints how many were sent, and how many a second
 *   wire count PORT...            on SIGTERM prints "PORT RECEIVED" of each
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PORTS_MAX   8
#define NS_PER_S    1000000000ull
#define BUFFER_SIZE (64 << 20)
#define BATCH       64
#define BURST       128

static volatile sig_atomic_t is_over;

static void on_term(int signal)
{
	(void)signal;
	is_over = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void widen(int fd, int option)
{
	int size = BUFFER_SIZE;

	setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

static struct sockaddr_in6 address_of(const char *address, const char *port)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)strtoul(port, NULL, 10)),
	};

	inet_pton(AF_INET6, address, &to.sin6_addr);
	return to;
}

/* What a busy sender could not send in time, it sends then, but not all at once. */
static int send_all(const char *address, const char *port, uint64_t rate)
{
	struct sockaddr_in6 to = address_of(address, port);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t begin = now_ns(), sent = 0, due;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to))) {
		perror("wire");
		return 1;
	}
	signal(SIGTERM, on_term);
	while (!is_over) {
		due = (now_ns() - begin) / 1000 * rate / 1000000;
		for (int i = 0; i < BURST && sent < due; i++)
			sent += send(fd, &sent, sizeof(sent), 0) == (ssize_t)sizeof(sent);
		poll(NULL, 0, 1);
	}
	printf("%ju %ju\n", (uintmax_t)sent,
	       (uintmax_t)(sent * 1000000 / ((now_ns() - begin) / 1000)));
	return 0;
}

static uint64_t take(int fd)
{
	static char bytes[BATCH][64];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = {};
	uint64_t received = 0;
	int count;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while ((count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
		received += (uint64_t)count;
	return received;
}

static int count_all(char **ports, nfds_t count)
{
	struct pollfd fds[PORTS_MAX];
	uint64_t received[PORTS_MAX] = {};

	for (nfds_t i = 0; i < count; i++) {
		struct sockaddr_in6 own = address_of("::", ports[i]);

		fds[i] = (struct pollfd){socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), POLLIN, 0};
		widen(fds[i].fd, SO_RCVBUFFORCE);
		if (bind(fds[i].fd, (const struct sockaddr *)&own, sizeof(own))) {
			perror("wire");
			return 1;
		}
	}
	signal(SIGTERM, on_term);
	puts("serving");
	fflush(stdout);
	while (!is_over) {
		poll(fds, count, 100);
		for (nfds_t i = 0; i < count; i++)
			received[i] += take(fds[i].fd);
	}
	for (nfds_t i = 0; i < count; i++)
		printf("%s %ju\n", ports[i], (uintmax_t)received[i]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_all(argv[2], argv[3], strtoul(argv[4], NULL, 10));
	if (argc > 2 && argc <= 2 + PORTS_MAX && !strcmp(argv[1], "count"))
		return count_all(argv + 2, (nfds_t)argc - 2);
	fprintf(stderr, "usage: wire send ADDRESS PORT RATE | count PORT...\n");
	return 2;
}
