/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs, compiled for this machine: one frame at a time through one of them. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/counters.h>
#include <bulkhead/endpoint.h>
#include <bulkhead/event.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "tests/fuzz/host_map.h"

#define HOST_FRAME_MAX 2048
#define HOST_IFINDEX   5
#define NS_PER_S       1000000000ull

enum host_hook {
	HOST_XDP_IN,
	HOST_TC_IN,
	HOST_TC_OUT,
	HOST_TC_FROM,
	HOST_TC_TO,
};

struct host_frame {
	uint8_t bytes[HOST_FRAME_MAX];
	size_t len;
	size_t linear;        /* tc: bytes in the skb's first part */
	bool is_stripped;     /* tc: the outermost VLAN tag is beside the bytes, not in them */
	bool is_local_origin; /* tc */
	bool has_tailroom;    /* XDP: behind the packet, an answer may need it */
};

enum host_fate {
	HOST_DROPPED,
	HOST_PASSED,
	HOST_ANSWERED, /* dropped, and the frame has become an answer */
};

/* Runs in the world that was chosen.  The frame becomes what the program made of it. */
enum host_fate host_run(enum host_hook hook, struct host_frame *frame);

/* What helpers tell programs. */
extern uint64_t host_now_ns;
extern uint64_t host_boot_ahead_ns; /* of CLOCK_BOOTTIME */

/* The lane of events: how many more it takes, how many it took, and the last one. */
struct host_lane {
	uint32_t room;
	uint32_t count;
	struct bh_event last;
};

extern struct host_lane host_lane;

/* What the agent chooses before load. */
struct host_config {
	uint32_t event_rate;
	uint32_t vlan; /* enum bh_vlan_mode */
	bool is_quick; /* for packets that take the quick way */
};

void host_configure(const struct host_config *config);

/* The maps that an agent fills. */
enum host_table {
	HOST_CONTROL,
	HOST_EPOCHS,
	HOST_POLICIES,
	HOST_PREFIXES,
	HOST_IDENTITIES,
	HOST_SERVICES,
	HOST_DIRECTORY,
	HOST_BLOCKS,
	HOST_KNOWN,
	HOST_LATER,
	HOST_RULES,
	HOST_EVENT_PLACES,
	HOST_RULE_EVENTS,
	HOST_ENDPOINTS,
	HOST_INTERFACES,
	HOST_SOURCES,
	HOST_LOCAL,
	HOST_SOURCE_LINES,
	HOST_LOCAL_HEAD,
	HOST_LOCAL_LINES,
	HOST_CONN_SETUP,
	HOST_TABLES,
};

struct host_map host_table(enum host_table table);

struct host_books {
	uint64_t produced, delivered, suppressed, lost;
};

/* Counters of the world that was chosen, since host_maps_reset(). */
struct host_totals {
	uint64_t drops[BH_REASON_COUNT];
	uint64_t all_drops;
	struct host_books books[BH_VERDICT_COUNT];
	uint64_t passed, dropped; /* of all endpoints up to HOST_ENDPOINT */
	struct bh_rejects rejects;
	uint64_t rules;       /* a digest of which rule counted how many packets */
	uint64_t connections; /* a digest of those that were not adopted, without their bytes */
};

#define HOST_ENDPOINT 7 /* the workload's id */

void host_read_totals(struct host_totals *ret);

#endif
