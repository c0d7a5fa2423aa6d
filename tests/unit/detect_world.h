/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For tests of detection: a small network, what its machines send, and the alerts that come of it.
 */
#ifndef TESTS_UNIT_DETECT_WORLD_H
#define TESTS_UNIT_DETECT_WORLD_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/if_ether.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "agent/config_detect.h"
#include "agent/detect/detect.h"
#include "tests/test.h"
#include "util/address.h"

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define SYN    0x02
#define ACK    0x10

/* Who has an address, the longest prefix first. */
static const struct {
	const char *prefix, *workload, *zone;
	enum zone_role role;
} owners[] = {
	{"10.0.0.10", "edge-lb", "dmz", ROLE_FRONT},
	{"10.0.16.10", "api", "internal", ROLE_INTERNAL},
	{"10.0.32.10", "postgres", "data", ROLE_DATA},
	{"10.0.32.11", "replica", "data", ROLE_DATA},
	{"10.0.48.5", "bastion", "management", ROLE_MANAGEMENT},
	{"10.0.0.0/20", NULL, "dmz", ROLE_FRONT},
	{"10.0.16.0/20", NULL, "internal", ROLE_INTERNAL},
	{"10.0.32.0/20", NULL, "data", ROLE_DATA},
	{"10.0.48.0/20", NULL, "management", ROLE_MANAGEMENT},
	{"fd00:0:0:20::/64", NULL, "internal", ROLE_INTERNAL},
	{"0.0.0.0/0", NULL, "outside", ROLE_UNSET},
	{"::/0", NULL, "outside", ROLE_UNSET},
};

struct world {
	struct detect *detect;
	struct detect_config config;
	uint64_t now_ns;
	uint16_t sport;
	bool is_remote; /* what is sent comes by the NIC, not from an interface of ours */
	uint32_t ifindex;
	enum bh_verdict verdict;
	struct text seen; /* "BD001 BD002" */
	struct text json; /* of the last alert */
	struct text line; /* its sentence */
	uint64_t count;
};

static void on_alert(const struct alert *alert, void *user)
{
	struct world *w = user;

	text_addf(&w->seen, "%s%s", w->seen.len ? " " : "", detection_code(alert->id));
	text_reset(&w->json);
	text_reset(&w->line);
	alert_json(alert, &w->json);
	alert_text(alert, &w->line);
	w->count = alert->count;
}

static void world_begin(struct world *w)
{
	*w = (struct world){
		.now_ns = 1000 * SECOND,
		.sport = 40000,
		.ifindex = 3,
		.seen = TEXT_INIT,
		.json = TEXT_INIT,
		.line = TEXT_INIT,
	};
	config_detect_init(&w->config);
	w->detect = detect_new(&w->config, on_alert, w);
}

static void world_end(struct world *w)
{
	detect_free(w->detect);
	text_release(&w->seen);
	text_release(&w->json);
	text_release(&w->line);
}

#define _world_ _cleanup_(world_end)

/* What was seen since it was asked last. */
static inline void assert_seen(struct world *w, const char *what, const char *wanted)
{
	assert_row_string(what, w->seen.buf, wanted);
	text_reset(&w->seen);
}

static struct event_end owner_of(const struct bh_addr *addr)
{
	struct event_end end = {.labels_json = "{}"};

	for (size_t i = 0; i < COUNT(owners); i++) {
		struct prefix prefix;

		assert_null(prefix_parse(owners[i].prefix, &prefix, NULL));
		if (!prefix_has(&prefix, addr))
			continue;
		end.workload = owners[i].workload;
		end.zone = owners[i].zone;
		end.role = owners[i].role;
		break;
	}
	return end;
}

/* One that is denied by the policy. */
static struct bh_event event_of(const struct world *w, const char *src, const char *dst,
				uint16_t port)
{
	struct bh_event event = {
		.time_ns = w->now_ns,
		.sport = htons(w->sport),
		.dport = htons(port),
		.proto = IPPROTO_TCP,
		.tcp_flags = SYN,
		.ethertype = htons(ETH_P_IP),
		.ifindex = w->ifindex,
		.endpoint = w->is_remote ? 0 : 1,
		.verdict = w->verdict,
		.reason = BH_REASON_POLICY,
		.direction = w->is_remote ? BH_INGRESS : BH_EGRESS,
	};

	assert_null(addr_parse(src, &event.src));
	assert_null(addr_parse(dst, &event.dst));
	if (!addr_is_v4(&event.src))
		event.ethertype = htons(ETH_P_IPV6);
	return event;
}

static void send_event(struct world *w, const struct bh_event *event)
{
	const struct event_names names = {
		.src = owner_of(&event->src),
		.dst = owner_of(&event->dst),
		.interface = w->is_remote ? "eth0" : "veth3",
		.endpoint = w->is_remote ? "host" : "api",
		.wall_ns = event->time_ns,
	};

	detect_event(w->detect, event, &names);
}

/* A denied SYN, from another port than the one before. */
static inline void knock(struct world *w, const char *src, const char *dst, uint16_t port)
{
	struct bh_event event = event_of(w, src, dst, port);

	send_event(w, &event);
	w->sport = w->sport == UINT16_MAX ? 40000 : w->sport + 1;
}

/* The i-th host of a network. */
static inline const char *host(uint32_t net, uint32_t i)
{
	static char buf[2][ADDRESS_STRLEN];
	static unsigned int turn;
	char *s = buf[turn++ % 2];

	net += i;
	snprintf(s, ADDRESS_STRLEN, "%u.%u.%u.%u", net >> 24, net >> 16 & 255, net >> 8 & 255,
		 net & 255);
	return s;
}

#define INTERNAL_NET 0x0a001100 /* 10.0.17.0 */
#define DATA_NET     0x0a002100 /* 10.0.33.0 */
#define DMZ_NET      0x0a000100
#define STRANGERS    0x2d000000 /* 45.0.0.0 */

#endif
