/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What our programs cost, beside others.  Prints; judges nothing. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/measure.h"
#include "util/mem.h"

#define EVENT_RATE_LEAST 1 /* a second: nearly all are suppressed */

/* What is measured at one size of everything. */
struct scale {
	const char *size;
	struct shape shape;
	uint32_t flows;
	double established, fresh, denied, denied_event; /* goals; 0: there is none */
};

/* clang-format off */
static const struct scale scales[] = {
	{"10",  {   10,    10,    10},    10, 20, 120, 40, 150},
	{"10k", {10000, 10000, 10000}, 10000, 20, 120, 40, 150},
};
/* clang-format on */

struct options {
	bool is_quick;
	const char *json;
	struct effort effort;
};

static int measure_both_families(struct bed *bed, struct task task, const struct effort *effort,
				 struct results *results)
{
	int err = 0;

	for (int i = 0; !err && i < 4; i++) {
		task.hook = i & 1 ? BENCH_TC : BENCH_XDP;
		task.is_v6 = i >> 1;
		err = measure(bed, &task, effort, results);
	}
	return err;
}

static int measure_kinds(struct wrapper *w, const struct scale *scale, const struct effort *effort,
			 struct results *results)
{
	const struct task tasks[] = {
		{.kind = BENCH_ESTABLISHED, .goal = scale->established},
		{.kind = BENCH_NEW, .goal = scale->fresh},
		{.kind = BENCH_DENIED, .goal = scale->denied},
		{.kind = BENCH_REVOKED},
	};
	uint64_t count = 0;
	struct bed bed;
	int err = bed_open(w, &scale->shape, EVENT_RATE_LEAST, &bed);

	if (err)
		return err;
	err = bed_listen(&bed, &count);
	for (size_t i = 0; !err && i < COUNT(tasks); i++) {
		struct task task = tasks[i];

		task.size = scale->size;
		task.flows = scale->flows;
		/* One burst of a few packets has no time that could be measured. */
		if (task.kind != BENCH_REVOKED || task.flows >= 1000)
			err = measure_both_families(&bed, task, effort, results);
	}
	bed_release(&bed);
	return err;
}

static int measure_events(struct wrapper *w, const struct scale *scale, const struct effort *effort,
			  struct results *results)
{
	const struct task task = {
		.kind = BENCH_DENIED_EVENT,
		.goal = scale->denied_event,
		.size = scale->size,
		.flows = scale->flows,
	};
	struct bed bed;
	int err = bed_open(w, &scale->shape, 0, &bed);

	if (err)
		return err;
	err = measure_both_families(&bed, task, effort, results);
	bed_release(&bed);
	return err;
}

static int measure_all(const struct options *o, struct results *results)
{
	struct wrapper *w;
	int err = wrapper_open(&w);

	if (err)
		return err;
	for (size_t i = 0; !err && i < COUNT(scales); i++) {
		fprintf(stderr, "%s identities, rules and flows\n", scales[i].size);
		err = measure_kinds(w, &scales[i], &o->effort, results);
		if (!err)
			err = measure_events(w, &scales[i], &o->effort, results);
	}
	wrapper_free(w);
	return err;
}

static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"quick", no_argument, NULL, 'q'},
		{"json", required_argument, NULL, 'j'},
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q')
			o->is_quick = true;
		else if (c == 'j')
			o->json = optarg;
		else
			return -EINVAL;
	}
	o->effort.rounds = o->is_quick ? 11 : 15;
	o->effort.packets = o->is_quick ? 100000 : 300000;
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options o = {};
	struct results results = {};
	int err;

	if (parse(argc, argv, &o)) {
		fprintf(stderr, "usage: %s [--quick] [--json FILE]\n", argv[0]);
		return 2;
	}
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "bench: needs root\n");
		return EXIT_FAILURE;
	}
	stay_on_this_cpu();
	err = measure_all(&o, &results);
	if (err)
		fprintf(stderr, "bench: ended: %s\n", strerror(-err));
	results_print(&results, stdout);
	if (!err && o.json)
		err = results_write(&results, o.json);
	results_release(&results);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
