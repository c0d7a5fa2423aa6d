/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/flow_text.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include <linux/if_ether.h>

#include "agent/control/words.h"
#include "policy/model.h"
#include "util/address.h"
#include "util/clock.h"
#include "util/json.h"

#define NS_PER_S UINT64_C(1000000000)

static const char *const why_words[] = {
#define X(id, word, help) [BH_FLOW_##id] = (word),
	BH_FLOW_WHYS(X)
#undef X
};

/* When these ticks were, on the wall; none of them is later than the record. */
static uint64_t wall_of(const struct bh_flow *flow, uint32_t ticks)
{
	int32_t ago = (int32_t)(BH_TICKS(flow->time_ns) - ticks);
	uint64_t wall_ns = clock_wall_of(flow->time_ns);

	return ago > 0 ? wall_ns - ((uint64_t)ago << BH_TICK_SHIFT) : wall_ns;
}

struct bh_event flow_event(const struct bh_flow *flow)
{
	unsigned int src = flow->opener & 1, dst = !src;

	return (struct bh_event){
		.time_ns = flow->time_ns,
		.src = flow->key.addr[src],
		.dst = flow->key.addr[dst],
		.sport = flow->key.port[src],
		.dport = flow->key.port[dst],
		.proto = flow->key.proto,
		.rule = flow->rule,
		.generation = flow->generation,
		.ethertype = htons(ETH_P_IP),
		.endpoint = flow->key.endpoint,
		.verdict = flow->verdict,
		.direction = flow->direction,
	};
}

/* --- vpc --- */

/* Fields are words: an interface may be called anything. */
static void add_word(struct text *out, const char *word)
{
	text_addc(out, ' ');
	if (!word || !*word)
		text_addc(out, '-');
	for (; word && *word; word++)
		text_addc(out, *word > ' ' && *word < 0x7f ? *word : '_');
}

struct vpc_line {
	const char *interface;
	const struct bh_addr *src, *dst;
	__be16 sport, dport;
	uint8_t proto;
	uint64_t packets, bytes;
	uint64_t start_ns, end_ns; /* on the wall */
	const char *action;
};

static void add_line(const struct vpc_line *line, struct text *out)
{
	bool has_ports = protocol_has_ports(line->proto);
	char from[ADDRESS_STRLEN], to[ADDRESS_STRLEN];
	uint64_t end_ns = line->end_ns > line->start_ns ? line->end_ns : line->start_ns;

	text_add(out, "2 -");
	add_word(out, line->interface);
	text_addf(out, " %s %s %u %u %u", addr_format(line->src, from), addr_format(line->dst, to),
		  has_ports ? ntohs(line->sport) : 0u, has_ports ? ntohs(line->dport) : 0u,
		  line->proto);
	text_addf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s OK\n", line->packets,
		  line->bytes, line->start_ns / NS_PER_S, end_ns / NS_PER_S, line->action);
}

static void add_direction(const struct bh_flow *flow, const char *interface, unsigned int half,
			  struct text *out)
{
	unsigned int src = (flow->opener & 1) ^ half, dst = !src;

	add_line(
		&(struct vpc_line){
			.interface = interface,
			.src = &flow->key.addr[src],
			.dst = &flow->key.addr[dst],
			.sport = flow->key.port[src],
			.dport = flow->key.port[dst],
			.proto = flow->key.proto,
			.packets = flow->packets[half],
			.bytes = flow->bytes[half],
			.start_ns = wall_of(flow, flow->since),
			.end_ns = wall_of(flow, flow->seen),
			.action = "ACCEPT",
		},
		out);
}

static void add_denied_vpc(const struct denied_flow *denied, const char *interface,
			   struct text *out)
{
	const struct bh_event *event = &denied->first;

	add_line(
		&(struct vpc_line){
			.interface = interface,
			.src = &event->src,
			.dst = &event->dst,
			.sport = event->sport,
			.dport = event->dport,
			.proto = event->proto,
			.packets = denied->packets,
			.bytes = denied->bytes,
			.start_ns = clock_wall_of(event->time_ns),
			.end_ns = clock_wall_of(denied->last_ns),
			.action = "REJECT",
		},
		out);
}

static void add_vpc(const struct bh_flow *flow, const struct event_names *names, struct text *out)
{
	for (unsigned int half = 0; half < 2; half++) {
		if (flow->packets[half] || flow->bytes[half])
			add_direction(flow, names->interface, half, out);
	}
}

/* --- json --- */

static void add_time(struct json *j, const char *key, uint64_t wall_ns)
{
	char time[CLOCK_STRLEN];

	json_string(j, key, clock_format(wall_ns, time));
}

static void add_pair(struct json *j, const char *key, uint64_t opener, uint64_t answerer)
{
	json_array(j, key);
	json_number(j, NULL, opener);
	json_number(j, NULL, answerer);
	json_end(j, ']');
}

static void add_tcp_flags(struct json *j, const uint8_t of[2])
{
	json_array(j, "tcp_flags");
	for (int half = 0; half < 2; half++) {
		_text_ struct text flags = TEXT_INIT;

		tcp_flags_add(of[half], &flags);
		json_string(j, NULL, flags.buf);
	}
	json_end(j, ']');
}

