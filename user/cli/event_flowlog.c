/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_flowlog.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "cli/values.h"
#include "util/when.h"

#define NS_PER_S   UINT64_C(1000000000)
#define PROTO_NONE UINT64_MAX

/* clang-format off */
static const struct {
	const char *word;
	uint64_t number;
} protocols[] = {
	{ "tcp",   IPPROTO_TCP    },
	{ "udp",   IPPROTO_UDP    },
	{ "sctp",  IPPROTO_SCTP   },
	{ "icmp",  IPPROTO_ICMP   },
	{ "icmp6", IPPROTO_ICMPV6 },
};
/* clang-format on */

static uint64_t protocol_of(const cJSON *event)
{
	const char *word = value_text(event, "proto");
	uint64_t number;

	for (size_t i = 0; word && i < COUNT(protocols); i++) {
		if (!strcmp(word, protocols[i].word))
			return protocols[i].number;
	}
	return word && text_to_u64(word, 0, UINT8_MAX, &number) ? number : PROTO_NONE;
}

static bool is_passed(const cJSON *event)
{
	const char *verdict = value_text(event, "verdict");

	return verdict && (!strcmp(verdict, "allow") || !strcmp(verdict, "audit"));
}

bool event_flowlog(const cJSON *event, struct text *out)
{
	const cJSON *src = value_of(event, "src"), *dst = value_of(event, "dst");
	const char *from = value_text(src, "ip"), *to = value_text(dst, "ip");
	const char *interface = value_text(event, "interface");
	const char *time = value_text(event, "time");
	double count = value_number(event, "count");
	uint64_t proto = protocol_of(event), ns;

	if (!from || !to || proto == PROTO_NONE || !time || !time_parse(time, &ns))
		return false;
	if (count < 1)
		count = 1;
	text_add(out, "2 - ");
	if (interface)
		text_add_plain(out, interface, strlen(interface));
	else
		text_addc(out, '-');
	text_addf(out, " %s %s %.0f %.0f %" PRIu64, from, to, value_number(src, "port"),
		  value_number(dst, "port"), proto);
	text_addf(out, " %.0f %.0f %" PRIu64 " %" PRIu64 " %s OK", count,
		  count * value_number(event, "length"), ns / NS_PER_S, ns / NS_PER_S,
		  is_passed(event) ? "ACCEPT" : "REJECT");
	return true;
}
