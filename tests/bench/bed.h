/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Our programs, loaded, with a policy of a given size in force: what packets are sent through. */
#ifndef BENCH_BED_H
#define BENCH_BED_H

#include "datapath/datapath.h"
#include "policy/compile.h"
#include "tests/bench/shape.h"
#include "tests/bench/wrapper.h"

struct bed {
	struct shape shape;
	uint32_t event_rate;
	bool is_silent;
	struct wrapper *wrapper; /* not owned */
	struct policy *policy;
	struct compiled *compiled;
	struct datapath *dp;
	uint32_t ifindex; /* of the workload */
};

/*
 * Without pins; the workload is behind one of two interfaces that this makes, so the process must
 * have a network namespace of its own.  @event_rate as in struct datapath_config.
 */
int bed_open(struct wrapper *w, const struct shape *shape, uint32_t event_rate, struct bed *ret);

/* The same with events as struct datapath_config has them. */
struct bed_events {
	uint32_t rate;
	bool is_silent;
};

int bed_open_telling(struct wrapper *w, const struct shape *shape, const struct bed_events *events,
		     struct bed *ret);
void bed_release(struct bed *bed);

/* Descriptors of the programs: towards the endpoint, and from it. */
int bed_program(const struct bed *bed, enum bench_hook hook, bool is_reply);

/* A burst of one kind of packets, @flows as in the plan. */
struct burst bed_burst(const struct bed *bed, enum shape_packet packet, bool is_v6, uint32_t flows,
		       struct shape_frame *frame);

/* Handshakes of flows 0..flows-1, with two programs; without a reply's, answers are left out. */
struct handshake {
	struct target opener, reply; /* reply.fd -1: there is none */
	bool is_v6;
	uint32_t flows;
};

int bed_shake_hands(struct bed *bed, const struct handshake *handshake);

/* The same with our programs.  -ENOSPC if packets were dropped. */
int bed_establish(struct bed *bed, enum bench_hook hook, bool is_v6, uint32_t flows);

/* @old as in policy_recompile(). */
int bed_compile(const struct policy *policy, const struct compiled *old, struct compiled **ret);

/* Takes another policy over, for the next swap. */
void bed_take(struct bed *bed, struct policy *policy, struct compiled *compiled);

/* The policy, or the same again, as a new generation. */
int bed_swap(struct bed *bed, struct datapath_swap *ret);

/* An address of no flow gets another identity. */
int bed_change_address(struct bed *bed, uint32_t number);

/* Packets that were dropped, for whatever reason, since the start. */
uint64_t bed_drops(const struct bed *bed);

/* --- events --- */

/* Reads events from now on, and counts them in *count. */
int bed_listen(struct bed *bed, uint64_t *count);
void bed_drain(struct bed *bed);

/* Events that were delivered since the start, and those that found no room. */
uint64_t bed_delivered(const struct bed *bed, uint64_t *ret_lost);

#endif
