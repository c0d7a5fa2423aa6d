/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who was denied lately.  Sources are kept by where they come from: an interface of this machine,
 * which can't send as others, or else the zone and workload that the address is of.  Each of these
 * has its own share; what finds no place there is counted together as its crowd, and nothing that
 * is younger than the window gives way.  So a flood of invented sources hides nobody.
 */
#ifndef AGENT_DETECT_DETECT_SUSPECTS_H
#define AGENT_DETECT_DETECT_SUSPECTS_H

#include "agent/detect/detect_config.h"
#include "agent/detect/detect_pairs.h"
#include "util/queue.h"

/* Of detections whose alerts are by source. */
struct tally {
	uint64_t start_ns; /* of the window in which `value` counts */
	uint64_t alerted_ns;
	uint64_t due; /* alerts held back since then */
	uint32_t value;
	bool has_alerted;
};

struct origin;

struct suspect {
	struct suspect *next; /* of the same hash */
	struct origin *origin;
	struct queue in_origin;
	struct queue in_kind;
	struct bh_addr addr;
	uint64_t last_ns;
	bool is_crowd; /* the others of its origin */
	struct pairs pairs;
	struct tally tallies[DETECTION_COUNT];
	struct tally scatter; /* when it was last looked at, which takes long */
};

enum origin_kind {
	ORIGIN_LOCAL,  /* an interface, and what is behind it */
	ORIGIN_REMOTE, /* a zone and workload, if the wire tells the truth */
	ORIGIN_KINDS
};

/* Endpoints of one machine, addresses of all of them, and of each. */
#define ORIGIN_LOCAL_MAX     1024
#define SUSPECT_LOCAL_MAX    1024
#define SUSPECT_LOCAL_SHARE  4
#define ORIGIN_REMOTE_MAX    512
#define SUSPECT_REMOTE_MAX   1536
#define SUSPECT_REMOTE_SHARE 256

struct origin_key {
	enum origin_kind kind;
	uint32_t ifindex;     /* ORIGIN_LOCAL */
	const char *zone;     /* ORIGIN_REMOTE; NULL: none */
	const char *workload; /* the same */
};

struct suspects;

struct suspects *suspects_new(uint64_t keep_ns);
void suspects_free(struct suspects *s);

/* The one of this address, or the crowd of its origin. */
struct suspect *suspects_take(struct suspects *s, const struct origin_key *key,
			      const struct bh_addr *addr, uint64_t now_ns);

/* What is counted by origin alone. */
struct suspect *suspects_crowd(struct suspects *s, const struct origin_key *key, uint64_t now_ns);

size_t suspects_count(const struct suspects *s, enum origin_kind kind);

#endif
