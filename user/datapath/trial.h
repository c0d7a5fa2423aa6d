/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy on trial: the programs loaded beside any that run, with maps of their own and no
 * interface, and single packets through them. */
#ifndef DATAPATH_TRIAL_H
#define DATAPATH_TRIAL_H

#include "datapath/crafted.h"
#include "datapath/features.h"
#include "datapath/program.h"

struct trial;

/* Without the rights only the first line of @why is news; the others are the loader's guesses. */
int trial_explain(int err, struct text *why, struct text *reterr);

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
int trial_run(struct trial *trial, enum program program, const struct packet_spec *packet,
	      uint32_t rule, struct trial_outcome *ret);

/* --- packets of any kind --- */

/* Whose addresses are this machine's own before a program of hosts, or else the workload's. */
struct trial_place {
	struct bh_addr own[2];     /* of IPv4, and of IPv6 */
	struct bh_addr link_local; /* the workload's, too, on its link only */
	struct bh_addr host[2];    /* this machine's before a program of workloads */
};

/* Where packets are seen from now on by programs of @program's kind. */
int trial_stand(struct trial *trial, enum program program, const struct trial_place *place);

/* False where the kernel builds no packet so short for the program. */
bool trial_can_send(enum program program, const struct frame *frame);

/* Runs it where trial_stand() said; what it left stays.  No rule is looked for: only events tell.
 */
int trial_send(struct trial *trial, enum program program, const struct frame *frame,
	       struct trial_outcome *ret);

/* As if no packet had been seen. */
int trial_forget(struct trial *trial);

/* What became of all packets since trial_new(). */
struct trial_books {
	struct books of[BH_VERDICT_COUNT];
	struct bh_count drops[BH_REASON_COUNT];
};

int trial_read_books(struct trial *trial, struct trial_books *ret);

/* What the programs use of the kernel that they were loaded into. */
void trial_features(const struct trial *trial, struct features *ret);

#endif
