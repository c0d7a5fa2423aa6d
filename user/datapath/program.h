/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs by name, and a packet through one of them (BPF_PROG_TEST_RUN): no interface is
 * touched. */
#ifndef DATAPATH_PROGRAM_H
#define DATAPATH_PROGRAM_H

#include "datapath/datapath.h"

enum program {
	PROGRAM_XDP_IN,
	PROGRAM_HOST_IN,
	PROGRAM_HOST_OUT,
	PROGRAM_FROM, /* a workload */
	PROGRAM_TO,
	PROGRAMS
};

#define PROGRAM_HALVES 2 /* of XDP, and of tc */

const char *program_word(enum program program);
bool program_is_ingress(enum program program); /* towards the endpoint */
bool program_is_host(enum program program);

/* The interface that packets of such runs come from: the loopback device. */
#define PROGRAM_IFINDEX 1

#define PROGRAM_OUTPUT_MAX 4096

/* What the program made of the packet. */
struct program_output {
	uint8_t bytes[PROGRAM_OUTPUT_MAX];
	size_t len;
	uint32_t mark; /* tc */
};

struct program_input {
	const void *bytes;
	size_t len;
	bool is_forwarded; /* tc: the packet came in on an interface, and is not this machine's */
	bool is_returned;  /* tc: on the same one */
	uint32_t mark;     /* tc */
	uint32_t gso_size; /* tc */
	int times;
	struct program_output *out; /* NULL: not wanted */
};

/* What the program returned the last time in *ret: an XDP or a tc action. */
int program_run(const struct datapath *dp, enum program program, const struct program_input *in,
		int *ret);

/* Whether that lets the packet through, or sends something back instead. */
bool program_passes(enum program program, int returned);
bool program_answers(enum program program, int returned);

#endif
