/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes Ethernet frames as pcapng (draft-ietf-opsawg-pcapng), with a comment on each. */
#ifndef UTIL_PCAPNG_H
#define UTIL_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/vec.h"

struct pcapng {
	FILE *out;         /* borrowed */
	VEC(char *) names; /* of the interfaces that were described so far */
};

struct pcapng_packet {
	const char *interface;
	uint64_t time_us; /* since 1970 */
	const void *bytes;
	uint32_t captured; /* of them */
	uint32_t length;   /* of the frame */
	bool is_outbound;
	const char *comment;
};

/* Errors are the stream's: ferror(). */
void pcapng_begin(struct pcapng *p, FILE *out);
void pcapng_add(struct pcapng *p, const struct pcapng_packet *packet);
void pcapng_release(struct pcapng *p);

#endif
