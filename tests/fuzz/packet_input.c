/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/fuzz/packet_input.h"

#include <linux/if_ether.h>
#include <string.h>

#include <bulkhead/vlan.h>

#define MS 1000000ull

static const uint64_t steps_ns[8] = {
	0, 1, MS, 900 * MS, 3 * NS_PER_S, 11 * NS_PER_S, 31 * NS_PER_S, 61 * NS_PER_S,
};

static const uint8_t *take(struct input *in, size_t len)
{
	const uint8_t *at = in->at;

	if (in->len < len)
		return NULL;
	in->at += len;
	in->len -= len;
	return at;
}

/* Rare are those that make little else happen. */
bool input_head(struct input *in, struct input_head *ret)
{
	const uint8_t *at = take(in, INPUT_HEAD_LEN);

	if (!at)
		return false;
	*ret = (struct input_head){
		.is_host = at[0] & 1,
		.is_xdp_quick = at[3] & 0x80,
		.lane_room = at[2] % 8 ? INPUT_RECORDS : at[2] / 8 % 4,
		.config =
			{
				.event_rate = at[3] % 4 ? 0 : at[3] / 4 % 4,
				.vlan = at[2] / 64 < BH_VLAN_MODE_COUNT ? at[2] / 64
									: BH_VLAN_INSPECT,
			},
		.switches =
			{
				.set = at[0] >> 1 & 1,
				.has_policy = (at[0] & 0xf0) != 0xf0,
				.is_beating = at[0] & 4,
				.is_adopting = at[0] & 8,
				.builtins_off = at[1],
			},
	};
	return true;
}

bool input_record(struct input *in, struct input_record *ret)
{
	const uint8_t *at = take(in, INPUT_RECORD_LEN);
	struct host_frame *f = &ret->frame;

	if (!at || !in->len)
		return false;
	*ret = (struct input_record){
		.is_egress = at[0] & INPUT_EGRESS,
		.is_flip = at[0] & INPUT_FLIP,
		.is_bump = at[0] & INPUT_BUMP,
		.is_change = at[0] & INPUT_CHANGE,
		.is_of_source = at[0] & INPUT_SOURCE,
		.step_ns = steps_ns[at[1] % 8],
	};
	f->is_stripped = at[0] & INPUT_STRIPPED;
	f->has_tailroom = at[0] & INPUT_TAILROOM;
	f->is_local_origin = at[0] & INPUT_LOCAL;
	f->len = (at[3] | (size_t)at[4] << 8) % (INPUT_PACKET_MAX + 1);
	if (f->len > in->len)
		f->len = in->len;
	memcpy(f->bytes, take(in, f->len), f->len);
	/* No device delivers less than the link's header. */
	if (f->len < ETH_HLEN)
		f->len = ETH_HLEN;
	f->linear = at[2] ? ETH_HLEN + at[2] : f->len;
	if (f->linear > f->len)
		f->linear = f->len;
	return true;
}
