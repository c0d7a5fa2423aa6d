/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event as the JSON object of cli.md, on one line. */
#ifndef AGENT_EVENTS_EVENT_JSON_H
#define AGENT_EVENTS_EVENT_JSON_H

#include <bulkhead/event.h>

#include "policy/model.h"
#include "util/json.h"

/* What the agent knows of an end. */
struct event_end {
	const char *workload; /* NULL: none */
	const char *zone;
	const char *labels_json; /* "{}" if none */
	enum zone_role role;     /* of the zone; ROLE_UNSET: it is in none of the policy */
};

/* What the agent adds to an event.  Strings are borrowed. */
struct event_names {
	struct event_end src, dst;
	const char *rule;      /* "default", a built-in, or the policy's name for it */
	const char *rule_at;   /* "FILE:LINE", NULL for the default and built-ins */
	const char *interface; /* "eth0" */
	const char *endpoint;  /* workload, "host", or NULL */
	const char *policy_hash;
	const char *near; /* "api-to-db(port 5433, allows 5432)", or NULL */
	uint64_t wall_ns;
	uint64_t count; /* events that the record stands for; their time is the last one's */
};

/*
 * Keys, in this order: time, verdict, direction, reason, rule, rule_at, src {ip, port, workload,
 * zone, labels}, dst {…}, proto ("tcp", "udp", "icmp", "icmp6", "sctp", else its number; "arp" and
 * the like where there is no IP), tcp_flags ("SYN,ACK"), icmp_type, icmp_code, length, interface,
 * endpoint, generation, policy_hash, near, count.  What does not apply is left out.
 */
void event_json(const struct bh_event *event, const struct event_names *names, struct text *out);

/* One end, as in `src`; NULL: without its address, or its port (host order). */
void event_json_end(struct json *j, const char *key, const struct event_end *end,
		    const struct bh_addr *addr, const uint16_t *port);

/* Of that, src and dst. */
void event_json_ends(struct json *j, const struct bh_event *event, const struct event_names *names);

/* What it is followed by for those who want packets: "packet", base64 of its first bytes. */
void event_json_packet(const struct bh_event_packet *packet, struct text *out);

#endif
