/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/agents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lab/process.h"
#include "lab/stations.h"
#include "lab/wiring.h"
#include "util/clock.h"
#include "util/mem.h"
#include "util/source.h"

#define NS_PER_S         1000000000ull
#define SELF             "/proc/self/exe"
#define READY_S          180 /* for the first agent to enforce */
#define READY_MORE_S     15  /* and as much more for each of the others: the verifier is slow */
#define EVENTS_PER_PROBE 8   /* retries, resent packets and both ends included */
#define MIN_HISTORY      10000
#define MAX_HISTORY      10000000 /* what an agent takes */

/* A command line that owns its words. */
typedef VEC(char *) words;

static void words_release(words *w)
{
	vec_foreach (word, w)
		free(*word);
	vec_release(w);
}
#define _words_ _cleanup_(words_release)

static void add_pair(words *w, const char *option, const char *value)
{
	vec_push(w, xstrdup(option));
	vec_push(w, xstrdup(value));
}

static void add_number(words *w, const char *option, size_t value)
{
	_text_ struct text number = TEXT_INIT;

	text_addf(&number, "%zu", value);
	add_pair(w, option, number.buf);
}

static void add_path(words *w, const char *option, const struct agents_setup *setup,
		     const char *name, const char *suffix)
{
	_text_ struct text path = TEXT_INIT;

	add_pair(w, option, scratch_path(setup->scratch, name, suffix, &path));
}

static size_t history(const struct agents_setup *setup)
{
	size_t n = MIN_HISTORY + setup->plan->probes.count * EVENTS_PER_PROBE * setup->repetitions;

	return n < MAX_HISTORY ? n : MAX_HISTORY;
}

/* VETH=ADDRESS[,ADDRESS] */
static void add_veth(words *w, const struct lab_station *s)
{
	_text_ struct text value = TEXT_INIT;
	char separator = '=';

	text_add(&value, s->interface);
	for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++) {
		char address[ADDRESS_STRLEN];

		if (!s->has[f])
			continue;
		text_addc(&value, separator);
		text_add(&value, addr_format(&s->addr[f], address));
		separator = ',';
	}
	add_pair(w, "--attach", value.buf);
}

static void add_run(words *w, const struct agents_setup *setup, const struct lab_agent *agent)
{
	_text_ struct text pins = TEXT_INIT;

	vec_push(w, xstrdup(SELF));
	vec_push(w, xstrdup("run"));
	for (size_t i = 0; i < setup->file_count; i++)
		add_pair(w, "--policy", setup->files[i]);
	if (setup->is_hosts)
		add_pair(w, "--attach", LAB_NIC);
	else
		vec_foreach (s, &setup->plan->stations)
			add_veth(w, s);
	add_number(w, "--event-rate", 0);
	add_number(w, "--history", history(setup));
	add_number(w, "--adopt", 0);
	add_path(w, "--socket", setup, agent->name, ".sock");
	add_path(w, "--state-dir", setup, agent->name, ".state");
	text_addf(&pins, "bpf/%s", agent->name);
	add_path(w, "--bpffs", setup, pins.buf, "");
	vec_push(w, NULL);
}

static int start_agent(const struct agents_setup *setup, struct lab_agent *agent)
{
	_text_ struct text log = TEXT_INIT;
	_words_ words argv = {};
	struct process_spec spec = {
		.netns = agent->netns,
		.log = scratch_path(setup->scratch, agent->name, ".log", &log),
	};
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	add_run(&argv, setup, agent);
	spec.argv = (const char *const *)argv.items;
	spec.out = pipes[1];
	pid = process_start(&spec);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return pid;
	}
	agent->pid = pid;
	agent->out = pipes[0];
	return 0;
}

/* What an agent that failed had to say, as the end of the sentence. */
static void add_log(const struct agents_setup *setup, const struct lab_agent *agent,
		    struct text *out)
{
	_text_ struct text path = TEXT_INIT;
	struct source log = {};

