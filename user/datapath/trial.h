/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy on trial: the programs loaded beside any that run, with maps of their own and no
 * interface, and single packets through them. */
#ifndef DATAPATH_TRIAL_H
#define DATAPATH_TRIAL_H

#include "datapath/frame.h"
#include "datapath/program.h"

struct trial;

/* -EPERM without the rights to load programs; -errno with a sentence in @reterr. */
int trial_new(const struct image *image, struct text *reterr, struct trial **ret);
void trial_free(struct trial *trial);
void trial_freep(struct trial **trial);
#define _trial_ _cleanup_(trial_freep)

/* What a program made of a packet. */
struct trial_outcome {
	bool is_passed;
	bool is_reported;      /* there is an event, which every drop has */
	enum bh_reason reason; /* of a drop */
	uint32_t rule;         /* BH_RULE_NONE: none decided */
};

/*
 * Runs a packet that opens a connection, at an endpoint where it is neither spoofed nor passing
 * through, and forgets the connection.  @rule is the one that should decide: it is looked at first.
 */
int trial_run(struct trial *trial, enum program program, const struct first_packet *packet,
	      uint32_t rule, struct trial_outcome *ret);

#endif
