/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lab/agents.h"
#include "lab/process.h"
#include "lab/rounds.h"
#include "lab/stations.h"
#include "lab/wiring.h"
#include "util/clock.h"
#include "util/mem.h"

#define EVENTS_AGAIN_MS 200 /* events come a little behind the packets */
#define EVENTS_TRIES    15

struct lab {
	const struct lab_config *config;
	const struct lab_view *view;
	struct lab_plan plan;
	struct scratch scratch;
	struct lab_space node;
	struct lab_space *spaces; /* parallel to the plan's stations; NULL: none yet */
	struct agents_setup setup;
	lab_agents agents;
	int signals;
	struct text *error;
};

const char *lab_topology_word(enum lab_topology topology)
{
	switch (topology) {
	case LAB_NODE_TOPOLOGY:
		return "node";
	case LAB_HOSTS_TOPOLOGY:
		return "hosts";
	}
	return "";
}

/* A station has a server on every probed port, and a batch of probes under way. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int open_space(struct lab *lab, const struct lab_role *role, struct lab_space *space)
{
	int err = lab_space_open(role, space, lab->error);

	if (err)
		return err;
	err = scratch_name_netns(role->name, space->netns);
	if (err)
		text_addf(lab->error, "namespace '%s' cannot be given its name: %s", role->name,
			  strerror(-err));
	return err;
}

static int open_spaces(struct lab *lab)
{
	struct lab_role node = {.name = LAB_NODE, .is_node = true};
	int err = open_space(lab, &node, &lab->node);

	lab->spaces = xcalloc(lab->plan.stations.count, sizeof(*lab->spaces));
	for (size_t i = 0; i < lab->plan.stations.count; i++)
		lab->spaces[i] = (struct lab_space)LAB_SPACE_INIT;
	for (size_t i = 0; !err && i < lab->plan.stations.count; i++) {
		/* A command brings servers of its own. */
		struct lab_role role = {.name = lab->plan.stations.items[i].netns,
					.plan = lab->config->command ? NULL : &lab->plan};

		err = open_space(lab, &role, &lab->spaces[i]);
		lab->view->progress("building", i + 1, lab->plan.stations.count, lab->view->user);
	}
	return err;
}

static int build(struct lab *lab)
{
	int err = lab_plan(lab->config->compiled, &lab->plan, lab->error);

	if (!err)
		err = scratch_open(&lab->scratch, lab->error);
	if (!err)
		err = open_spaces(lab);
	if (!err)
		err = wiring_build(&lab->plan, &lab->node, lab->spaces, lab->error);
	if (err)
		return err;
	lab->setup = (struct agents_setup){
		.plan = &lab->plan,
		.files = lab->config->files,
		.file_count = lab->config->file_count,
		.scratch = &lab->scratch,
		.repetitions = lab->config->repetitions,
		.node = &lab->node,
		.stations = lab->spaces,
		.is_hosts = lab->config->topology == LAB_HOSTS_TOPOLOGY,
		.signals = lab->signals,
		.progress = lab->view->progress,
		.user = lab->view->user,
	};
	return agents_start(&lab->setup, &lab->agents, lab->error);
}

static void take_down(struct lab *lab)
{
	agents_kill(&lab->agents);
	for (size_t i = 0; lab->spaces && i < lab->plan.stations.count; i++)
		lab_space_close(&lab->spaces[i]);
	lab_space_close(&lab->node);
	process_kill_rest();
	free(lab->spaces);
	scratch_close(&lab->scratch);
	lab_plan_release(&lab->plan);
}

static bool has_all_drops(const struct lab_plan *plan)
{
	vec_foreach (p, &plan->probes)
		if (lab_probe_is_as_expected(p) && !truth_is_ok(p))
			return false;
	return true;
}

