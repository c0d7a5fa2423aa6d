/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/trial.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define WORKLOAD 7 /* the endpoint's id */

struct trial {
	struct datapath *dp;
	uint32_t rules;         /* of the policy, built-in ones included */
	struct bh_count *known; /* of each rule, as far as packets are accounted for */
	struct bh_count *now;   /* scratch */
	struct bh_addr local;   /* the one address of this machine; zero: none */
	size_t events;          /* of the packet that ran last */
	struct bh_event event;
};

static void on_event(const struct bh_event *event, const struct bh_event_packet *packet, void *user)
{
	struct trial *t = user;

	(void)packet;
	t->event = *event;
	t->events++;
}

/* A workload that may send from everywhere. */
static int register_workload(struct datapath *dp)
{
	const struct bh_endpoint workload = {.id = WORKLOAD, .kind = BH_ENDPOINT_WORKLOAD};
	const struct bh_source_key all = {
		.prefix_len = BH_SOURCE_ENDPOINT_BITS,
		.endpoint = WORKLOAD,
	};
	const __u32 ifindex = PROGRAM_IFINDEX, nothing = 0;
	int err = bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &workload,
				      BPF_ANY);

	if (err)
		return err;
	err = bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_sources), &all, &nothing, BPF_ANY);
	return err ? err : connections_share(dp);
}

static int prepare(struct trial *t, const struct image *image, struct text *reterr)
{
	struct datapath_swap swap;
	int err = datapath_swap_policy(t->dp, image, reterr, &swap);

	if (err)
		return err;
	t->rules = image->rules;
	t->known = xcalloc(t->rules, sizeof(*t->known));
	t->now = xcalloc(t->rules, sizeof(*t->now));
	err = register_workload(t->dp);
	if (!err)
		err = datapath_events_open(t->dp, on_event, t);
	return err ? explain_error(reterr, err, "cannot prepare an endpoint") : 0;
}

int trial_explain(int err, struct text *why, struct text *reterr)
{
	if (!why->len)
		text_addf(why, "cannot run the programs: %s", strerror(-err));
	if (err != -EPERM) {
		text_add(reterr, why->buf);
		return err;
	}
	text_add(reterr, "root is due, or CAP_BPF and CAP_NET_ADMIN: ");
	text_addn(reterr, why->buf, strcspn(why->buf, "\n"));
	return err;
}

int trial_new(const struct image *image, struct text *reterr, struct trial **ret)
{
	const struct datapath_config config = {.conn_lines = BH_CONN_GROUP_LINES, .image = image};
	_trial_ struct trial *t = xcalloc(1, sizeof(*t));
	int err = datapath_open(&config, reterr, &t->dp);

	if (!err)
		err = prepare(t, image, reterr);
	if (err)
		return err;
	*ret = TAKE_PTR(t);
	return 0;
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	datapath_free(t->dp);
	free(t->known);
	free(t->now);
	free(t);
}

void trial_freep(struct trial **t)
{
	trial_free(*t);
}

/* A NIC judges what is to or from this machine; a workload is no part of it. */
static int take_place(struct trial *t, enum program program, const struct packet_spec *packet)
{
	struct bh_addr local = {};
	struct local_prefix prefix;
	int err;

	if (program_is_host(program))
		local = program_is_ingress(program) ? packet_dst(packet) : packet_src(packet);
	if (!memcmp(&t->local, &local, sizeof(local)))
		return 0;
	prefix = (struct local_prefix){.prefix = prefix_of_addr(&local)};
	err = datapath_set_local(t->dp, &prefix, program_is_host(program));
	if (!err)
		t->local = local;
	return err;
}

/* The count of one rule, as datapath_read_rules() has it. */
static int read_rule(struct trial *t, uint32_t rule, struct bh_count *ret)
{
	uint32_t at = tables_header(&t->dp->tables, datapath_slot(t->dp))->rule + rule;
	uint32_t number = at / BH_RULE_PAGE;
	_free_ struct bh_count_page *pages = xcalloc((size_t)t->dp->cpus, sizeof(*pages));
	int err;

	err = bpf_map_lookup_elem(bpf_map__fd(t->dp->skel->maps.bh_rule_counts), &number, pages);
	*ret = (struct bh_count){};
	for (int i = 0; !err && i < t->dp->cpus; i++)
		ret->packets += pages[i].of[at % BH_RULE_PAGE].packets;
	return err;
}

static int search_rule(struct trial *t, uint32_t *ret)
{
	int err = datapath_read_rules(t->dp, datapath_slot(t->dp), 0, t->rules, t->now);

	if (err)
		return err;
	*ret = BH_RULE_NONE;
	for (uint32_t i = 0; i < t->rules; i++) {
		if (t->now[i].packets != t->known[i].packets)
			*ret = i;
	}
	return 0;
}

