/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/agent_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bpf/bpf.h>

#include "util/clock.h"
#include "util/mem.h"

#define HOME     "/run/bench" /* in a mount namespace of its own */
#define POLICY   HOME "/policy"
#define PINS     HOME "/bpf/bulkhead"
#define MAPS_MAX 64

/* Up to the next document; NULL: there is none. */
static int write_document(const char *from, const char *next, int number)
{
	size_t len = next ? (size_t)(next - from) : strlen(from);
	_text_ struct text path = TEXT_INIT;
	_fclose_ FILE *f = NULL;

	text_addf(&path, POLICY "/%d.yaml", number);
	f = fopen(path.buf, "we");
	return f && fwrite(from, 1, len, f) == len ? 0 : -EIO;
}

/* Each document is a file: all of them may be larger than one may be. */
static int write_policy(const struct text *text)
{
	const char *next, *at = text->buf;
	int err = 0;

	for (int number = 0; !err && at; number++, at = next) {
		next = strstr(at + 1, "\n---\n");
		err = write_document(at, next, number);
	}
	return err;
}

/* Nothing of it is seen outside, and all of it goes with the process. */
static int make_home(const struct text *text)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mkdir(HOME, 0700) || mkdir(POLICY, 0700) ||
	    mkdir(HOME "/bpf", 0700) || mount("bpf", HOME "/bpf", "bpf", 0, NULL))
		return -errno;
	return write_policy(text);
}

/* Where it lives: a new home with @policy in it, or that of @mounts. */
struct home {
	const struct text *policy;
	int mounts;
};

static int enter_home(const struct home *home)
{
	if (home->policy)
		return make_home(home->policy);
	return setns(home->mounts, CLONE_NEWNS) ? -errno : 0;
}

static void become_agent(const struct home *home, const char *attach, int out)
{
	const char *program = getenv("BULKHEAD");
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	if (!program || enter_home(home))
		_exit(EXIT_FAILURE);
	dup2(out, STDOUT_FILENO);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	execl(program, program, "run", "--policy", POLICY, "--socket", HOME "/socket",
	      "--state-dir", HOME "/state", "--bpffs", PINS, attach ? "--attach" : NULL, attach,
	      NULL);
	_exit(EXIT_FAILURE);
}

static int wait_until_ready(FILE *from)
{
	char line[256];

	while (fgets(line, sizeof(line), from)) {
		if (!strcmp(line, "ready\n"))
			return 0;
	}
	return -ECHILD;
}

static int begin(const struct home *home, const char *attach, struct agent_run *ret)
{
	_fclose_ FILE *from = NULL;
	uint64_t start = clock_monotonic_ns();
	struct agent_run run;
	int pipes[2], err;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	run.pid = fork();
	if (!run.pid)
		become_agent(home, attach, pipes[1]);
	close(pipes[1]);
	from = fdopen(pipes[0], "r");
	err = run.pid > 0 && from ? wait_until_ready(from) : -errno;
	run.ready_ms = (double)(clock_monotonic_ns() - start) / 1e6;
	if (err)
		agent_run_end(&run, NULL);
	else
		*ret = run;
	return err;
}

int agent_run_begin(const struct text *policy, const char *attach, struct agent_run *ret)
{
	return begin(&(struct home){.policy = policy}, attach, ret);
}

int agent_run_again(struct agent_run *run, const char *attach, struct rusage *ret_usage)
{
	_text_ struct text path = TEXT_INIT;
	_close_ int mounts = -1;

	text_addf(&path, "/proc/%d/ns/mnt", (int)run->pid);
	mounts = open(path.buf, O_RDONLY | O_CLOEXEC);
	if (mounts < 0)
		return -errno;
	agent_run_end(run, ret_usage);
	return begin(&(struct home){.mounts = mounts}, attach, run);
}

void agent_run_end(struct agent_run *run, struct rusage *ret_usage)
{
	if (run->pid <= 0)
		return;
	kill(run->pid, SIGKILL);
	wait4(run->pid, NULL, 0, ret_usage);
	run->pid = 0;
}

int agent_run_program(const struct agent_run *run, const char *interface, bool is_egress)
{
	_text_ struct text path = TEXT_INIT;
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);
	int link, err;

	text_addf(&path, "/proc/%d/root" PINS "/links/%u-%s", (int)run->pid,
		  if_nametoindex(interface), is_egress ? "out" : "in");
	link = bpf_obj_get(path.buf);
	if (link < 0)
		return link;
	err = bpf_obj_get_info_by_fd(link, &info, &len);
	close(link);
	return err ? err : bpf_prog_get_fd_by_id(info.prog_id);
}

/* --- memory --- */

static double kb_in(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) != 0 ? 0 : strtod(line + len, NULL);
}

/* "START-END RWXP OFFSET DEV INODE /path" */
static bool is_mapping(const char *line)
{
	unsigned long long start, end;

	return sscanf(line, "%llx-%llx ", &start, &end) == 2;
}

double agent_run_memory(const struct agent_run *run, bool with_files)
{
	_text_ struct text path = TEXT_INIT;
	_fclose_ FILE *f = NULL;
	char line[512];
	bool is_file = false;
	double kb = 0;

	text_addf(&path, "/proc/%d/smaps", (int)run->pid);
	f = fopen(path.buf, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (is_mapping(line))
			is_file = strchr(line, '/') != NULL;
		else if (with_files || !is_file)
			kb += kb_in(line, "Rss:");
	}
	return kb * 1024 / 1e6;
}

struct seen_maps {
	uint32_t ids[MAPS_MAX];
	size_t count;
};

static bool is_seen(struct seen_maps *seen, uint32_t id)
{
	for (size_t i = 0; i < seen->count; i++) {
		if (seen->ids[i] == id)
			return true;
	}
	if (seen->count < MAPS_MAX)
		seen->ids[seen->count++] = id;
	return false;
}

/* Bytes of the map that the descriptor is of; 0: of none, or of one that was seen. */
static double map_bytes(FILE *f, struct seen_maps *seen)
{
	double bytes = 0;
	uint32_t id = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		bytes += kb_in(line, "memlock:");
		id += (uint32_t)kb_in(line, "map_id:");
	}
	return id && !is_seen(seen, id) ? bytes : 0;
}

double agent_run_maps(const struct agent_run *run)
{
	_text_ struct text path = TEXT_INIT;
	struct seen_maps seen = {};
	struct dirent *entry;
	double bytes = 0;
	DIR *dir;

	text_addf(&path, "/proc/%d/fdinfo", (int)run->pid);
	dir = opendir(path.buf);
	while (dir && (entry = readdir(dir))) {
		_text_ struct text one = TEXT_INIT;
		_fclose_ FILE *f = NULL;

		text_addf(&one, "%s/%s", path.buf, entry->d_name);
		f = fopen(one.buf, "re");
		bytes += map_bytes(f, &seen);
	}
	if (dir)
		closedir(dir);
	return bytes / 1e6;
}
