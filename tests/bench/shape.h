/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy of a given size whose clients may all reach one server, and the packets between them. */
#ifndef BENCH_SHAPE_H
#define BENCH_SHAPE_H

#include "policy/model.h"
#include "tests/bench/plan.h"
#include "util/text.h"

#define SHAPE_FRAME_MAX 96
#define SHAPE_SERVICE   1024 /* and up: ports that clients may use; the first one's is this */

/* Every client has one IPv4 and one IPv6 address, or as many prefixes. */
struct shape {
	uint32_t identities; /* of clients: 1..1000000 */
	uint32_t addresses;  /* of clients, a multiple of identities */
	uint32_t rules;      /* each decides something */
	uint32_t flows;      /* that the connection table has room for */
	uint32_t ports;      /* of a rule, for TCP and UDP each; 0: one */
	uint32_t cidrs_of;   /* 4 or 6: clients are networks of that family, of several lengths; 0:
				they are addresses of both */
};

enum shape_packet {
	SHAPE_SYN,
	SHAPE_SYN_ACK, /* this and the other reply are from the server */
	SHAPE_ACK,
	SHAPE_DENIED,  /* a SYN for a port that no rule allows */
	SHAPE_TRANSIT, /* an ACK to somebody else than the server */
	SHAPE_UDP,
	SHAPE_UDP_REPLY,
	SHAPE_UDP_DENIED,
};

struct shape_frame {
	uint8_t bytes[SHAPE_FRAME_MAX];
	size_t len;
};

/* The policy's text, or one in which one rule has another port, that others have.  Documents, none
 * larger than a file may be. */
void shape_text(const struct shape *s, bool is_changed, struct text *out);

/* Ends the process if the text is wrong, which it is not. */
struct policy *shape_read(const struct text *text);

struct bh_addr shape_server(bool is_v6);

/* An address that is no client's. */
struct bh_addr shape_other(uint32_t number);

struct shape_frame shape_frame(enum shape_packet packet, bool is_v6);

/* An IPv4 frame to the server becomes that client's, checksum included. */
void shape_set_client(struct shape_frame *frame, uint32_t client);

/* @flows as in the plan. */
struct bench_plan shape_plan(const struct shape *s, enum shape_packet packet, bool is_v6,
			     uint32_t flows);

#endif
