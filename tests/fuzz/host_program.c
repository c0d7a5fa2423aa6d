/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only place that has the programs' own types: they are compiled in here, unchanged. */
#include "bpf/bulkhead.bpf.c"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#undef NS_PER_S
#include "tests/fuzz/host_packet.h"

/* Constants are in pages that nobody may write to, as for programs in the kernel.  Not inline:
 * there the compiler would know where it writes, and leave it. */
static __attribute__((noinline)) void set_constant(const volatile void *constant, const void *value,
						   size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)constant & -page;

	if (mprotect((void *)start, page, PROT_READ | PROT_WRITE))
		abort();
	memcpy((void *)(uintptr_t)constant, value, len);
}

#define SET(constant, value) set_constant(&(constant), &(value), sizeof(constant))

void host_configure(const struct host_config *config)
{
	const __u32 mask = BH_CONN_GROUP_LINES - 1; /* few, since all are looked at often */

	SET(bh_conn_mask, mask);
	SET(bh_event_rate, config->event_rate);
	SET(bh_vlan, config->vlan);
	SET(bh_is_quick, config->is_quick);
}

struct host_map host_table(enum host_table table)
{
	const struct host_map maps[HOST_TABLES] = {
		[HOST_CONTROL] = *HOST_MAP(&bh_control),
		[HOST_EPOCHS] = *HOST_MAP(&bh_epochs),
		[HOST_POLICIES] = *HOST_MAP(&bh_policies),
		[HOST_PREFIXES] = *HOST_MAP(&bh_prefixes),
		[HOST_IDENTITIES] = *HOST_MAP(&bh_identities),
		[HOST_SERVICES] = *HOST_MAP(&bh_services),
		[HOST_DIRECTORY] = *HOST_MAP(&bh_directory),
		[HOST_BLOCKS] = *HOST_MAP(&bh_blocks),
		[HOST_KNOWN] = *HOST_MAP(&bh_known),
		[HOST_LATER] = *HOST_MAP(&bh_later),
		[HOST_RULES] = *HOST_MAP(&bh_rule_counts),
		[HOST_EVENT_PLACES] = *HOST_MAP(&bh_event_places),
		[HOST_RULE_EVENTS] = *HOST_MAP(&bh_rule_events),
		[HOST_ENDPOINTS] = *HOST_MAP(&bh_endpoints),
		[HOST_INTERFACES] = *HOST_MAP(&bh_interfaces),
		[HOST_SOURCES] = *HOST_MAP(&bh_sources),
		[HOST_LOCAL] = *HOST_MAP(&bh_local),
		[HOST_SOURCE_LINES] = *HOST_MAP(&bh_source_lines),
		[HOST_LOCAL_HEAD] = *HOST_MAP(&bh_local_head),
		[HOST_LOCAL_LINES] = *HOST_MAP(&bh_local_lines),
		[HOST_CONN_SETUP] = *HOST_MAP(&bh_conn_setup),
	};

	return maps[table];
}

/* FNV-1a, a word at a time. */
static uint64_t digest(uint64_t before, uint64_t word)
{
	return (before ^ word) * 0x100000001b3;
}

static uint64_t digest_rules(void)
{
	uint64_t sum = 0;

	for (__u32 slot = 0; slot < BH_SLOTS; slot++) {
		const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &slot);

		for (__u32 i = 0; i < policy->rules; i++) {
			const __u32 at = policy->rule + i, number = at / BH_RULE_PAGE;
			const struct bh_count_page *page = bpf_map_lookup_elem(&bh_rule_counts,
									       &number);

			sum = digest(sum, page->of[at % BH_RULE_PAGE].packets);
		}
	}
	return sum;
}

/* Not in which generation it was decided: the quick way notes that it holds, the whole one asks. */
static bool holds(const struct conn_line *l)
{
	__u32 generation = BH_ACTIVE_GENERATION(control_here()->active);
	struct bh_conn_key key;

	bh_conn_key_of(l->conn, l->rest, &key);
	return holds_still((const __u64 *)&key, l->conn->generation, generation);
}

/* Not how often the line has had another stamp: who gives way on the quick way is not freed first.
 */
