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

#include "tests/bench/policy_costs.h"
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

/* The text up to the next comma, which becomes its end; *at is behind it, NULL at the last. */
static char *take_field(char **at)
{
	char *field = *at, *comma = field ? strchr(field, ',') : NULL;

	*at = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	return field;
}

static int open_pin(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0)
		fprintf(stderr, "bench: cannot open '%s': %s\n", path, strerror(errno));
	return fd;
}

/* NAME,HOOK,PINNED_PROG[,PINNED_PROG] */
static int parse_peer(char *text, struct effort *effort)
{
	const char *name = take_field(&text), *hook = take_field(&text);
	const char *path = take_field(&text), *reply = take_field(&text);
	struct peer peer = {.reply = {BENCH_TC, -1}};

	if (!path || (strcmp(hook, "xdp") != 0 && strcmp(hook, "tc") != 0))
		return -EINVAL;
	peer.target.hook = !strcmp(hook, "tc") ? BENCH_TC : BENCH_XDP;
	peer.target.fd = open_pin(path);
	if (reply)
		peer.reply.fd = open_pin(reply);
	if (peer.target.fd < 0 || (reply && peer.reply.fd < 0))
		return -EINVAL;
	peer.name = xstrdup(name);
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
	o->effort.packets = o->is_quick ? 30000 : 100000;
	return err ? err : optind == argc ? 0 : -EINVAL;
}

static int measure_packets(struct options *o, struct results *results)
{
	return scales_measure(&o->effort, !o->is_quick, results);
}

static int measure_policies(struct options *o, struct results *results)
{
	return policy_costs_measure(!o->is_quick, results);
}

static int measure_events(struct options *o, struct results *results)
{
	return events_measure(!o->is_quick, results);
}

static int measure_live(struct options *o, struct results *results)
{
	return live_measure(!o->is_quick, results);
}

static int measure_verifier(struct options *o, struct results *results)
{
	(void)o;
	return verifier_measure(results);
}

static const struct {
	const char *name;
	int (*measure)(struct options *o, struct results *results);
} parts[] = {
	{"packets", measure_packets},   {"events", measure_events},     {"live", measure_live},
	{"policies", measure_policies}, {"verifier", measure_verifier},
};

static int run(struct options *o)
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
			"usage: %s [--quick] [--json FILE] [--only "
			"packets|events|live|policies|verifier]\n"
			"       [--peer NAME,xdp|tc,PINNED_PROG[,PINNED_PROG_OF_REPLIES]]…\n",
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
		closep(&peer->reply.fd);
		free(peer->name);
	}
	vec_release(&o.effort.peers);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
