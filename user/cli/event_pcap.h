/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events with their packets, as a pcapng file. */
#ifndef CLI_EVENT_PCAP_H
#define CLI_EVENT_PCAP_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "util/pcapng.h"

struct event_pcap {
	struct pcapng pcapng;
	FILE *out;        /* NULL: none is written */
	uint64_t written; /* packets */
	uint64_t without; /* events that came without their packet */
};

/* "-" is standard output.  -errno. */
int event_pcap_open(struct event_pcap *p, const char *path);

/* With rule and reason as its comment.  -EPIPE if it can't be written. */
int event_pcap_add(struct event_pcap *p, const cJSON *event);

/* -EIO if not everything is written. */
int event_pcap_close(struct event_pcap *p);

#endif
