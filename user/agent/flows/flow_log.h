/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What allowed connections carried, from the kernel's ring into a file.  A record leaves the ring
 * when its lines are written: neither a full disk nor an agent that is killed loses any before the
 * ring is full, and what was written twice is cut off again.  Denied packets come from events, once
 * an interval; what is in no line of theirs is told as skipped.
 */
#ifndef AGENT_FLOWS_FLOW_LOG_H
#define AGENT_FLOWS_FLOW_LOG_H

#include "agent/agent.h"
#include "agent/endpoints/endpoints.h"
#include "agent/events/naming.h"
#include "agent/flows/denied_flows.h"
#include "agent/flows/flow_file.h"
#include "agent/loop.h"
#include "util/json.h"

struct flow_log {
	const struct flow_log_config *config; /* its path is NULL: nothing is logged */
	struct datapath *dp;
	struct naming *naming;
	const struct endpoints *endpoints;
	struct loop_watch *watch;
	struct loop_timer *retry; /* runs while a pipe is full */
	struct flow_file file;
	struct text batch; /* lines of records that still are in the ring */
	size_t sent;       /* bytes of them */
	bool has_batch;
	bool is_open;        /* the ring is read */
	int err;             /* of the last try to write, which was logged */
	uint64_t lost;       /* that the file tells of */
	uint64_t checked_ns; /* on the wall, when these were looked at */

	struct denied_flows denied;
	uint64_t denied_from_ns;    /* on the wall: when their window began */
	uint64_t produced;          /* denied packets, by the books a second ago */
	uint64_t said;              /* of them the file has in lines or told as skipped */
	uint64_t batch_says;        /* likewise the present batch */
	uint64_t in_lines, skipped; /* since the start */
};

/* Before privileges are given away.  What fails is logged and tried again; it never stops us. */
void flow_log_start(struct flow_log *log, struct loop *loop);

/* What there is: as much as the ring holds, or a part that takes no time. */
void flow_log_read(struct flow_log *log, bool is_all);

/* An event from the ring, whatever it is about. */
void flow_log_event(struct flow_log *log, const struct bh_event *event);

/* Every second, after events were read. */
void flow_log_tick(struct flow_log *log);

/* Somebody else may have moved the file. */
void flow_log_reopen(struct flow_log *log);

void flow_log_release(struct flow_log *log);

/*
 * flow_log {file, format, records, lost, lost_packets, lost_bytes, denied {packets, skipped,
 * waiting}, error}; null without one.
 */
void flow_log_json(const struct flow_log *log, struct json *j);

#endif
