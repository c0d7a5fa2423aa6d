/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet that is being judged: below 4 GiB, and what is around it must not be touched. */
#ifndef FUZZ_HOST_PACKET_H
#define FUZZ_HOST_PACKET_H

#include "tests/fuzz/host.h"

/* A place of the packet as contexts have it: in 32 bits. */
struct host_packet {
	uint8_t *start;
	size_t len;
	size_t linear; /* XDP: all of it */
	size_t room;   /* behind it */
};

extern struct host_packet host_packet;

/* The packet becomes the frame, or the other way round. */
void host_packet_put(const struct host_frame *frame);
void host_packet_get(struct host_frame *frame);

bool host_packet_is(const struct host_frame *frame);

#endif
