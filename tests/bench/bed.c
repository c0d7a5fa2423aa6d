/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/bed.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "datapath/internal.h"
#include "datapath/loader.h"
#include "util/cleanup.h"
#include "util/text.h"

#define ENDPOINT  1
#define INTERFACE "bench0"

#define UNANSWERED 4096 /* flows at once: none is displaced before its handshake is complete */

#define OTHERS 1000 /* addresses that change */

int bed_compile(const struct policy *policy, const struct compiled *old, struct compiled **ret)
{
	const struct bh_addr host[] = {shape_server(false), shape_server(true)};
	const struct environment env = {.host = host, .host_count = COUNT(host)};
	_diags_ struct diags d = {};
	int err = policy_recompile(old, policy, &env, &d, ret);

	if (err)
		diags_print(&d, stderr);
	return err;
}

static int compile(struct bed *bed)
{
	_text_ struct text text = TEXT_INIT;

	shape_text(&bed->shape, false, &text);
	bed->policy = shape_read(&text);
	return bed_compile(bed->policy, NULL, &bed->compiled);
}

void bed_take(struct bed *bed, struct policy *policy, struct compiled *compiled)
{
	compiled_free(bed->compiled);
	policy_free(bed->policy);
	bed->policy = policy;
	bed->compiled = compiled;
}

/* The interfaces stay down: nothing but our packets shall be seen. */
static int make_interface(uint32_t *ret)
{
	if (!if_nametoindex(INTERFACE) &&
	    system("ip link add " INTERFACE " type veth peer name bench1"))
		return -EIO;
	*ret = if_nametoindex(INTERFACE);
	return *ret ? 0 : -ENODEV;
}

static int take_place(struct bed *bed, struct text *why)
{
	const struct bh_addr server[] = {shape_server(false), shape_server(true)};
	const struct prefix sources[] = {prefix_of_addr(&server[0]), prefix_of_addr(&server[1])};
	const struct local_prefix local[] = {{sources[0], 0}, {sources[1], 0}};
	const struct workload_endpoint endpoint = {
		.ifindex = bed->ifindex,
		.id = ENDPOINT,
		.sources = sources,
		.source_count = COUNT(sources),
	};
	struct attachment attachment;
	int err = datapath_set_local(bed->dp, local, COUNT(local));

	return err ? err : datapath_attach_workload(bed->dp, &endpoint, why, &attachment);
}

/* Of so many flows, those of two hooks find room in their endpoints' shares. */
static uint32_t conn_lines(const struct shape *shape)
{
	uint32_t lines = BH_CONN_LINES;

	while (lines / 4 < shape->flows)
		lines *= 2;
	return lines;
}

static int bring_up(struct bed *bed, struct text *why)
{
	struct datapath_config config = {
		.event_rate = bed->event_rate,
		.is_silent = bed->is_silent,
		.conn_lines = conn_lines(&bed->shape),
	};
	struct datapath_swap swap;
	int err = compile(bed);

	if (!err)
		err = make_interface(&bed->ifindex);
	if (!err)
		config.image = &bed->compiled->image;
	if (!err)
		err = datapath_open(&config, why, &bed->dp);
	if (!err)
		err = take_place(bed, why);
	if (!err)
		err = datapath_swap_policy(bed->dp, &bed->compiled->image, why, &swap);
	return err;
}

int bed_open(struct wrapper *w, const struct shape *shape, uint32_t event_rate, struct bed *ret)
{
	return bed_open_telling(w, shape, &(struct bed_events){.rate = event_rate}, ret);
}

int bed_open_telling(struct wrapper *w, const struct shape *shape, const struct bed_events *events,
		     struct bed *ret)
{
	_text_ struct text why = TEXT_INIT;
	struct bed bed = {.shape = *shape, .wrapper = w};
	int err;

	bed.event_rate = events->rate;
	bed.is_silent = events->is_silent;
	err = bring_up(&bed, &why);

	if (err) {
		if (why.len)
			fprintf(stderr, "bench: %s (%s)\n", why.buf, strerror(-err));
		bed_release(&bed);
		return err;
	}
	*ret = bed;
	return 0;
}

void bed_release(struct bed *bed)
{
	datapath_free(bed->dp);
	compiled_free(bed->compiled);
	policy_free(bed->policy);
}

