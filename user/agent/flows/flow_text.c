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

static void add_direction(const struct bh_flow *flow, const char *interface, unsigned int half,
			  struct text *out)
{
	unsigned int src = (flow->opener & 1) ^ half, dst = !src;
	bool has_ports = protocol_has_ports(flow->key.proto);
	uint64_t start = wall_of(flow, flow->since), end = wall_of(flow, flow->seen);
	char from[ADDRESS_STRLEN], to[ADDRESS_STRLEN];

	text_add(out, "2 -");
	add_word(out, interface);
	text_addf(out, " %s %s %u %u %u", addr_format(&flow->key.addr[src], from),
		  addr_format(&flow->key.addr[dst], to),
		  has_ports ? ntohs(flow->key.port[src]) : 0u,
		  has_ports ? ntohs(flow->key.port[dst]) : 0u, flow->key.proto);
	text_addf(out, " %" PRIu64 " %" PRIu64, (uint64_t)flow->packets[half],
		  (uint64_t)flow->bytes[half]);
	text_addf(out, " %" PRIu64 " %" PRIu64 " ACCEPT OK\n", start / NS_PER_S,
		  (end > start ? end : start) / NS_PER_S);
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

static void add_numbers(struct json *j, const char *key, const __u64 of[2])
{
	json_array(j, key);
	json_number(j, NULL, of[0]);
	json_number(j, NULL, of[1]);
	json_end(j, ']');
}

static void add_tcp_flags(struct json *j, const struct bh_flow *flow)
{
	json_array(j, "tcp_flags");
	for (int half = 0; half < 2; half++) {
		_text_ struct text flags = TEXT_INIT;

		tcp_flags_add(flow->tcp_flags[half], &flags);
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
		add_tcp_flags(&j, flow);
	add_numbers(&j, "packets", flow->packets);
	add_numbers(&j, "bytes", flow->bytes);
	json_string(&j, "interface", names->interface);
	json_string(&j, "endpoint", names->endpoint);
	json_number(&j, "generation", flow->generation);
	json_string(&j, "policy_hash", names->policy_hash);
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

void flow_add_lost(enum flow_format format, uint64_t from_ns, uint64_t to_ns, uint64_t lost,
		   struct text *out)
{
	struct json j = {.out = out};

	if (format == FLOW_VPC) {
		text_addf(out, "2 - - - - - - - - - %" PRIu64 " %" PRIu64 " - SKIPDATA\n",
			  from_ns / NS_PER_S, to_ns / NS_PER_S);
		return;
	}
	json_object(&j, NULL);
	add_time(&j, "time", to_ns);
	add_time(&j, "start", from_ns);
	json_number(&j, "lost", lost);
	json_end(&j, '}');
	text_addc(out, '\n');
}