/* The rule whose count rose; all are read only if it isn't the one that is expected. */
static int find_rule(struct trial *t, uint32_t expected, uint32_t *ret)
{
	struct bh_count count = {};
	uint32_t rule = expected;
	int err = 0;

	if (t->events)
		rule = t->event.rule;
	else if (expected < t->rules)
		err = read_rule(t, expected, &count);
	if (err)
		return err;
	if (!t->events && (expected >= t->rules || count.packets == t->known[expected].packets))
		err = search_rule(t, &rule);
	if (err)
		return err;
	if (rule < t->rules)
		t->known[rule].packets++;
	*ret = rule;
	return 0;
}

/* Runs one packet, and reads what was told of it. */
static int send_bytes(struct trial *t, enum program program, const void *bytes, size_t len,
		      struct trial_outcome *ret)
{
	const struct program_input in = {.bytes = bytes, .len = len, .times = 1};
	int err, returned;

	t->events = 0;
	err = program_run(t->dp, program, &in, &returned);
	if (err)
		return err;
	err = datapath_events_consume(t->dp);
	if (err < 0)
		return err;
	*ret = (struct trial_outcome){
		.is_passed = program_passes(program, returned),
		.is_reported = t->events > 0,
		.rule = t->events ? t->event.rule : BH_RULE_NONE,
	};
	if (!ret->is_passed && t->events)
		ret->reason = t->event.reason;
	return 0;
}

int trial_run(struct trial *t, enum program program, const struct packet_spec *packet,
	      uint32_t rule, struct trial_outcome *ret)
{
	const struct frame frame = packet_build(packet);
	struct trial_outcome outcome;
	int err = take_place(t, program, packet);

	if (!err)
		err = send_bytes(t, program, frame.bytes, frame.len, &outcome);
	if (!err)
		err = find_rule(t, rule, &outcome.rule);
	if (err)
		return err;
	*ret = outcome;
	/* Otherwise a packet of the other direction would be its answer. */
	return outcome.is_passed ? connections_forget(t->dp) : 0;
}

/* --- packets of any kind --- */

static int set_local(struct trial *t, const struct bh_addr addrs[2])
{
	const struct local_prefix local[] = {
		{.prefix = prefix_of_addr(&addrs[0])},
		{.prefix = prefix_of_addr(&addrs[1])},
	};

	return datapath_set_local(t->dp, local, 2);
}

int trial_stand(struct trial *t, enum program program, const struct trial_place *place)
{
	const struct prefix sources[] = {
		prefix_of_addr(&place->own[0]),
		prefix_of_addr(&place->own[1]),
	};
	const struct workload_endpoint workload = {
		.ifindex = PROGRAM_IFINDEX,
		.id = WORKLOAD,
		.sources = sources,
		.source_count = 2,
		.link_local = &place->link_local,
	};
	int err;

	if (program_is_host(program))
		return set_local(t, place->own);
	err = set_local(t, place->host);
	return err ? err : endpoint_enter_workload(t->dp, &workload);
}

bool trial_can_send(enum program program, const struct frame *frame)
{
	uint16_t ethertype;

	if (frame->len < ETH_HLEN)
		return false;
	memcpy(&ethertype, frame->bytes + 2 * ETH_ALEN, sizeof(ethertype));
	if (program == PROGRAM_XDP_IN)
		return true;
	if (ethertype == htons(ETH_P_IP))
		return frame->len >= ETH_HLEN + sizeof(struct iphdr);
	return ethertype != htons(ETH_P_IPV6) || frame->len >= ETH_HLEN + sizeof(struct ip6_hdr);
}

int trial_send(struct trial *t, enum program program, const struct frame *frame,
	       struct trial_outcome *ret)
{
	return send_bytes(t, program, frame->bytes, frame->len, ret);
}

int trial_forget(struct trial *t)
{
	const struct bpf_map *fragments = t->dp->skel->maps.bh_fragments;
	int err = connections_forget(t->dp);

	return err ? err
		   : entries_zero(bpf_map__fd(fragments), bpf_map__max_entries(fragments),
				  bpf_map__value_size(fragments));
}

int trial_read_books(struct trial *t, struct trial_books *ret)
{
	int err = datapath_read_books(t->dp, ret->of);

	return err ? err : datapath_read_drops(t->dp, ret->drops);
}

void trial_features(const struct trial *t, struct features *ret)
{
	features_of(t->dp, ret);
}
