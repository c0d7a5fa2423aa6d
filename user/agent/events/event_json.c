/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/event_json.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/if_ether.h>

#include <bulkhead/endpoint.h>

#include "agent/control/words.h"
#include "policy/model.h"
#include "util/address.h"
#include "util/base64.h"
#include "util/clock.h"

static const struct bh_addr no_address;

static bool has_ports(const struct bh_event *event)
{
	return protocol_has_ports(event->proto) && (event->sport || event->dport);
}

/* A packet may be dropped before its addresses are read; then both are zero. */
static bool has_addresses(const struct bh_event *event)
{
	return addr_cmp(&event->src, &no_address) || addr_cmp(&event->dst, &no_address);
}

void event_json_end(struct json *j, const char *key, const struct event_end *end,
		    const struct bh_addr *addr, const uint16_t *port)
{
	char ip[ADDRESS_STRLEN];

	json_object(j, key);
	if (addr)
		json_plain(j, "ip", addr_format(addr, ip));
	if (port)
		json_number(j, "port", *port);
	if (end->workload)
		json_string(j, "workload", end->workload);
	if (end->zone)
		json_string(j, "zone", end->zone);
	if (end->labels_json)
		json_raw(j, "labels", end->labels_json);
	json_end(j, '}');
}

void event_json_ends(struct json *j, const struct bh_event *event, const struct event_names *names)
{
	uint16_t sport = ntohs(event->sport), dport = ntohs(event->dport);
	bool is_known = has_addresses(event);

	event_json_end(j, "src", &names->src, is_known ? &event->src : NULL,
		       has_ports(event) ? &sport : NULL);
	event_json_end(j, "dst", &names->dst, is_known ? &event->dst : NULL,
		       has_ports(event) ? &dport : NULL);
}

static void add_protocol(struct json *j, const struct bh_event *event)
{
	uint16_t ethertype = ntohs(event->ethertype);
	char word[WORD_STRLEN];

	if (ethertype == ETH_P_IP || ethertype == ETH_P_IPV6)
		json_plain(j, "proto", protocol_word(event->proto, word));
	else
		json_plain(j, "proto", ethertype_word(ethertype, word));
	if (event->proto == IPPROTO_TCP && event->tcp_flags) {
		_text_ struct text flags = TEXT_INIT;

		tcp_flags_add(event->tcp_flags, &flags);
		json_plain(j, "tcp_flags", flags.buf);
	}
	if (event->proto == IPPROTO_ICMP || event->proto == IPPROTO_ICMPV6) {
		json_number(j, "icmp_type", event->icmp_type);
		json_number(j, "icmp_code", event->icmp_code);
	}
}

static void add_optional(struct json *j, const char *key, const char *value)
{
	if (value)
		json_string(j, key, value);
}

void event_json(const struct bh_event *event, const struct event_names *names, struct text *out)
{
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	json_object(&j, NULL);
	json_plain(&j, "time", clock_format(names->wall_ns, time));
	json_plain(&j, "verdict", verdict_word(event->verdict));
	json_plain(&j, "direction", direction_word(event->direction));
	json_plain(&j, "reason", reason_word(event->reason));
	add_optional(&j, "rule", names->rule);
	add_optional(&j, "rule_at", names->rule_at);
	event_json_ends(&j, event, names);
	add_protocol(&j, event);
	json_number(&j, "length", event->length);
	add_optional(&j, "interface", names->interface);
	add_optional(&j, "endpoint", names->endpoint);
	json_number(&j, "generation", event->generation);
	if (names->policy_hash)
		json_plain(&j, "policy_hash", names->policy_hash);
	add_optional(&j, "near", names->near);
	json_number(&j, "count", names->count);
	json_end(&j, '}');
}

void event_json_packet(const struct bh_event_packet *packet, struct text *out)
{
	text_add(out, "\"packet\":\"");
	base64_add(packet->bytes, packet->captured, out);
	text_addc(out, '"');
}
