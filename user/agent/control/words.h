/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers of the contract and of protocols as the words that users see. */
#ifndef AGENT_CONTROL_WORDS_H
#define AGENT_CONTROL_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/service_class.h"
#include "util/text.h"

#define WORD_STRLEN 16

/* "unknown" for a number that is none: they come from the kernel's memory. */
const char *reason_word(unsigned int reason);
const char *direction_word(unsigned int direction);
const char *conn_state_word(unsigned int state);

/* "tcp", "icmp6", else the number; into @buf, which is also returned. */
const char *protocol_word(uint8_t proto, char buf[static WORD_STRLEN]);
bool protocol_has_ports(uint8_t proto);

/* What a policy calls it: by @port, in host order, or by ICMP's @type << 8 | code. */
struct service_number protocol_service(uint8_t proto, uint16_t port, uint16_t icmp);

/* "arp", else as "0x88cc"; host order. */
const char *ethertype_word(uint16_t ethertype, char buf[static WORD_STRLEN]);

/* "SYN,ACK" */
void tcp_flags_add(uint8_t flags, struct text *out);

#endif
