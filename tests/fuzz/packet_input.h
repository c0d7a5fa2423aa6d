/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet fuzzer's input: a head, then records of a packet each. */
#ifndef FUZZ_PACKET_INPUT_H
#define FUZZ_PACKET_INPUT_H

#include "tests/fuzz/packet_world.h"

#define INPUT_RECORDS    8
#define INPUT_HEAD_LEN   4
#define INPUT_RECORD_LEN 5 /* in front of the packet's bytes */
#define INPUT_PACKET_MAX 1600

/* Bits of a record's first byte. */
#define INPUT_EGRESS   0x01
#define INPUT_FLIP     0x02
#define INPUT_BUMP     0x04
#define INPUT_STRIPPED 0x08
#define INPUT_TAILROOM 0x10
#define INPUT_LOCAL    0x20
#define INPUT_CHANGE   0x40
#define INPUT_SOURCE   0x80

struct input {
	const uint8_t *at;
	size_t len;
};

struct input_head {
	bool is_host, is_xdp_quick;
	uint32_t lane_room; /* events that the lane takes; then they are lost */
	struct host_config config;
	struct switches switches;
};

struct input_record {
	bool is_egress, is_flip, is_bump;
	bool is_change,
		is_of_source; /* an address was somebody else's: the packet's source or not */
	uint64_t step_ns;     /* since the packet before */
	struct host_frame frame;
};

/* False at the end of the input. */
bool input_head(struct input *in, struct input_head *ret);
bool input_record(struct input *in, struct input_record *ret);

#endif
