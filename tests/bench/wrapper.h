/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Many packets, each of another flow, through one program at a time (BPF_PROG_TEST_RUN). */
#ifndef BENCH_WRAPPER_H
#define BENCH_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/plan.h"

enum bench_hook {
	BENCH_XDP,
	BENCH_TC,
};

struct wrapper; /* the wrapper programs, loaded */

/* What is measured; fd -1: the no-op of the hook. */
struct target {
	enum bench_hook hook;
	int fd;
};

struct burst {
	struct bench_plan plan;
	const void *frame;
	size_t len;
	uint32_t ifindex; /* tc: the interface that packets are seen at, and that they came in by */
	uint32_t packets;
};

/* -errno if the kernel doesn't take them. */
int wrapper_open(struct wrapper **ret);
void wrapper_free(struct wrapper *w);

/*
 * *ret_ns is the mean time of a packet, wrapper included; *ret_action what the program returned the
 * last time.  *plan goes on where the burst ended if it is run again.  -EINTR: a signal came.
 */
int wrapper_run(struct wrapper *w, const struct target *target, struct burst *burst, double *ret_ns,
		int *ret_action);

/*
 * Real frames out of interface plan.out; *ret_ns includes what becomes of them where they arrive,
 * if that is on this machine.
 */
int wrapper_send(struct wrapper *w, struct burst *burst, double *ret_ns);

/* A descriptor: until it is closed the interface drops all that comes in. */
int wrapper_drop_all(struct wrapper *w, enum bench_hook hook, uint32_t ifindex);

#endif
