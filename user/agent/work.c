/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/mem.h"

struct work {
	struct work_plan plan;
	pthread_t thread;
	bool is_running; /* or has not been waited for */
	int over_fd;     /* an eventfd */
	struct loop_watch *watch;
};

static void *run(void *user)
{
	const uint64_t one = 1;
	struct work *w = user;

	w->plan.run(w->plan.user);
	(void)!write(w->over_fd, &one, sizeof(one));
	return NULL;
}

void work_wait(struct work *w)
{
	if (w->is_running)
		pthread_join(w->thread, NULL);
	w->is_running = false;
}

void work_free(struct work *w)
{
	if (!w)
		return;
	work_wait(w);
	loop_watch_free(w->watch);
	if (w->over_fd >= 0)
		close(w->over_fd);
	free(w);
}

static void on_over(void *user, unsigned int ready)
{
	struct work *w = user;

	(void)ready;
	work_wait(w);
	loop_watch_want(w->watch, 0);
	w->plan.over(w->plan.user);
}

static int start(struct work *w, struct loop *loop)
{
	int err;

	w->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->over_fd < 0)
		return -errno;
	err = loop_watch_new(loop, w->over_fd, on_over, w, &w->watch);
	if (err)
		return err;
	loop_watch_want(w->watch, LOOP_READ);
	err = -pthread_create(&w->thread, NULL, run, w);
	w->is_running = !err;
	return err;
}

int work_begin(struct loop *loop, const struct work_plan *plan, struct work **ret)
{
	struct work *w = xcalloc(1, sizeof(*w));
	int err;

	w->plan = *plan;
	w->over_fd = -1;
	err = start(w, loop);
	if (err)
		work_free(w);
	else
		*ret = w;
	return err;
}
