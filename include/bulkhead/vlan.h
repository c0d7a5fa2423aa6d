/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of frames with a VLAN tag; a tag of VLAN 0 is a priority, and none. */
#ifndef BULKHEAD_VLAN_H
#define BULKHEAD_VLAN_H

/* clang-format off */
#define BH_VLAN_MODES(X)                                                              \
	X(INSPECT, "inspect", "judged by what is inside, as if it had no tag")       \
	X(PASS,    "pass",    "let through unseen")                                  \
	X(DROP,    "drop",    "dropped")

enum bh_vlan_mode {
#define X(id, word, help) BH_VLAN_##id,
	BH_VLAN_MODES(X)
#undef X
	BH_VLAN_MODE_COUNT
};
/* clang-format on */

#endif
