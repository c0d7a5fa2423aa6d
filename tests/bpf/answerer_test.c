/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/loader.h"
#include "tests/bpf/rig.h"
#include "tests/bpf/table.h"

#define WAIT_US 200000

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: quiet, from: client, to: server, services: tcp/444, action: deny}\n"
	"    - {name: no, from: any, to: any, services: [tcp/23, udp/53, icmp/echo-request, icmp6/echo-request, proto/47], action: reject}\n";

static const struct {
	const char *name;
	struct packet_spec packet;
} rejected[] = {
	{"SYN", {.dport = 23, .seq = 1000}},
	{"SYN with data", {.dport = 23, .seq = 7, .payload = 100}},
	{"SYN with a tag", {.dport = 23, .seq = 5, .vlans = 1}},
	{"UDP", {.proto = IPPROTO_UDP, .dport = 53, .payload = 20}},
	{"UDP with two tags", {.proto = IPPROTO_UDP, .dport = 53, .vlans = 2}},
	{"echo request", {.icmp = ICMP_ECHO_REQUEST, .id = 9, .payload = 56}},
};
/* clang-format on */

/* The rules in force, at SERVER's NIC. */
static void prepare(struct rig *rig)
{
	static const struct packet_spec boring = {};

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	rig_run(rig, "who is where", PROGRAM_XDP_IN, &boring);
}

static void set_answerer(struct rig *rig, bool has_answerer)
{
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_endpoints);
	const uint32_t ifindex = RIG_IFINDEX;
	struct bh_endpoint endpoint = {};

	bpf_map_lookup_elem(fd, &ifindex, &endpoint);
	endpoint.flags = has_answerer ? BH_ENDPOINT_HAS_ANSWERER : 0;
	assert_int_equal(bpf_map_update_elem(fd, &ifindex, &endpoint, BPF_ANY), 0);
}

static int run_xdp(struct rig *rig, const struct packet_spec *spec, bool has_answerer,
		   struct program_output *out)
{
	const struct frame frame = packet_build(spec);
	const struct program_input in = {
		.bytes = frame.bytes, .len = frame.len, .times = 1, .out = out};
	int returned;

	set_answerer(rig, has_answerer);
	assert_int_equal(program_run(rig->dp, PROGRAM_XDP_IN, &in, &returned), 0);
	set_answerer(rig, false);
	return returned;
}

static void what_cannot_be_sent_is_passed_as_its_answer(void **state)
{
	struct rig *rig = *state;
	const uint64_t tag = rig->dp->skel->rodata->bh_answer_tag;

	prepare(rig);
	for (size_t i = 0; i < 2 * COUNT(rejected); i++) {
		struct packet_spec spec = rejected[i / 2].packet;
		const char *place = table_place(rejected[i / 2].name, i % 2, PROGRAM_XDP_IN);
		struct program_output sent, passed;

		spec.is_v6 = i % 2;
		assert_row(place, run_xdp(rig, &spec, false, &sent) == XDP_TX);
		assert_row(place, run_xdp(rig, &spec, true, &passed) == XDP_PASS);
		assert_row(place, passed.len == sizeof(tag) + sent.len);
		assert_row(place, !memcmp(passed.bytes, &tag, sizeof(tag)));
		assert_row(place, !memcmp(passed.bytes + sizeof(tag), sent.bytes, sent.len));
	}
}

static void only_answers_are_tagged(void **state)
{
	static const struct packet_spec allowed = {}, denied = {.dport = 444},
					unanswered = {.proto = PROTO_GRE, .to = GROUP};
	struct rig *rig = *state;
	struct program_output out;

	prepare(rig);
	assert_int_equal(run_xdp(rig, &allowed, true, &out), XDP_PASS);
	assert_int_equal(out.len, packet_build(&allowed).len);
	assert_int_equal(run_xdp(rig, &denied, true, &out), XDP_DROP);
	assert_int_equal(run_xdp(rig, &unanswered, true, &out), XDP_DROP);
}

static void the_answerer_leaves_all_else_to_the_next_program(void **state)
{
	struct rig *rig = *state;

	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct frame frame = packet_build(&(struct packet_spec){.is_v6 = is_v6});
		struct __sk_buff ctx = {.mark = rig->dp->skel->rodata->bh_answer_mark};
		struct frame out = {.len = 0};
		struct bpf_test_run_opts opts = {
			.sz = sizeof(opts),
			.data_in = frame.bytes,
			.data_size_in = (__u32)frame.len,
			.data_out = out.bytes,
			.data_size_out = sizeof(out.bytes),
			.ctx_in = &ctx,
			.ctx_size_in = sizeof(ctx),
		};
		int fd = bpf_program__fd(rig->dp->skel->progs.bh_tc_answer);

		assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
		assert_int_equal((int)opts.retval, TC_ACT_UNSPEC);
		assert_int_equal(opts.data_size_out, frame.len);
		assert_memory_equal(out.bytes, frame.bytes, frame.len);
	}
}

/* --- on a veth: what bh_xdp_in makes of frames goes on into the stack --- */

