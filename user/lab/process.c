/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/mem.h"

#define READ_BYTES 65536

static sigset_t ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

int process_open(void)
{
	sigset_t set = ending_signals();
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		int err = -errno;

		closep(&fd);
		return err;
	}
	return fd;
}

void process_close(int signals)
{
	struct signalfd_siginfo info;
	sigset_t set = ending_signals();

	/* What ended the lab must not end the process as well, which still has to tell. */
	while (read(signals, &info, sizeof(info)) == sizeof(info))
		;
	close(signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int process_poll(int signals, struct pollfd *fds, size_t count, int timeout_ms)
{
	_free_ struct pollfd *all = xcalloc(count + 1, sizeof(*all));
	int n;

	for (size_t i = 0; i < count; i++)
		all[i] = fds[i];
	all[count] = (struct pollfd){.fd = signals, .events = POLLIN};
	n = poll(all, count + 1, timeout_ms);
	if (n < 0)
		return -errno;
	if (all[count].revents)
		return -EINTR;
	for (size_t i = 0; i < count; i++)
		fds[i].revents = all[i].revents;
	return n;
}

static int redirect(const struct process_spec *spec)
{
	if (spec->netns >= 0 && setns(spec->netns, CLONE_NEWNET) < 0)
		return -errno;
	if (spec->out >= 0 && dup2(spec->out, STDOUT_FILENO) < 0)
		return -errno;
	if (spec->log) {
		_close_ int fd = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || setpgid(0, 0) < 0)
			return -errno;
	}
	return 0;
}

static _Noreturn void child_main(const struct process_spec *spec, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || redirect(spec))
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(spec->argv[0], (char *const *)spec->argv);
	dprintf(STDERR_FILENO, "bulkhead: lab: '%s' cannot be run: %m\n", spec->argv[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

pid_t process_start(const struct process_spec *spec)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid)
		child_main(spec, parent);
	return pid < 0 ? -errno : pid;
}

void process_kill(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static int reap(pid_t *pid)
{
	int status;

	if (waitpid(*pid, &status, 0) < 0)
		return -errno;
	*pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int process_wait(int signals, pid_t *pid)
{
	_close_ int fd = syscall(SYS_pidfd_open, *pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int n;

	if (fd < 0)
		return -errno;
	n = process_poll(signals, &end, 1, -1);
	return n < 0 ? n : reap(pid);
}

static int read_all(int signals, int fd, struct text *out)
{
	_free_ char *bytes = xmalloc(READ_BYTES);
	struct pollfd in = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		int err = process_poll(signals, &in, 1, -1);

		if (err < 0)
			return err;
		n = read(fd, bytes, READ_BYTES);
		if (n < 0)
			return -errno;
		text_addn(out, bytes, n);
	} while (n);
	return 0;
}

int process_output(int signals, const struct process_spec *spec, struct text *out)
{
	struct process_spec piped = *spec;
	_close_ int in = -1;
	int pipes[2], err;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	piped.out = pipes[1];
	pid = process_start(&piped);
	close(pipes[1]);
	if (pid < 0)
		return pid;
	err = read_all(signals, in, out);
	if (!err)
		return reap(&pid);
	process_kill(&pid);
	return err;
}

void process_kill_rest(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	for (;;) {
		_fclose_ FILE *f = fopen(path, "re");
		bool is_empty = true;
		int pid;

		while (f && fscanf(f, "%d", &pid) == 1) {
			kill(pid, SIGKILL);
			is_empty = false;
		}
		/* The children of a child that dies become ours in turn. */
		if (is_empty || wait(NULL) < 0)
			return;
	}
}