static void add_rule(struct json *j, const struct event_names *names)
{
	json_string(j, "rule", names->rule);
	if (names->rule_at)
		json_string(j, "rule_at", names->rule_at);
}

static void add_place(struct json *j, const struct event_names *names, uint32_t generation)
{
	json_string(j, "interface", names->interface);
	json_string(j, "endpoint", names->endpoint);
	json_number(j, "generation", generation);
	json_string(j, "policy_hash", names->policy_hash);
}

static void add_json(const struct bh_flow *flow, const struct event_names *names, struct text *out)
{
	const struct bh_event event = flow_event(flow);
	_text_ struct text id = TEXT_INIT;
	struct json j = {.out = out};
	char word[WORD_STRLEN];

	text_addf(&id, "%x-%x", flow->line, flow->stamp);
	json_object(&j, NULL);
	add_time(&j, "time", clock_wall_of(flow->time_ns));
	json_string(&j, "why", flow->why < COUNT(why_words) ? why_words[flow->why] : "unknown");
	json_string(&j, "id", id.buf);
	add_time(&j, "start", wall_of(flow, flow->since));
	add_time(&j, "last", wall_of(flow, flow->seen));
	add_time(&j, "created", wall_of(flow, flow->created));
	json_string(&j, "direction", direction_word(flow->direction));
	json_string(&j, "verdict", verdict_word(flow->verdict));
	add_rule(&j, names);
	event_json_ends(&j, &event, names);
	json_string(&j, "proto", protocol_word(flow->key.proto, word));
	json_string(&j, "state", conn_state_word(flow->state));
	if (flow->key.proto == IPPROTO_TCP)
		add_tcp_flags(&j, flow->tcp_flags);
	add_pair(&j, "packets", flow->packets[0], flow->packets[1]);
	add_pair(&j, "bytes", flow->bytes[0], flow->bytes[1]);
	add_place(&j, names, flow->generation);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void flow_add(enum flow_format format, const struct bh_flow *flow, const struct event_names *names,
	      struct text *out)
{
	switch (format) {
	case FLOW_VPC:
		add_vpc(flow, names, out);
		break;
	case FLOW_JSON:
		add_json(flow, names, out);
		break;
	}
}

static void add_denied_json(const struct denied_flow *denied, const struct event_names *names,
			    struct text *out)
{
	const struct bh_event *event = &denied->first;
	const uint8_t tcp_flags[2] = {denied->tcp_flags};
	struct json j = {.out = out};
	char word[WORD_STRLEN];

	json_object(&j, NULL);
	add_time(&j, "time", clock_wall_of(denied->last_ns));
	json_string(&j, "why", "denied");
	add_time(&j, "start", clock_wall_of(event->time_ns));
	add_time(&j, "last", clock_wall_of(denied->last_ns));
	json_string(&j, "direction", direction_word(event->direction));
	json_string(&j, "verdict", verdict_word(event->verdict));
	json_string(&j, "reason", reason_word(event->reason));
	add_rule(&j, names);
	event_json_ends(&j, event, names);
	json_string(&j, "proto", protocol_word(event->proto, word));
	if (event->proto == IPPROTO_TCP)
		add_tcp_flags(&j, tcp_flags);
	add_pair(&j, "packets", denied->packets, 0);
	add_pair(&j, "bytes", denied->bytes, 0);
	add_place(&j, names, event->generation);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void flow_add_denied(enum flow_format format, const struct denied_flow *denied,
		     const struct event_names *names, struct text *out)
{
	switch (format) {
	case FLOW_VPC:
		add_denied_vpc(denied, names->interface, out);
		break;
	case FLOW_JSON:
		add_denied_json(denied, names, out);
		break;
	}
}

struct gap {
	uint64_t from_ns, to_ns; /* on the wall */
	const char *what;        /* in json */
	uint64_t count;
};

static void add_gap(enum flow_format format, const struct gap *gap, struct text *out)
{
	struct json j = {.out = out};

	if (format == FLOW_VPC) {
		text_addf(out, "2 - - - - - - - - - %" PRIu64 " %" PRIu64 " - SKIPDATA\n",
			  gap->from_ns / NS_PER_S, gap->to_ns / NS_PER_S);
		return;
	}
	json_object(&j, NULL);
	add_time(&j, "time", gap->to_ns);
	add_time(&j, "start", gap->from_ns);
	json_number(&j, gap->what, gap->count);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void flow_add_lost(enum flow_format format, uint64_t from_ns, uint64_t to_ns, uint64_t lost,
		   struct text *out)
{
	add_gap(format, &(struct gap){from_ns, to_ns, "lost", lost}, out);
}

void flow_add_skipped(enum flow_format format, uint64_t from_ns, uint64_t to_ns, uint64_t packets,
		      struct text *out)
{
	add_gap(format, &(struct gap){from_ns, to_ns, "denied_skipped", packets}, out);
}
