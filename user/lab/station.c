/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/station.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lab/prober.h"
#include "lab/responder.h"
#include "util/clock.h"

#define EVENTS_AT_ONCE 64

struct sysctl {
	const char *path;
	const char *value;
};

/* Quiet and predictable: no detection, no solicitation, no filter but the one under test. */
static const struct sysctl common[] = {
	{"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/default/rp_filter", "0"},
	{"net/ipv4/ping_group_range", "0 2147483647"},
	{"net/ipv6/conf/all/disable_ipv6", "0"},
	{"net/ipv6/conf/default/disable_ipv6", "0"},
	{"net/ipv6/conf/default/accept_dad", "0"},
	{"net/ipv6/conf/default/accept_ra", "0"},
	{"net/ipv6/conf/default/router_solicitations", "0"},
};

static const struct sysctl forwarding[] = {
	{"net/ipv4/ip_forward", "1"},
	{"net/ipv6/conf/all/forwarding", "1"},
	{"net/ipv6/conf/default/forwarding", "1"},
};

static int set_sysctl(const struct sysctl *s)
{
	char path[PATH_MAX];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/%s", s->path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, s->value, strlen(s->value)) < 0)
		return -errno;
	return 0;
}

static int set_sysctls(const struct sysctl *s, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = set_sysctl(&s[i]);
	return err;
}

static int enter_namespace(const struct lab_role *role, pid_t parent)
{
	int err;

	/* The parent may have died before the request took effect. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -ESRCH;
	prctl(PR_SET_NAME, role->name);
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	err = set_sysctls(common, COUNT(common));
	if (!err && role->is_node)
		err = set_sysctls(forwarding, COUNT(forwarding));
	return err;
}

/* False when the lab is gone. */
static bool take_batch(struct prober *prober, int control)
{
	struct lab_batch batch;

	if (recv(control, &batch, sizeof(batch), 0) != sizeof(batch) || batch.count > LAB_BATCH)
		return false;
	prober_start(prober, &batch);
	return true;
}

static void send_result(struct prober *prober, int control)
{
	struct lab_batch_result result;

	prober_finish(prober, &result);
	if (send(control, &result, sizeof(result), MSG_NOSIGNAL) != sizeof(result))
		_exit(1);
}

static void serve(const struct lab_plan *plan, int epoll, int control)
{
	struct prober prober = {.plan = plan, .epoll = epoll};
	struct epoll_event events[EVENTS_AT_ONCE];

	if (watch_add(epoll, control, WATCH_CONTROL, control, EPOLLIN))
		return;
	for (;;) {
		int n = epoll_wait(epoll, events, COUNT(events), prober_wait_ms(&prober));

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++) {
			enum watch_kind kind = watch_kind_of(&events[i]);

			if (kind == WATCH_PROBE)
				prober_handle(&prober, watch_value_of(&events[i]));
			else if (kind != WATCH_CONTROL)
				responder_handle(epoll, &events[i]);
			else if (!take_batch(&prober, control))
				return;
		}
		if (prober_is_due(&prober))
			send_result(&prober, control);
	}
}

static _Noreturn void child_main(const struct lab_role *role, int control, pid_t parent)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int err = epoll < 0 ? -errno : enter_namespace(role, parent);

	if (!err && role->plan)
		err = responder_open(role->plan, epoll);
	if (send(control, &err, sizeof(err), MSG_NOSIGNAL) != sizeof(err) || err)
		_exit(1);
	if (role->plan)
		serve(role->plan, epoll, control);
	else
		pause();
	_exit(0);
}

static int open_netns(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int wait_until_open(struct lab_space *space)
{
	int err = 0;

	if (recv(space->control, &err, sizeof(err), 0) != sizeof(err))
		return -ECHILD;
	if (err)
		return err;
	space->netns = open_netns(space->pid);
	return space->netns < 0 ? space->netns : 0;
}

int lab_space_open(const struct lab_role *role, struct lab_space *ret, struct text *reterr)
{
	struct lab_space space = LAB_SPACE_INIT;
	pid_t parent = getpid();
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	space.control = pair[0];
	space.pid = fork();
	if (!space.pid)
		child_main(role, pair[1], parent);
	err = space.pid < 0 ? -errno : 0;
	close(pair[1]);
	if (!err)
		err = wait_until_open(&space);
	if (err) {
		text_addf(reterr, "namespace '%s' cannot be made: %s", role->name, strerror(-err));
		lab_space_close(&space);
		return err;
	}
	*ret = space;
	return 0;
}

void lab_space_close(struct lab_space *space)
{
	if (space->pid > 0) {
		kill(space->pid, SIGKILL);
		waitpid(space->pid, NULL, 0);
	}
	closep(&space->control);
	closep(&space->netns);
	*space = (struct lab_space)LAB_SPACE_INIT;
}
