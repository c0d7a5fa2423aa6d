/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event as a line of the VPC flow log, version 2: what parsers of that format read. */
#ifndef CLI_EVENT_FLOWLOG_H
#define CLI_EVENT_FLOWLOG_H

#include <cjson/cJSON.h>

#include "util/text.h"

/*
 * "2 - IF SRC DST SPORT DPORT PROTO PACKETS BYTES START END ACCEPT|REJECT OK", without an end of
 * line.  False: it is no flow, for it has no addresses, as ARP.
 */
bool event_flowlog(const cJSON *event, struct text *out);

#endif