	if (source_read(scratch_path(setup->scratch, agent->name, ".log", &path), &log))
		return;
	while (log.len && log.text[log.len - 1] == '\n')
		log.text[--log.len] = '\0';
	if (log.len)
		text_addf(out, ":\n%s", log.text);
	source_release(&log);
}

static int wait_until_ready(const struct agents_setup *setup, const struct lab_agent *agent,
			    uint64_t deadline_ns, struct text *reterr)
{
	struct pollfd in = {.fd = agent->out, .events = POLLIN};
	uint64_t now = clock_monotonic_ns();
	char word[64] = {};
	int n = process_poll(setup->signals, &in, 1,
			     now < deadline_ns ? (deadline_ns - now) / 1000000 : 0);

	if (n < 0)
		return n;
	if (n && read(agent->out, word, sizeof(word) - 1) > 0 && !strncmp(word, "ready", 5))
		return 0;
	text_addf(reterr, "the agent on '%s' %s", agent->name,
		  n ? "does not start" : "is not ready in time");
	add_log(setup, agent, reterr);
	return n ? -ECHILD : -ETIMEDOUT;
}

static void add_agents(const struct agents_setup *setup, lab_agents *agents)
{
	if (!setup->is_hosts) {
		vec_push(agents, (struct lab_agent){
					 .out = -1, .netns = setup->node->netns, .name = LAB_NODE});
		return;
	}
	for (size_t i = 0; i < setup->plan->stations.count; i++)
		vec_push(agents,
			 (struct lab_agent){.out = -1,
					    .netns = setup->stations[i].netns,
					    .name = setup->plan->stations.items[i].interface});
}

int agents_start(const struct agents_setup *setup, lab_agents *ret, struct text *reterr)
{
	lab_agents agents = {};
	uint64_t deadline_ns;
	int err = 0;

	add_agents(setup, &agents);
	deadline_ns = clock_monotonic_ns() + (READY_S + agents.count * READY_MORE_S) * NS_PER_S;
	for (size_t i = 0; !err && i < agents.count; i++) {
		err = start_agent(setup, &agents.items[i]);
		if (err)
			text_addf(reterr, "an agent cannot be started: %s", strerror(-err));
	}
	for (size_t i = 0; !err && i < agents.count; i++) {
		setup->progress("starting agents", i, agents.count, setup->user);
		err = wait_until_ready(setup, &agents.items[i], deadline_ns, reterr);
	}
	if (err) {
		agents_kill(&agents);
		return err;
	}
	*ret = agents;
	return 0;
}

static int observe(const struct agents_setup *setup, const struct lab_agent *agent,
		   struct text *out, struct text *reterr)
{
	_text_ struct text log = TEXT_INIT;
	_words_ words argv = {};
	struct process_spec spec = {
		.netns = -1,
		.log = scratch_path(setup->scratch, agent->name, ".log", &log),
	};
	int err;

	vec_push(&argv, xstrdup(SELF));
	vec_push(&argv, xstrdup("observe"));
	add_number(&argv, "--last", history(setup));
	add_pair(&argv, "-o", "json");
	add_path(&argv, "--socket", setup, agent->name, ".sock");
	vec_push(&argv, NULL);
	spec.argv = (const char *const *)argv.items;
	err = process_output(setup->signals, &spec, out);
	if (err <= 0)
		return err;
	text_addf(reterr, "events of the agent on '%s' cannot be read", agent->name);
	add_log(setup, agent, reterr);
	return -EIO;
}

int agents_observe(const struct agents_setup *setup, const lab_agents *agents, struct text *out,
		   struct text *reterr)
{
	int err = 0;

	for (size_t i = 0; !err && i < agents->count; i++)
		err = observe(setup, &agents->items[i], out, reterr);
	return err;
}

void agents_kill(lab_agents *agents)
{
	vec_foreach (agent, agents) {
		process_kill(&agent->pid);
		closep(&agent->out);
	}
	vec_release(agents);
}
