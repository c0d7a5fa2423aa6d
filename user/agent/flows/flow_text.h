/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A record of the flow ring as lines of a log. */
#ifndef AGENT_FLOWS_FLOW_TEXT_H
#define AGENT_FLOWS_FLOW_TEXT_H

#include <bulkhead/event.h>
#include <bulkhead/flow.h>

#include "agent/agent.h"
#include "agent/events/event_json.h"
#include "agent/flows/denied_flows.h"

/* The flow as an event, by which it gets its names: who opened it is the source. */
struct bh_event flow_event(const struct bh_flow *flow);

/*
 * vpc: for each direction that carried something a line of an AWS VPC flow log, version 2, in its
 * default order: version, account, interface, source, destination, their ports, protocol, packets,
 * bytes, start, end, action, status.  Bytes are those of frames, Ethernet header included, as
 * tcpdump counts them; those of IP are 14 a packet less.  Start is when the record before was made,
 * or the connection, end its last packet.
 *
 * json: an object with the keys time, why (enum bh_flow_why), id (the same in all records of a
 * connection), start, last, created, direction, verdict, rule, rule_at, src {…}, dst {…}, proto,
 * state, tcp_flags [2] (seen since it was created), packets [2], bytes [2], interface, endpoint,
 * generation, policy_hash; of two, the first is the opener's.
 */
void flow_add(enum flow_format format, const struct bh_flow *flow, const struct event_names *names,
	      struct text *out);

/*
 * vpc: one line, whose action is REJECT; start and end are its first and last packet.  json: the
 * same keys as far as they apply, `why` is "denied", and there is a `reason`.
 */
void flow_add_denied(enum flow_format format, const struct denied_flow *denied,
		     const struct event_names *names, struct text *out);

/* Between two times on the wall so many records were lost: in vpc a line of status SKIPDATA. */
void flow_add_lost(enum flow_format format, uint64_t from_ns, uint64_t to_ns, uint64_t lost,
		   struct text *out);

/* The same of denied packets that are in no line. */
void flow_add_skipped(enum flow_format format, uint64_t from_ns, uint64_t to_ns, uint64_t packets,
		      struct text *out);

#endif
