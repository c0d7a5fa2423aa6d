/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/agent_start.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util/mem.h"
#include "util/text.h"

#define STARTS 3
#define HOME   "/run/bench" /* in a mount namespace of its own */
#define POLICY HOME "/policy.yaml"

struct agent_figures {
	samples cpu_ms, anonymous_mb, rss_mb;
};

static int write_policy(const struct text *text)
{
	_fclose_ FILE *f = fopen(POLICY, "we");

	return f && fwrite(text->buf, 1, text->len, f) == text->len ? 0 : -EIO;
}

/* Nothing of it is seen outside, and all of it goes with the process. */
static int make_home(const struct text *text)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mkdir(HOME, 0700) ||
	    mkdir(HOME "/bpf", 0700) || mount("bpf", HOME "/bpf", "bpf", 0, NULL))
		return -errno;
	return write_policy(text);
}

static void become_agent(const struct text *text, int out)
{
	const char *program = getenv("BULKHEAD");
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	if (!program || make_home(text))
		_exit(EXIT_FAILURE);
	dup2(out, STDOUT_FILENO);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	execl(program, program, "run", "--policy", POLICY, "--socket", HOME "/socket",
	      "--state-dir", HOME "/state", "--bpffs", HOME "/bpf/bulkhead", NULL);
	_exit(EXIT_FAILURE);
}

/* The number of kB in that line of /proc/PID/smaps_rollup, in MB. */
static double memory_of(pid_t pid, const char *word)
{
	_text_ struct text path = TEXT_INIT;
	_fclose_ FILE *f = NULL;
	char line[256];

	text_addf(&path, "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path.buf, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, word, strlen(word)))
			return strtod(line + strlen(word), NULL) * 1024 / 1e6;
	}
	return 0;
}

static int watch(pid_t pid, FILE *from, struct agent_figures *figures)
{
	char line[256];

	while (fgets(line, sizeof(line), from)) {
		if (strcmp(line, "ready\n") != 0)
			continue;
		vec_push(&figures->anonymous_mb, memory_of(pid, "Anonymous:"));
		vec_push(&figures->rss_mb, memory_of(pid, "Rss:"));
		return 0;
	}
	return -ECHILD;
}

static double ms_of(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static int start_once(const struct text *text, struct agent_figures *figures)
{
	_fclose_ FILE *from = NULL;
	struct rusage usage;
	int pipes[2], err;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become_agent(text, pipes[1]);
	close(pipes[1]);
	from = fdopen(pipes[0], "r");
	err = pid > 0 && from ? watch(pid, from, figures) : -errno;
	if (pid > 0) {
		kill(pid, SIGKILL);
		wait4(pid, NULL, 0, &usage);
		if (!err)
			vec_push(&figures->cpu_ms, ms_of(&usage));
	}
	return err;
}

static void add(struct results *results, const char *what, const char *size,
		const struct metric *like)
{
	_text_ struct text name = TEXT_INIT;
	struct metric m = *like;

	text_addf(&name, "%s-%s", what, size);
	m.name = text_take(&name);
	results_add(results, &m);
}

int agent_start_measure(const struct shape *shape, const char *size, double goal_ms,
			struct results *results)
{
	_text_ struct text text = TEXT_INIT;
	struct agent_figures figures = {};
	int err = 0;

	shape_text(shape, false, &text);
	for (int i = 0; !err && i < STARTS; i++)
		err = start_once(&text, &figures);
	/* What an agent that does not start is worth is for others to say. */
	if (err) {
		add(results, "start", size,
		    &(struct metric){.unit = "ms", .problem = xstrdup("the agent does not start")});
	} else {
		add(results, "start", size,
		    &(struct metric){
			    .unit = "ms", .figure = figure_of(&figures.cpu_ms), .goal = goal_ms});
		add(results, "agent-anonymous", size,
		    &(struct metric){
			    .unit = "MB", .figure = figure_of(&figures.anonymous_mb), .goal = 8});
		add(results, "agent-rss", size,
		    &(struct metric){.unit = "MB", .figure = figure_of(&figures.rss_mb)});
	}
	vec_release(&figures.cpu_ms);
	vec_release(&figures.anonymous_mb);
	vec_release(&figures.rss_mb);
	return 0;
}
