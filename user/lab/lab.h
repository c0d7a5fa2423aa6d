/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds a policy's workloads as namespaces, enforces, probes, and takes it all down again. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "lab/plan.h"
#include "lab/scratch.h"
#include "lab/station.h"
#include "lab/truth.h"

#define LAB_TIMEOUT_MS 500

enum lab_topology {
	LAB_NODE_TOPOLOGY,  /* stations are workloads of one node, whose agent enforces on their
			       veths */
	LAB_HOSTS_TOPOLOGY, /* every station is a host that enforces on its own NIC */
};

struct lab_config {
	const struct compiled *compiled;
	const char *const *files; /* of the policy, for the agents */
	size_t file_count;
	enum lab_topology topology;
	uint32_t repetitions; /* of every probe; at least 1 */
	uint32_t timeout_ms;
	bool is_kept;               /* stays after the probes until a signal comes */
	const char *const *command; /* run instead of the probes, ends in NULL; NULL: probe */
};

struct lab_result {
	const struct lab_config *config;
	const struct lab_plan *plan;
	const struct truth *truth;
	uint64_t took_ns;
};

struct lab_built {
	const struct lab_plan *plan;
	const struct lab_space *spaces; /* parallel to the plan's stations */
	const struct lab_space *node;
	const struct scratch *scratch;
};

/* Who shows what happens.  Each may be called several times, in this order. */
struct lab_view {
	lab_progress_fn *progress;
	void (*result)(const struct lab_result *result, void *user);
	void (*kept)(const struct lab_built *built, void *user); /* before it stays */
	void *user;
};

/*
 * 0, or 1 after a mismatch, or the command's exit status; -EINTR when a signal ended it; else
 * -errno with a sentence in @reterr.  In every case nothing is left behind but the process's own
 * private mount namespace.
 */
int lab_run(const struct lab_config *config, const struct lab_view *view, struct text *reterr);

const char *lab_topology_word(enum lab_topology topology);

#endif