/* Reads the events until every denied probe has one, or time is up. */
static int read_events(struct lab *lab, struct lab_events *events)
{
	for (unsigned int n = 0; n < EVENTS_TRIES; n++) {
		_text_ struct text lines = TEXT_INIT;
		int err = agents_observe(&lab->setup, &lab->agents, &lines, lab->error);

		lab->view->progress("reading events", n + 1, EVENTS_TRIES, lab->view->user);
		if (err)
			return err;
		lab_events_release(events);
		lab_events_read(lines.buf, events);
		truth_count_drops(&lab->plan, events);
		if (has_all_drops(&lab->plan))
			return 0;
		err = process_poll(lab->signals, NULL, 0, EVENTS_AGAIN_MS);
		if (err < 0)
			return err;
	}
	return 0;
}

static void report(const struct lab *lab, const struct lab_events *events, uint64_t since_ns,
		   int *ret_status)
{
	_truth_ struct truth truth = {};
	struct lab_result result = {.config = lab->config, .plan = &lab->plan, .truth = &truth};

	truth_make(lab->config->compiled, &lab->plan, events, lab->config->repetitions, &truth);
	result.took_ns = clock_monotonic_ns() - since_ns;
	lab->view->result(&result, lab->view->user);
	*ret_status = truth.mismatches ? 1 : 0;
}

static int stay(struct lab *lab)
{
	struct lab_built built = {.plan = &lab->plan,
				  .spaces = lab->spaces,
				  .node = &lab->node,
				  .scratch = &lab->scratch};

	lab->view->kept(&built, lab->view->user);
	return process_poll(lab->signals, NULL, 0, -1);
}

static int probe(struct lab *lab, uint64_t since_ns, int *ret_status)
{
	_lab_events_ struct lab_events events = {};
	struct rounds rounds = {
		.plan = &lab->plan,
		.spaces = lab->spaces,
		.signals = lab->signals,
		.timeout_ms = lab->config->timeout_ms,
		.repetitions = lab->config->repetitions,
		.view = lab->view,
	};
	int err = rounds_run(&rounds);

	if (err == -EIO)
		text_add(lab->error, "a station has died");
	if (!err)
		err = read_events(lab, &events);
	if (err)
		return err;
	report(lab, &events, since_ns, ret_status);
	/* The signal that ends the stay is how it is meant to end. */
	if (lab->config->is_kept)
		stay(lab);
	return 0;
}

/* The command finds the namespaces under /run/netns, and the rest by these. */
static int run_command(struct lab *lab, int *ret_status)
{
	struct process_spec spec = {.argv = lab->config->command, .netns = -1, .out = -1};
	_text_ struct text socket = TEXT_INIT;
	pid_t pid;
	int status;

	setenv("BULKHEAD_LAB_DIR", lab->scratch.path, 1);
	setenv("BULKHEAD_TOPOLOGY", lab_topology_word(lab->config->topology), 1);
	unsetenv("BULKHEAD_SOCKET");
	if (lab->config->topology == LAB_NODE_TOPOLOGY)
		setenv("BULKHEAD_SOCKET", scratch_path(&lab->scratch, LAB_NODE, ".sock", &socket),
		       1);
	pid = process_start(&spec);
	if (pid < 0) {
		text_addf(lab->error, "the command cannot be started: %s", strerror(-pid));
		return pid;
	}
	status = process_wait(lab->signals, &pid);
	process_kill(&pid);
	if (status < 0)
		return status;
	*ret_status = status;
	return 0;
}

int lab_run(const struct lab_config *config, const struct lab_view *view, struct text *reterr)
{
	struct lab lab = {.config = config, .view = view, .error = reterr};
	uint64_t since_ns = clock_monotonic_ns();
	int status = 0, err;

	lab.scratch = (struct scratch)SCRATCH_INIT;
	lab.node = (struct lab_space)LAB_SPACE_INIT;
	lab.signals = process_open();
	if (lab.signals < 0) {
		text_addf(reterr, "signals cannot be taken: %s", strerror(-lab.signals));
		return lab.signals;
	}
	raise_descriptor_limit();
	err = build(&lab);
	if (!err)
		err = config->command ? run_command(&lab, &status) : probe(&lab, since_ns, &status);
	take_down(&lab);
	process_close(lab.signals);
	return err ? err : status;
}