static uint64_t digest_connection(uint64_t sum, const struct conn_line *l)
{
	const struct bh_conn *c = l->conn;

	sum = digest(sum, c->stamp & 1);
	sum = digest(sum, (__u64)c->seen << 32 | holds(l));
	sum = digest(sum, (__u64)c->state << 32 | c->timeout << 16 | c->flags);
	sum = digest(sum, (__u64)c->rule << 16 | c->tcp_flags[0] << 8 | c->tcp_flags[1]);
	for (int i = 0; i < 2; i++) {
		/* Not bytes: one side has a frame's tag among them, the other beside them. */
		sum = digest(sum, BH_COUNTED_PACKETS(c->counted[i]));
		sum = digest(sum, c->ack[i]);
	}
	return sum;
}

static uint64_t digest_bucket(uint64_t sum, __u32 bucket)
{
	const struct bh_conn_tags *tags = tags_at(bucket);

	for (__u32 way = 0; way < BH_CONN_WAYS; way++) {
		const __u32 at = bucket * BH_CONN_WAYS + way;
		struct conn_line line;

		if (!tags->tag[way])
			continue;
		line = line_at(at);
		sum = digest_connection(digest(sum, at), &line);
	}
	return sum;
}

static uint64_t digest_connections(void)
{
	const __u32 buckets = embryonic_bucket(conn_setup()->embryonic_each, HOST_ENDPOINT + 1, 0,
					       0);
	uint64_t sum = 0;

	for (__u32 bucket = 0; bucket < buckets; bucket++)
		sum = digest_bucket(sum, bucket);
	return sum;
}

static void add_account(struct host_totals *totals, __u32 at)
{
	const struct bh_account *account = bpf_map_lookup_elem(&bh_books, &at);
	const struct bh_tally *events = &account->events;
	__u64 produced = events->delivered + events->suppressed + events->lost;
	struct host_books *books = &totals->books[at / BH_REASON_COUNT];

	books->produced += produced;
	books->delivered += events->delivered;
	books->suppressed += events->suppressed;
	books->lost += events->lost;
	if (BH_VERDICT_PASSES(at / BH_REASON_COUNT))
		return;
	totals->drops[at % BH_REASON_COUNT] += produced;
	totals->all_drops += produced;
}

void host_read_totals(struct host_totals *ret)
{
	*ret = (struct host_totals){};
	for (__u32 i = 0; i < BH_ACCOUNTS; i++)
		add_account(ret, i);
	for (__u32 i = 0; i <= HOST_ENDPOINT; i++) {
		const struct bh_endpoint_count *c = bpf_map_lookup_elem(&bh_ep_counts, &i);

		ret->passed += c->passed[BH_INGRESS].packets + c->passed[BH_EGRESS].packets;
		ret->dropped += c->dropped[BH_INGRESS].packets + c->dropped[BH_EGRESS].packets;
	}
	ret->rejects = *rejects_here();
	ret->rules = digest_rules();
	ret->connections = digest_connections();
}

int host_tail_call(void *ctx, const void *programs)
{
	return programs == &bh_rest_xdp ? bh_xdp_rest(ctx) : bh_tc_rest(ctx);
}

static enum host_fate run_xdp(struct host_frame *frame)
{
	struct xdp_md ctx = {.ingress_ifindex = HOST_IFINDEX};
	int action;

	frame->linear = frame->len;
	host_packet_put(frame);
	ctx.data = ctx.data_meta = (__u32)(uintptr_t)host_packet.start;
	ctx.data_end = ctx.data + (__u32)host_packet.len;
	action = bh_xdp_in(&ctx);
	assert(action == XDP_TX || host_packet_is(frame));
	host_packet_get(frame);
	assert(action == XDP_PASS || action == XDP_DROP || action == XDP_TX);
	if (action == XDP_DROP)
		return HOST_DROPPED;
	return action == XDP_PASS ? HOST_PASSED : HOST_ANSWERED;
}

static __be16 ethertype_at(const struct host_frame *frame, size_t at)
{
	__be16 ethertype = 0;

	if (at + sizeof(ethertype) <= frame->len)
		memcpy(&ethertype, frame->bytes + at, sizeof(ethertype));
	return ethertype;
}

