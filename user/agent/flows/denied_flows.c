/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/denied_flows.h"

#include <arpa/inet.h>

#include <linux/if_ether.h>

#include <bulkhead/verdict.h>

#include "util/address.h"
#include "util/mem.h"

struct key {
	struct bh_addr src, dst;
	uint32_t rule, generation;
	__be16 sport, dport;
	uint16_t endpoint;
	uint8_t proto, direction, verdict, reason;
	uint8_t pad[2];
};

_Static_assert(sizeof(struct key) == 52, "a key has no holes");

/* A packet may be dropped before its addresses are read; then both are zero. */
static bool has_a_line(const struct bh_event *event)
{
	static const struct bh_addr none;
	bool is_ip = event->ethertype == htons(ETH_P_IP) || event->ethertype == htons(ETH_P_IPV6);

	return is_ip && event->reason && !BH_VERDICT_PASSES(event->verdict) &&
	       (addr_cmp(&event->src, &none) || addr_cmp(&event->dst, &none));
}

static struct key key_of(const struct bh_event *event)
{
	return (struct key){
		.src = event->src,
		.dst = event->dst,
		.rule = event->rule,
		.generation = event->generation,
		.sport = event->sport,
		.dport = event->dport,
		.endpoint = event->endpoint,
		.proto = event->proto,
		.direction = event->direction,
		.verdict = event->verdict,
		.reason = event->reason,
	};
}

static struct denied_flow *find(struct denied_flows *d, const struct bh_event *event)
{
	const struct key key = key_of(event);
	uint64_t *place = map_get(&d->places, &key, sizeof(key));

	if (place)
		return &d->list.items[*place];
	if (d->list.count >= DENIED_FLOWS_MAX)
		return NULL;
	map_put(&d->places, &key, sizeof(key), d->list.count, NULL);
	vec_push(&d->list, (struct denied_flow){.first = *event});
	return &d->list.items[d->list.count - 1];
}

void denied_flows_add(struct denied_flows *d, const struct bh_event *event)
{
	struct denied_flow *flow = has_a_line(event) ? find(d, event) : NULL;

	if (!flow)
		return;
	flow->last_ns = event->time_ns;
	flow->packets++;
	flow->bytes += event->length;
	flow->tcp_flags |= event->tcp_flags;
	d->packets++;
}

void denied_flows_release(struct denied_flows *d)
{
	map_release(&d->places);
	vec_release(&d->list);
	d->packets = 0;
}
