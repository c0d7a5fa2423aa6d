/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/live_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "util/mem.h"
#include "util/text.h"

#define OUT         "live0"
#define IN          "live1"
#define FLOWS       10000
#define PACKETS     100000
#define PACKETS_NEW 40000 /* ports that one client has */
#define PACKETS_MIN 2000
#define STEPS       (PACKETS * UINT64_C(100)) /* of rules, in a run */
#define EVENT_RATE  100                       /* as the agent's */

#define FRESH_PORT 20000 /* and up: of new flows */
#define CLIENTS    600   /* that open new flows in turns... */
#define DISTANCE   16    /* ...and ask for the same port */

#define ROOM_SMALL (64 << 10)
#define ROOM_LARGE (64 << 20)

static int read_mac(const char *interface, uint8_t mac[static 6])
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	memcpy(request.ifr_name, interface, strlen(interface));
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

/* Without GRO, or an XDP program, a veth drops what is redirected to it. */
static int make_pair(struct live *l)
{
	if (system("ip link add " OUT " type veth peer name " IN " && "
		   "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && "
		   "ip address add 10.128.0.1/8 dev " IN " && ip link set lo up && "
		   "ip link set " OUT " up && ip link set " IN " up && "
		   "ip neighbour add 10.0.0.1 lladdr 02:00:00:00:00:01 dev " IN " && "
		   "ethtool -K " IN " gro on"))
		return -EIO;
	l->out = if_nametoindex(OUT);
	l->in = if_nametoindex(IN);
	return read_mac(IN, l->mac);
}

static int set_room(const struct live *l, int bytes)
{
	return setsockopt(l->sink, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ? -errno : 0;
}

/* Nobody reads while it counts: what finds no room any more has come as far. */
static int open_sink(struct live *l)
{
	const struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons(SHAPE_SERVICE),
		.sin_addr.s_addr = shape_server(false).word[3],
	};

	l->sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->sink < 0 || bind(l->sink, (const struct sockaddr *)&here, sizeof(here)))
		return -errno;
	return set_room(l, ROOM_SMALL);
}

int live_open(struct live *l)
{
	const struct shape shape = {.identities = 10000, .addresses = 10000, .rules = 10000};
	int err;

	*l = (struct live){.sink = -1, .drop = -1};
	err = wrapper_open(&l->wrapper);
	if (!err)
		err = make_pair(l);
	if (!err)
		err = bed_open(l->wrapper, &shape, EVENT_RATE, &l->bed);
	return err ? err : open_sink(l);
}

void live_close(struct live *l)
{
	closep(&l->sink);
	bed_release(&l->bed);
	wrapper_free(l->wrapper);
}

/* One client, whose header and its checksum are always the same; flows are of other ports. */
static void plan(struct live *l, enum live_mode mode, uint32_t flows)
{
	uint32_t client = mode == LIVE_NEW ? DISTANCE * (l->runs++ % CLIENTS) : 0;

	l->burst = bed_burst(&l->bed, mode == LIVE_DROP ? SHAPE_UDP_DENIED : SHAPE_UDP, false,
			     mode == LIVE_NEW ? 0 : flows, &l->frame);
	shape_set_client(&l->frame, client);
	l->burst.plan.base += client;
	l->burst.plan.clients = 1;
	l->burst.plan.step = 0;
	l->burst.plan.out = l->out;
	if (mode == LIVE_NEW)
		l->burst.plan.port = l->burst.plan.first_port = FRESH_PORT;
	memcpy(l->frame.bytes, l->mac, sizeof(l->mac));
}

static uint32_t packets_of(enum filter filter, enum live_mode mode)
{
	uint64_t packets = STEPS / filter_steps(filter), most = PACKETS;

	if (mode == LIVE_NEW)
		most = PACKETS_NEW;
	packets = packets < PACKETS_MIN ? PACKETS_MIN : packets;
	return (uint32_t)(packets < most ? packets : most);
}

/* Each flow's first datagram, and an answer to it. */
static int establish(struct live *l, uint32_t flows)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint32_t answered = 0;
	char byte;
	double ns;
	int err = set_room(l, ROOM_LARGE);

	while (recv(l->sink, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		; /* what is left of the run before */
	plan(l, LIVE_PASS, flows);
	l->burst.packets = flows;
	if (!err)
		err = wrapper_send(l->wrapper, &l->burst, &ns);
	while (!err && recvfrom(l->sink, &byte, sizeof(byte), MSG_DONTWAIT,
				(struct sockaddr *)&from, &len) >= 0) {
		if (sendto(l->sink, &byte, 0, MSG_DONTWAIT, (struct sockaddr *)&from, len) >= 0)
			answered++;
	}
	if (!err && answered != flows)
		err = -EPROTO;
	return err ? err : set_room(l, ROOM_SMALL);
}

/* Datagrams that came to sockets of this namespace, read or not. */
static uint64_t arrived(void)
{
	_fclose_ FILE *f = fopen("/proc/self/net/snmp", "re");
	unsigned long long in, no_port, errors;
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Udp: %llu %llu %llu", &in, &no_port, &errors) == 3)
			return in + no_port + errors;
	}
	return 0;
}

/* --- ours and the others, one at a time --- */

static int begin_ours(struct live *l)
{
	_text_ struct text why = TEXT_INIT;
	struct attachment attachment;
	int err = datapath_attach_host(l->bed.dp, l->in, &why, &attachment);

	if (err)
		fprintf(stderr, "bench: %s\n", why.buf);
	return err;
}

static bool is_bare_drop(enum filter filter)
{
	return filter == FILTER_XDP_DROP || filter == FILTER_TC_DROP;
}

static int begin(struct live *l, enum filter filter, enum live_mode mode)
{
	if (filter == FILTER_OURS)
		return begin_ours(l);
	if (filter == FILTER_NONE)
		return 0;
	if (!is_bare_drop(filter))
		return filter_begin(filter, mode);
	l->drop = wrapper_drop_all(l->wrapper, filter == FILTER_XDP_DROP ? BENCH_XDP : BENCH_TC,
				   l->in);
	return l->drop < 0 ? l->drop : 0;
}

static int end(struct live *l, enum filter filter)
{
	if (filter == FILTER_OURS)
		return datapath_detach(l->bed.dp, l->in);
	if (is_bare_drop(filter)) {
		closep(&l->drop);
		return 0;
	}
	return filter == FILTER_NONE ? 0 : filter_end(filter);
}

static int send_all(struct live *l, enum filter filter, enum live_mode mode, double *ret_mpps)
{
	uint32_t flows = filter_flows(filter) ? filter_flows(filter) : FLOWS;
	uint32_t packets = packets_of(filter, mode);
	uint64_t before = 0;
	double ns, share;
	int err = mode == LIVE_PASS ? establish(l, flows) : 0;

	/* The first ones fill caches, and the socket. */
	for (int i = 0; !err && i < 2; i++) {
		plan(l, mode, flows);
		l->burst.packets = packets;
		before = arrived();
		err = wrapper_send(l->wrapper, &l->burst, &ns);
	}
	if (err)
		return err;
	share = (double)(arrived() - before) / packets;
	*ret_mpps = 1e3 / ns * (mode == LIVE_DROP ? 1 - share : share);
	return 0;
}

int live_run(struct live *l, enum filter filter, enum live_mode mode, double *ret_mpps)
{
	int err = begin(l, filter, mode), err_end;

	if (err == -ENOENT)
		return err;
	if (!err)
		err = send_all(l, filter, mode, ret_mpps);
	err_end = end(l, filter);
	return err ? err : err_end;
}