/* As a device, or the kernel, takes a tag off before any program sees the packet. */
static void strip_tag(struct host_frame *frame, struct __sk_buff *skb)
{
	const size_t at = 2 * ETH_ALEN, len = sizeof(struct vlan_tag);

	if (!is_vlan(ethertype_at(frame, at)) || frame->len < ETH_HLEN + len)
		return;
	skb->vlan_present = 1;
	skb->vlan_proto = ethertype_at(frame, at);
	skb->vlan_tci = bpf_ntohs(ethertype_at(frame, at + 2));
	memmove(frame->bytes + at, frame->bytes + at + len, frame->len - at - len);
	frame->len -= len;
}

static int run_hook(enum host_hook hook, struct __sk_buff *skb)
{
	switch (hook) {
	case HOST_TC_IN:
		return bh_tc_host_in(skb);
	case HOST_TC_OUT:
		return bh_tc_host_out(skb);
	case HOST_TC_FROM:
		return bh_tc_from(skb);
	case HOST_TC_TO:
		return bh_tc_to(skb);
	case HOST_XDP_IN:
		break;
	}
	abort();
}

static enum host_fate run_tc(enum host_hook hook, struct host_frame *frame)
{
	struct __sk_buff skb = {.ifindex = HOST_IFINDEX};
	int action;

	skb.ingress_ifindex = frame->is_local_origin ? 0 : HOST_IFINDEX + 1;
	if (frame->is_stripped)
		strip_tag(frame, &skb);
	skb.protocol = ethertype_at(frame, 2 * ETH_ALEN);
	if (frame->linear > frame->len)
		frame->linear = frame->len;
	host_packet_put(frame);
	skb.len = (__u32)host_packet.len;
	skb.data = (__u32)(uintptr_t)host_packet.start;
	skb.data_end = skb.data + (__u32)host_packet.linear;
	action = run_hook(hook, &skb);
	assert(action == TC_ACT_REDIRECT || host_packet_is(frame));
	host_packet_get(frame);
	assert(action == TC_ACT_UNSPEC || action == TC_ACT_SHOT || action == TC_ACT_REDIRECT);
	if (action == TC_ACT_SHOT)
		return HOST_DROPPED;
	return action == TC_ACT_UNSPEC ? HOST_PASSED : HOST_ANSWERED;
}

/* Each world has maps of its own, and programs have one address for what is in these two. */
static enum host_fate run_in_world(enum host_hook hook, struct host_frame *frame)
{
	const __u32 zero = 0;
	void *control = bpf_map_lookup_elem(&bh_control, &zero);
	enum host_fate fate;

	memcpy(bh_control_words, control, sizeof(bh_control_words));
	memcpy(bh_epochs_words, bpf_map_lookup_elem(&bh_epochs, &zero), sizeof(bh_epochs_words));
	fate = hook == HOST_XDP_IN ? run_xdp(frame) : run_tc(hook, frame);
	memcpy(control, bh_control_words, sizeof(bh_control_words));
	return fate;
}

/* Before a packet: so much room, and where an event leaves something as it was, that shows. */
static void lane_prepare(struct bh_lane *lane)
{
	struct bh_event *event;

	lane->read = lane->written + host_lane.room - bh_lane_each;
	event = lane_next(lane);
	if (event)
		memset(event, 0xa5, sizeof(*event));
}

/* After it: @at is where the lane ended before. */
static void lane_look(const struct bh_lane *lane, __u64 at)
{
	const __u32 place = at & (bh_lane_each - 1);

	assert(lane->written - at <= 1);
	if (lane->written == at)
		return;
	host_lane.room--;
	host_lane.count++;
	host_lane.last = *(struct bh_event *)bpf_map_lookup_elem(&bh_lane_events, &place);
}

enum host_fate host_run(enum host_hook hook, struct host_frame *frame)
{
	struct bh_lane *lane = lane_here();
	__u64 at = lane->written;
	enum host_fate fate;

	lane_prepare(lane);
	fate = run_in_world(hook, frame);
	lane_look(lane, at);
	return fate;
}
