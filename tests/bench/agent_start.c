/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/agent_start.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/agent_run.h"
#include "tests/bench/figures.h"
#include "util/mem.h"

#define INTERFACE "start0"
#define SETTLE_US 500000 /* it gives back what it needed only to start */

/* clang-format off */
#define FIGURES(X)                                                                  \
	X(CPU,   "start",       "ms")                                               \
	X(READY, "start-ready", "ms") /* on the wall */                             \
	X(AGAIN, "start-again-ready", "ms") /* after a kill, with what it pinned */ \
	X(OWN,   "agent-rss",   "MB") /* without what is mapped from files */       \
	X(ALL,   "agent-rss-and-libraries", "MB")                                   \
	X(MAPS,  "maps",        "MB")

/* clang-format on */

FIGURES_DEFINE(FIGURES);

static double ms_of(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static int start_once(const struct text *text, samples *seen)
{
	struct rusage usage;
	struct agent_run run;
	int err = agent_run_begin(text, INTERFACE, &run);

	if (err)
		return err;
	vec_push(&seen[FIGURE_READY], run.ready_ms);
	usleep(SETTLE_US);
	vec_push(&seen[FIGURE_OWN], agent_run_memory(&run, false));
	vec_push(&seen[FIGURE_ALL], agent_run_memory(&run, true));
	vec_push(&seen[FIGURE_MAPS], agent_run_maps(&run));
	err = agent_run_again(&run, INTERFACE, &usage);
	if (err)
		return err;
	vec_push(&seen[FIGURE_CPU], ms_of(&usage));
	vec_push(&seen[FIGURE_AGAIN], run.ready_ms);
	agent_run_end(&run, NULL);
	return 0;
}

void agent_start_measure(const struct shape *shape, const char *size, int starts,
			 const struct agent_goals *goals, struct results *results)
{
	const double of[FIGURE_COUNT] = {[FIGURE_READY] = goals->ready_ms,
					 [FIGURE_AGAIN] = goals->ready_ms,
					 [FIGURE_OWN] = goals->rss_mb,
					 [FIGURE_MAPS] = goals->maps_mb};
	_text_ struct text text = TEXT_INIT;
	samples seen[FIGURE_COUNT] = {};
	int err = 0;

	shape_text(shape, false, &text);
	if (system("ip link add " INTERFACE " type veth peer name start1"))
		err = -ENODEV;
	for (int i = 0; !err && i < starts; i++)
		err = start_once(&text, seen);
	if (system("ip link delete " INTERFACE))
		fprintf(stderr, "bench: interface '" INTERFACE "' stays\n");
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_add(&figures[i], size, &seen[i], of[i],
			   err ? "the agent does not start" : NULL, results);
}
