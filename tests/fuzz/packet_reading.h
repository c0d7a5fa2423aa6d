/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A frame read by other means than the programs': only where there is nothing special about it. */
#ifndef FUZZ_PACKET_READING_H
#define FUZZ_PACKET_READING_H

#include "tests/fuzz/host.h"
#include "tests/reference/reference.h"

struct reading {
	bool is_ip;    /* and long enough for its addresses */
	bool is_plain; /* no options, no fragments, no extension headers; all below is known */
	bool is_tagged;
	struct reference_question question; /* as if it opened a connection */
	struct reference_question reverse;  /* of the connection that it would be a reply of */
	uint8_t proto;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint16_t sport, dport; /* an echo has its id as the requester's port */
};

#define READ_FIN 0x01
#define READ_SYN 0x02
#define READ_RST 0x04
#define READ_ACK 0x10

struct reading reading_of(const struct host_frame *frame);

bool reading_is_echo_answer(const struct reading *r);
bool reading_is_error(const struct reading *r);

/* Neighbours and multicast listeners: other rules than the policy's. */
bool reading_is_neighbour(const struct reading *r);

/* May be packets of one connection, as far as what is read of them tells. */
bool reading_may_belong(const struct reading *a, const struct reading *b);

#endif
