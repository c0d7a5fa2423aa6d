/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What our programs cost, beside others.  Prints; judges nothing. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <bpf/bpf.h>

#include "tests/bench/costs.h"
#include "tests/bench/events.h"
#include "tests/bench/live.h"
#include "tests/bench/scales.h"
#include "tests/bench/verifier.h"
#include "util/mem.h"

struct options {
	bool is_quick;
	const char *json;
	const char *only; /* a part's name; NULL: all */
	struct effort effort;
};

static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* NAME,HOOK,PINNED_PROG */
static int parse_peer(char *text, struct effort *effort)
{
	char *hook = strchr(text, ','), *path = hook ? strchr(hook + 1, ',') : NULL;
	struct peer peer = {};

	if (!path)
		return -EINVAL;
	*hook++ = '\0';
	*path++ = '\0';
	if (strcmp(hook, "xdp") != 0 && strcmp(hook, "tc") != 0)
		return -EINVAL;
	peer.target.hook = !strcmp(hook, "tc") ? BENCH_TC : BENCH_XDP;
	peer.target.fd = bpf_obj_get(path);
	if (peer.target.fd < 0) {
		fprintf(stderr, "bench: cannot open '%s': %s\n", path, strerror(errno));
		return -EINVAL;
	}
	peer.name = xstrdup(text);
	vec_push(&effort->peers, peer);
	return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"quick", no_argument, NULL, 'q'},
		{"json", required_argument, NULL, 'j'},
		{"peer", required_argument, NULL, 'p'},
		{"only", required_argument, NULL, 'o'},
		{},
	};
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q')
			o->is_quick = true;
		else if (c == 'j')
			o->json = optarg;
		else if (c == 'o')
			o->only = optarg;
		else
			err = c == 'p' ? parse_peer(optarg, &o->effort) : -EINVAL;
	}
	o->effort.rounds = o->is_quick ? 11 : 15;
	o->effort.packets = o->is_quick ? 30000 : 200000;
	return err ? err : optind == argc ? 0 : -EINVAL;
}

static int measure_packets(const struct options *o, struct results *results)
{
	return scales_measure(&o->effort, !o->is_quick, results);
}

static int measure_policies(const struct options *o, struct results *results)
{
	return costs_measure(!o->is_quick, results);
}

static int measure_events(const struct options *o, struct results *results)
{
	return events_measure(!o->is_quick, results);
}

static int measure_live(const struct options *o, struct results *results)
{
	return live_measure(!o->is_quick, results);
}

static int measure_verifier(const struct options *o, struct results *results)
{
	(void)o;
	return verifier_measure(results);
}

static const struct {
	const char *name;
	int (*measure)(const struct options *o, struct results *results);
} parts[] = {
	{"packets", measure_packets},   {"events", measure_events},     {"live", measure_live},
	{"policies", measure_policies}, {"verifier", measure_verifier},
};

static int run(const struct options *o)
{
	struct results results = {};
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(parts); i++) {
		if (!o->only || !strcmp(o->only, parts[i].name))
			err = parts[i].measure(o, &results);
	}
	if (err)
		fprintf(stderr, "bench: ended: %s\n", strerror(-err));
	results_print(&results, stdout);
	if (!err && o->json)
		err = results_write(&results, o->json);
	results_release(&results);
	return err;
}

/* Interfaces, rules, and what tools pin: all of it goes with this process. */
static int leave_machine(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {};
	int err = parse(argc, argv, &o);

	if (err) {
		fprintf(stderr,
			"usage: %s [--quick] [--json FILE] [--peer NAME,xdp|tc,PINNED_PROG]…\n"
			"       [--only packets|events|live|policies|verifier]\n",
			argv[0]);
		return 2;
	}
	err = leave_machine();
	if (err) {
		fprintf(stderr, "bench: needs root: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	stay_on_this_cpu();
	err = run(&o);
	vec_foreach (peer, &o.effort.peers) {
		close(peer->target.fd);
		free(peer->name);
	}
	vec_release(&o.effort.peers);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
