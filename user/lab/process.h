/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs that the lab runs, and signals that end it. */
#ifndef LAB_PROCESS_H
#define LAB_PROCESS_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/text.h"

/*
 * From here on SIGINT and SIGTERM end a wait with -EINTR instead of the process, and orphans of our
 * children become ours.  Returns a descriptor for process_poll(), or -errno.
 */
int process_open(void);
void process_close(int signals);

/* As poll(), on @fds and for signals: -EINTR if one came; 0 on timeout. */
int process_poll(int signals, struct pollfd *fds, size_t count, int timeout_ms);

struct process_spec {
	const char *const *argv; /* ends in NULL; [0] is looked up in PATH, or an absolute path */
	int netns;               /* -1: the caller's */
	int out;                 /* standard output; -1: the caller's */
	const char *log;         /* standard error goes to this file; NULL: the caller's */
};

/* The child dies with the caller, and gets no signal from the terminal if it has a log. */
pid_t process_start(const struct process_spec *spec); /* or -errno */
void process_kill(pid_t *pid);

/* Waits for a child; its exit status, 128 + the signal that ended it, or -errno. */
int process_wait(int signals, pid_t *pid);

/* Runs a program and takes all that it prints.  As process_wait(). */
int process_output(int signals, const struct process_spec *spec, struct text *out);

/* Kills whatever is left of our children and their orphans. */
void process_kill_rest(void);

#endif
