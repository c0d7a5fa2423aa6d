/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_pcap.h"

#include <errno.h>
#include <string.h>

#include "cli/event_line.h"
#include "cli/values.h"
#include "util/base64.h"
#include "util/text.h"
#include "util/when.h"

#define PACKET_MAX 65536 /* bytes */
#define NS_PER_US  1000

int event_pcap_open(struct event_pcap *p, const char *path)
{
	p->out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	if (!p->out)
		return -errno;
	pcapng_begin(&p->pcapng, p->out);
	return 0;
}

static void add_field(const cJSON *event, const char *key, struct text *out)
{
	const char *value = value_text(event, key);

	if (value)
		text_addf(out, " %s=%s", key, value);
}

/* "deny rule=default reason=policy near=… from=edge-lb(dmz) to=…": what the packet doesn't tell. */
static void add_comment(const cJSON *event, struct text *out)
{
	const char *verdict = value_text(event, "verdict");

	text_add(out, verdict ? verdict : "-");
	add_field(event, "rule", out);
	add_field(event, "rule_at", out);
	add_field(event, "reason", out);
	add_field(event, "near", out);
	text_add(out, " from=");
	event_line_add_name(value_of(event, "src"), out);
	text_add(out, " to=");
	event_line_add_name(value_of(event, "dst"), out);
	text_addf(out, " gen=%.0f", value_number(event, "generation"));
}

int event_pcap_add(struct event_pcap *p, const cJSON *event)
{
	const char *direction = value_text(event, "direction");
	const char *interface = value_text(event, "interface");
	const char *time = value_text(event, "time");
	const char *packet = value_text(event, "packet");
	_text_ struct text comment = TEXT_INIT;
	unsigned char bytes[PACKET_MAX];
	ssize_t len = packet ? base64_read(packet, bytes, sizeof(bytes)) : 0;
	double length = value_number(event, "length");
	uint64_t ns;

	if (len <= 0 || !time || !time_parse(time, &ns)) {
		p->without++;
		return 0;
	}
	add_comment(event, &comment);
	pcapng_add(&p->pcapng,
		   &(struct pcapng_packet){
			   .interface = interface ? interface : "unknown",
			   .time_us = ns / NS_PER_US,
			   .bytes = bytes,
			   .captured = (uint32_t)len,
			   .length = length >= (double)len && length < UINT32_MAX ? (uint32_t)length
										  : (uint32_t)len,
			   .is_outbound = direction && !strcmp(direction, "egress"),
			   .comment = comment.buf,
		   });
	p->written++;
	return ferror(p->out) ? -EPIPE : 0;
}

int event_pcap_close(struct event_pcap *p)
{
	FILE *out = p->out;
	bool is_bad;

	if (!out)
		return 0;
	is_bad = fflush(out) || ferror(out);
	if (out != stdout && fclose(out))
		is_bad = true;
	pcapng_release(&p->pcapng);
	p->out = NULL;
	return is_bad ? -EIO : 0;
}
