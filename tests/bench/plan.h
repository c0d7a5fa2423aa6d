/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the wrapper programs make of the one frame of a test run: a packet of another flow each
 * time.  Shared with them. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <linux/types.h>

#define PLAN_FRAME_MAX 128 /* bytes of the frame that places may lie in: a power of two */

struct bench_plan {
	/* Flow 0 is of client 0 from first_port; the next ones are of other clients, and when each
	 * has had its turn they come from the next port. */
	__u32 flows;      /* after so many it is flow 0 again; 0: never */
	__u32 clients;    /* so many addresses, in turns... */
	__u32 step;       /* ...of this distance: less than `clients`, and without common divisor */
	__u32 first_port; /* the clients' */
	__u32 service;    /* client c asks for port service + (c & service_mask) */
	__u32 service_mask;
	__u32 base;  /* the last 32 bits of client 0's address, host order */
	__u32 shift; /* the next one's is so many bits further */

	/* Places in the frame. */
	__u32 address_at;
	__u32 client_port_at;
	__u32 service_port_at;

	__u32 out; /* live frames: the interface that they leave by */

	/* The flow whose turn it is. */
	__u32 at;
	__u32 turn; /* clients that had theirs */
	__u32 client;
	__u32 port;
};

#endif
