/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/bench/bed.h"
#include "tests/bench/filters.h"
#include "util/mem.h"
#include "util/text.h"

#define OUT        "live0"
#define IN         "live1"
#define FLOWS      10000
#define PACKETS    100000
#define EVENT_RATE 100 /* as the agent's */

struct live {
	struct wrapper *wrapper;
	struct bed bed;
	uint32_t out, in; /* interfaces */
	uint8_t mac[6];   /* of the one that receives */
	int sink;
	int drop; /* the link of a program that drops all; -1 */
	struct shape_frame frame;
	struct burst burst;
};

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
		   "ethtool -K " IN " gro on"))
		return -EIO;
	l->out = if_nametoindex(OUT);
	l->in = if_nametoindex(IN);
	return read_mac(IN, l->mac);
}

/* Nobody reads: what finds no room any more has come as far. */
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
	return 0;
}

/* One client, whose header and its checksum are always the same; flows are of other ports. */
static void plan(struct live *l, bool is_denied)
{
	enum shape_packet packet = is_denied ? SHAPE_UDP_DENIED : SHAPE_UDP;

	l->burst = bed_burst(&l->bed, packet, false, FLOWS, &l->frame);
	l->burst.plan.clients = 1;
	l->burst.plan.step = 0;
	l->burst.plan.out = l->out;
	l->burst.packets = PACKETS;
	memcpy(l->frame.bytes, l->mac, sizeof(l->mac));
}

static int establish(struct live *l)
{
	static const enum shape_packet packets[] = {SHAPE_UDP, SHAPE_UDP_REPLY, SHAPE_UDP};
	struct shape_frame frame;
	double ns;
	int action, err = 0;

	for (size_t i = 0; !err && i < COUNT(packets); i++) {
		bool is_reply = packets[i] == SHAPE_UDP_REPLY;
		const struct target target = {is_reply ? BENCH_TC : BENCH_XDP,
					      bed_program(&l->bed, BENCH_XDP, is_reply)};
		struct burst burst = bed_burst(&l->bed, packets[i], false, FLOWS, &frame);

		burst.plan.clients = 1;
		burst.plan.step = 0;
		burst.packets = FLOWS;
		err = wrapper_run(l->wrapper, &target, &burst, &ns, &action);
	}
	return err;
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
	return err ? err : establish(l);
}

static bool is_bare_drop(enum filter filter)
{
	return filter == FILTER_XDP_DROP || filter == FILTER_TC_DROP;
}

static int begin(struct live *l, enum filter filter, bool is_drop)
{
	if (filter == FILTER_OURS)
		return begin_ours(l);
	if (filter == FILTER_NONE)
		return 0;
	if (!is_bare_drop(filter))
		return filter_begin(filter, is_drop);
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

/* Millions a second that got where they should: to the socket, or not. */
static int send_all(struct live *l, bool is_drop, double *ret_mpps)
{
	uint64_t before;
	double ns, share;
	int err;

	plan(l, is_drop);
	/* The first ones fill caches, and the socket. */
	err = wrapper_send(l->wrapper, &l->burst, &ns);
	before = arrived();
	if (!err)
		err = wrapper_send(l->wrapper, &l->burst, &ns);
	if (err)
		return err;
	share = (double)(arrived() - before) / PACKETS;
	*ret_mpps = 1e3 / ns * (is_drop ? 1 - share : share);
	return 0;
}

static int run_once(struct live *l, enum filter filter, bool is_drop, double *ret_mpps)
{
	int err = begin(l, filter, is_drop), err_end;

	if (err == -ENOENT)
		return err;
	if (!err)
		err = send_all(l, is_drop, ret_mpps);
	err_end = end(l, filter);
	return err ? err : err_end;
}

/* --- rounds --- */

struct field {
	samples seen[FILTERS];
	const char *problem[FILTERS];
};

static void run_filter(struct live *l, enum filter filter, bool is_drop, struct field *field)
{
	double mpps = 0;
	int err = run_once(l, filter, is_drop, &mpps);

	if (!err)
		vec_push(&field->seen[filter], mpps);
	else
		field->problem[filter] = err == -ENOENT ? "not installed" : "does not start";
}

static void run_rounds(struct live *l, bool is_drop, int rounds, struct field *field)
{
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < FILTERS; i++) {
			if (filter_has(i, is_drop) && !field->problem[i])
				run_filter(l, i, is_drop, field);
		}
	}
}

/* Ours in parts of the bare hook's, or in what a packet takes more than without a filter. */
static void add_ratio(const struct field *field, const struct figure *figures, bool is_drop,
		      struct results *results)
{
	int base = is_drop ? FILTER_XDP_DROP : FILTER_NONE;
	double ratio = figures[FILTER_OURS].median / figures[base].median;
	struct metric m = {
		.name = xstrdup(is_drop ? "live-drop-share" : "live-pass-cost"),
		.unit = "x",
		.goal = is_drop ? 0.8 : 1.05,
		.is_more_better = is_drop,
	};

	m.figure.median = is_drop ? ratio : 1 / ratio;
	m.figure.low = is_drop ? figures[FILTER_OURS].low / figures[base].high
			       : figures[base].low / figures[FILTER_OURS].high;
	m.figure.high = is_drop ? figures[FILTER_OURS].high / figures[base].low
				: figures[base].high / figures[FILTER_OURS].low;
	if (field->problem[FILTER_OURS] || field->problem[base])
		m.problem = xstrdup("there is no figure of both");
	results_add(results, &m);
}

static void add_metrics(struct field *field, bool is_drop, struct results *results)
{
	struct figure figures[FILTERS];
	struct metric m = {
		.name = xstrdup(is_drop ? "live-drop" : "live-pass"),
		.unit = "Mpps",
		.is_more_better = true,
	};

	for (int i = 0; i < FILTERS; i++) {
		figures[i] = figure_of(&field->seen[i]);
		vec_release(&field->seen[i]);
		if (i == FILTER_OURS || !filter_has(i, is_drop))
			continue;
		vec_push(&m.peers, (struct peer_figure){
					   .name = xstrdup(filter_name(i)),
					   .figure = figures[i],
					   .problem = field->problem[i],
				   });
	}
	m.figure = figures[FILTER_OURS];
	if (field->problem[FILTER_OURS])
		m.problem = xstrdup(field->problem[FILTER_OURS]);
	results_add(results, &m);
	add_ratio(field, figures, is_drop, results);
}

static int open_live(struct live *l)
{
	const struct shape shape = {10000, 10000, 10000, 0};
	int err = wrapper_open(&l->wrapper);

	if (!err)
		err = make_pair(l);
	if (!err)
		err = bed_open(l->wrapper, &shape, EVENT_RATE, &l->bed);
	return err ? err : open_sink(l);
}

int live_measure(bool is_long, struct results *results)
{
	struct live l = {.sink = -1, .drop = -1};
	int err;

	fprintf(stderr, "live frames\n");
	err = open_live(&l);
	for (int is_drop = 0; !err && is_drop < 2; is_drop++) {
		struct field field = {};

		run_rounds(&l, is_drop, is_long ? 11 : 3, &field);
		add_metrics(&field, is_drop, results);
	}
	closep(&l.sink);
	bed_release(&l.bed);
	wrapper_free(l.wrapper);
	return err;
}
