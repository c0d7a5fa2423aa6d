/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A running agent, as it is shipped, whose files nobody else sees. */
#ifndef BENCH_AGENT_RUN_H
#define BENCH_AGENT_RUN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "util/text.h"

struct agent_run {
	pid_t pid;
	double ready_ms; /* on the wall, from its start */
};

/*
 * Until it is ready; @attach is an interface of this network namespace, or NULL.  $BULKHEAD is the
 * program.  -ECHILD: it does not start.
 */
int agent_run_begin(const struct text *policy, const char *attach, struct agent_run *ret);

/* What it used until now is in *ret_usage, which may be NULL. */
void agent_run_end(struct agent_run *run, struct rusage *ret_usage);

/* The same once more, where the first one, which is killed, left its state and its pins; what that
 * one used is in *ret_usage. */
int agent_run_again(struct agent_run *run, const char *attach, struct rusage *ret_usage);

/* The program that it attached there, as a descriptor, or -errno. */
int agent_run_program(const struct agent_run *run, const char *interface, bool is_egress);

/* In MB: what it maps, but for files (so without its text and libraries); and its kernel maps. */
double agent_run_memory(const struct agent_run *run, bool with_files);
double agent_run_maps(const struct agent_run *run);

#endif
