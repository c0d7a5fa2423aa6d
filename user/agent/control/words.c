/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/words.h"

#include <netinet/in.h>
#include <stdio.h>

#include <linux/if_ether.h>

#include <bulkhead/connection.h>
#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#define X(id, word, help) [BH_REASON_##id] = (word),
static const char *const reasons[] = {BH_REASONS(X)};
#undef X

#define X(id, word, help) [BH_CONN_##id] = (word),
static const char *const states[] = {BH_CONN_STATES(X)};
#undef X

static const char *const directions[] = {
	[BH_INGRESS] = "ingress",
	[BH_EGRESS] = "egress",
};

static const char *const flag_names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};

static const char *word_at(const char *const *words, size_t count, unsigned int i)
{
	return i < count ? words[i] : "unknown";
}

const char *reason_word(unsigned int reason)
{
	return word_at(reasons, COUNT(reasons), reason);
}

const char *direction_word(unsigned int direction)
{
	return word_at(directions, COUNT(directions), direction);
}

const char *conn_state_word(unsigned int state)
{
	return word_at(states, COUNT(states), state);
}

const char *protocol_word(uint8_t proto, char buf[static WORD_STRLEN])
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	}
	snprintf(buf, WORD_STRLEN, "%u", proto);
	return buf;
}

bool protocol_has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

const char *ethertype_word(uint16_t ethertype, char buf[static WORD_STRLEN])
{
	if (ethertype == ETH_P_ARP)
		return "arp";
	snprintf(buf, WORD_STRLEN, "0x%04x", ethertype);
	return buf;
}

void tcp_flags_add(uint8_t flags, struct text *out)
{
	bool is_first = true;

	for (size_t i = 0; i < COUNT(flag_names); i++) {
		if (!(flags & 1u << i))
			continue;
		text_addf(out, "%s%s", is_first ? "" : ",", flag_names[i]);
		is_first = false;
	}
}

struct service_number protocol_service(uint8_t proto, uint16_t port, uint16_t icmp)
{
	switch (proto) {
	case IPPROTO_TCP:
		return (struct service_number){BH_SERVICE_TCP, port};
	case IPPROTO_UDP:
		return (struct service_number){BH_SERVICE_UDP, port};
	case IPPROTO_SCTP:
		return (struct service_number){BH_SERVICE_SCTP, port};
	case IPPROTO_ICMP:
		return (struct service_number){BH_SERVICE_ICMP, icmp};
	case IPPROTO_ICMPV6:
		return (struct service_number){BH_SERVICE_ICMP6, icmp};
	}
	return (struct service_number){BH_SERVICE_PROTO, proto};
}