int bed_program(const struct bed *bed, enum bench_hook hook, bool is_reply)
{
	enum program program = is_reply ? PROGRAM_FROM : PROGRAM_TO;

	if (hook == BENCH_XDP)
		program = is_reply ? PROGRAM_HOST_OUT : PROGRAM_XDP_IN;
	return loader_program(bed->dp, program);
}

struct burst bed_burst(const struct bed *bed, enum shape_packet packet, bool is_v6, uint32_t flows,
		       struct shape_frame *frame)
{
	*frame = shape_frame(packet, is_v6);
	return (struct burst){
		.plan = shape_plan(&bed->shape, packet, is_v6, flows),
		.frame = frame->bytes,
		.len = frame->len,
		.ifindex = bed->ifindex,
	};
}

/* Of one direction: the frame must stay where it is. */
struct way {
	struct target target;
	struct shape_frame frame;
	struct burst burst;
};

int bed_shake_hands(struct bed *bed, const struct handshake *handshake)
{
	static const enum shape_packet packets[] = {SHAPE_SYN, SHAPE_SYN_ACK, SHAPE_ACK};
	struct way ways[COUNT(packets)];
	double ns;
	int action, err = 0;

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct way *way = &ways[i];

		way->target = packets[i] == SHAPE_SYN_ACK ? handshake->reply : handshake->opener;
		way->burst = bed_burst(bed, packets[i], handshake->is_v6, 0, &way->frame);
	}
	for (uint32_t done = 0; !err && done < handshake->flows; done += UNANSWERED) {
		uint32_t left = handshake->flows - done;

		for (size_t i = 0; !err && i < COUNT(packets); i++) {
			struct way *way = &ways[i];

			way->burst.packets = left < UNANSWERED ? left : UNANSWERED;
			if (way->target.fd >= 0)
				err = wrapper_run(bed->wrapper, &way->target, &way->burst, &ns,
						  &action);
		}
	}
	return err;
}

int bed_establish(struct bed *bed, enum bench_hook hook, bool is_v6, uint32_t flows)
{
	const struct handshake handshake = {
		.opener = {hook, bed_program(bed, hook, false)},
		.reply = {BENCH_TC, bed_program(bed, hook, true)},
		.is_v6 = is_v6,
		.flows = flows,
	};
	uint64_t drops = bed_drops(bed);
	int err = bed_shake_hands(bed, &handshake);

	return !err && bed_drops(bed) != drops ? -ENOSPC : err;
}

int bed_swap(struct bed *bed, struct datapath_swap *ret)
{
	_text_ struct text why = TEXT_INIT;
	int err = datapath_swap_policy(bed->dp, &bed->compiled->image, &why, ret);

	if (err)
		fprintf(stderr, "bench: %s\n", why.buf);
	return err;
}

int bed_change_address(struct bed *bed, uint32_t number)
{
	const struct bh_addr a = shape_other(number / 2 % OTHERS);

	/* Identity 1 is some client's, or the server's: no packet is of this address. */
	return datapath_set_identity(bed->dp, &a, 1, number % 2 == 0);
}

uint64_t bed_drops(const struct bed *bed)
{
	struct bh_count counts[BH_REASON_COUNT];
	uint64_t sum = 0;

	if (datapath_read_drops(bed->dp, counts))
		return UINT64_MAX;
	for (size_t i = 0; i < BH_REASON_COUNT; i++)
		sum += counts[i].packets;
	return sum;
}

/* --- events --- */

static void ignore(const struct bh_event *event, const struct bh_event_packet *packet, void *user)
{
	(void)event;
	(void)packet;
	(*(uint64_t *)user)++;
}

int bed_listen(struct bed *bed, uint64_t *count)
{
	return datapath_events_open(bed->dp, ignore, count);
}

void bed_drain(struct bed *bed)
{
	while (datapath_events_consume(bed->dp) > 0)
		;
}

uint64_t bed_delivered(const struct bed *bed, uint64_t *ret_lost)
{
	struct books books[BH_VERDICT_COUNT];
	uint64_t delivered = 0;

	*ret_lost = 0;
	if (datapath_read_books(bed->dp, books))
		return UINT64_MAX;
	for (size_t i = 0; i < BH_VERDICT_COUNT; i++) {
		delivered += books[i].delivered;
		*ret_lost += books[i].lost;
	}
	return delivered;
}
