/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first packet of a connection as bytes: Ethernet, IP, and what opens it.  Checksums are zero:
 * programs leave them to receivers. */
#ifndef DATAPATH_FRAME_H
#define DATAPATH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>

#define FIRST_FRAME_MAX 96

struct first_packet {
	struct bh_addr src, dst;
	bool is_v6;
	enum bh_service_table table;
	uint16_t number; /* in that table: destination port, ICMP type << 8 | code, protocol */
	uint16_t sport;  /* of an echo the id; unused where there is neither */
};

struct first_frame {
	uint8_t bytes[FIRST_FRAME_MAX];
	size_t len;
};

struct first_frame first_frame_build(const struct first_packet *p);

/* The protocol number, as in the IP header. */
uint8_t first_packet_proto(const struct first_packet *p);

/* As in keys of connections: an echo has its id as the requester's port, and 0 as the other. */
uint16_t first_packet_sport(const struct first_packet *p);
uint16_t first_packet_dport(const struct first_packet *p);

#endif