static int listen_at(const char *interface)
{
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	const struct timeval patience = {.tv_usec = WAIT_US};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		fail_msg("cannot listen at %s", interface);
	return fd;
}

/* Whether a frame of these bytes comes; others on the line are the kernel's own. */
static bool comes(int fd, const uint8_t *bytes, size_t len)
{
	uint8_t frame[FRAME_MAX];
	ssize_t got;

	while ((got = recv(fd, frame, sizeof(frame), 0)) >= 0) {
		if ((size_t)got == len && !memcmp(frame, bytes, len))
			return true;
	}
	return false;
}

/* @tag: metadata that the frame has when it comes to the program; 0: none. */
static void receive(struct rig *rig, const struct packet_spec *spec, uint64_t tag)
{
	const struct frame frame = packet_build(spec);
	uint8_t bytes[FRAME_MAX + sizeof(tag)];
	size_t meta = tag ? sizeof(tag) : 0;
	struct xdp_md ctx = {
		.data = (__u32)meta,
		.data_end = (__u32)(meta + frame.len),
		.ingress_ifindex = if_nametoindex("bh0"),
	};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = bytes,
		.data_size_in = ctx.data_end,
		.ctx_in = &ctx,
		.ctx_size_in = sizeof(ctx),
		.repeat = 1,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	};

	memcpy(bytes, &tag, meta);
	memcpy(bytes + meta, frame.bytes, frame.len);
	assert_int_equal(bpf_prog_test_run_opts(loader_program(rig->dp, PROGRAM_XDP_IN), &opts), 0);
}

static bool has_live_frames(const struct rig *rig)
{
	const struct frame frame = packet_build(&(struct packet_spec){.dport = 444});
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = frame.bytes,
		.data_size_in = (__u32)frame.len,
		.repeat = 1,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	};

	return !bpf_prog_test_run_opts(loader_program(rig->dp, PROGRAM_XDP_IN), &opts);
}

/* bh0 is a host's NIC, and there is no program at the other end. */
static void attach_bh0(struct rig *rig)
{
	_text_ struct text why = TEXT_INIT;
	struct attachment attachment;

	if (!has_live_frames(rig))
		skip();
	run_command("ip link add bh0 type veth peer name bh1");
	run_command("ip link set dev bh0 up && ip link set dev bh1 up");
	prepare(rig);
	if (datapath_attach_host(rig->dp, if_nametoindex("bh0"), &why, &attachment))
		fail_msg("%s", why.buf);
	assert_int_equal(attachment.ingress, ATTACH_XDP_NATIVE);
}

static int detach_bh0(void **state)
{
	struct rig *rig = *state;
	uint32_t ifindex = if_nametoindex("bh0");

	if (!ifindex)
		return 0;
	datapath_detach(rig->dp, ifindex);
	run_command("ip link del bh0");
	return 0;
}

static void answers_leave_a_veth_whose_other_end_has_no_program(void **state)
{
	struct rig *rig = *state;
	_close_ int fd = -1;

	attach_bh0(rig);
	fd = listen_at("bh1");
	for (size_t i = 0; i < 2 * COUNT(rejected); i++) {
		struct packet_spec spec = rejected[i / 2].packet;
		const char *place = table_place(rejected[i / 2].name, i % 2, PROGRAM_XDP_IN);
		struct program_output sent;

		/* The listener sees tags beside the frame, if at all. */
		if (spec.vlans)
			continue;
		spec.is_v6 = i % 2;
		assert_row(place, run_xdp(rig, &spec, false, &sent) == XDP_TX);
		receive(rig, &spec, 0);
		assert_row(place, comes(fd, sent.bytes, sent.len));
	}
}

/* As of a program at the other end that redirects; such metadata is no tag without the secret. */
static void foreign_metadata_is_no_tag(void **state)
{
	static const struct packet_spec allowed = {}, rejected_too = {.dport = 23};
	const struct frame frame = packet_build(&allowed);
	struct rig *rig = *state;
	uint64_t tag = rig->dp->skel->rodata->bh_answer_tag;
	struct program_output sent;
	_close_ int fd = -1;

	attach_bh0(rig);
	fd = listen_at("bh1");
	receive(rig, &allowed, tag ^ 2);
	assert_false(comes(fd, frame.bytes, frame.len));
	assert_int_equal(run_xdp(rig, &rejected_too, false, &sent), XDP_TX);
	receive(rig, &rejected_too, tag ^ 2);
	assert_true(comes(fd, sent.bytes, sent.len));
	/* With the secret, one's own packet comes back, and goes nowhere else. */
	receive(rig, &allowed, tag);
	assert_true(comes(fd, frame.bytes, frame.len));
}

static int start(void **state)
{
	return enter_namespaces(state) ? -1 : rig_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_sent_is_passed_as_its_answer),
		cmocka_unit_test(only_answers_are_tagged),
		cmocka_unit_test(the_answerer_leaves_all_else_to_the_next_program),
		cmocka_unit_test_teardown(answers_leave_a_veth_whose_other_end_has_no_program,
					  detach_bh0),
		cmocka_unit_test_teardown(foreign_metadata_is_no_tag, detach_bh0),
	};

	return cmocka_run_group_tests(tests, start, rig_teardown);
}
