/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/consumer.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "util/mem.h"

#define POLL_MS 10
#define LOOK_US 300

struct consumer {
	pid_t pid;
	uint64_t *count; /* shared with the process */
};

static void leave_cpu_of_parent(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++) {
		if (i != cpu)
			CPU_SET(i, &set);
	}
	if (CPU_COUNT(&set))
		sched_setaffinity(0, sizeof(set), &set);
}

/* Who looks at each event as it comes takes the lines away from the CPU that writes the next ones.
 */
static void read_for_ever(struct bed *bed)
{
	struct pollfd pollfd = {.fd = datapath_events_fd(bed->dp), .events = POLLIN};

	for (;;) {
		poll(&pollfd, 1, POLL_MS);
		usleep(LOOK_US);
		while (datapath_events_consume(bed->dp) == DATAPATH_EVENTS_AT_ONCE)
			;
	}
}

int consumer_begin(struct bed *bed, struct consumer **ret)
{
	struct consumer *c = xcalloc(1, sizeof(*c));
	pid_t parent = getpid();
	int cpu = sched_getcpu(), err;

	c->count = mmap(NULL, sizeof(*c->count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (c->count == MAP_FAILED) {
		err = -errno;
		free(c);
		return err;
	}
	err = bed_listen(bed, c->count);
	c->pid = err ? -1 : fork();
	if (!c->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		leave_cpu_of_parent(cpu);
		read_for_ever(bed);
	}
	if (c->pid < 0)
		err = err ? err : -errno;
	if (err) {
		consumer_end(c);
		return err;
	}
	*ret = c;
	return 0;
}

void consumer_end(struct consumer *c)
{
	if (!c)
		return;
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	munmap(c->count, sizeof(*c->count));
	free(c);
}

uint64_t consumer_count(const struct consumer *c)
{
	return *(volatile uint64_t *)c->count;
}
