/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/loop.h"

#include <assert.h>
#include <stdlib.h>

#include <uv.h>

#include "util/cleanup.h"
#include "util/mem.h"

struct loop {
	uv_loop_t uv;
};

struct loop_watch {
	uv_poll_t uv;
	loop_watch_fn *fn;
	void *user;
	unsigned int want; /* as libuv knows it */
};

struct loop_timer {
	uv_timer_t uv;
	loop_fn *fn;
	void *user;
};

struct loop_signal {
	uv_signal_t uv;
	loop_fn *fn;
	void *user;
};

int loop_new(struct loop **ret)
{
	_free_ struct loop *loop = xcalloc(1, sizeof(*loop));
	int err = uv_loop_init(&loop->uv);

	if (err)
		return err;
	*ret = TAKE_PTR(loop);
	return 0;
}

/* Every handle's data is the allocation that it is in; libuv lets go of it later than uv_close().
 */
static void free_handle(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_handle(uv_handle_t *handle, void *user)
{
	(void)user;
	if (!uv_is_closing(handle))
		uv_close(handle, free_handle);
}

void loop_free(struct loop *loop)
{
	int err;

	if (!loop)
		return;
	uv_walk(&loop->uv, close_handle, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	err = uv_loop_close(&loop->uv);
	assert(!err);
	free(loop);
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *w = handle->data;
	unsigned int ready = 0;

	if (status < 0) {
		w->want = 0; /* libuv has stopped it */
		ready = LOOP_READ | LOOP_WRITE;
	}
	if (events & UV_READABLE)
		ready |= LOOP_READ;
	if (events & UV_WRITABLE)
		ready |= LOOP_WRITE;
	w->fn(w->user, ready);
}

int loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *user,
		   struct loop_watch **ret)
{
	_free_ struct loop_watch *w = xcalloc(1, sizeof(*w));
	int err = uv_poll_init(&loop->uv, &w->uv, fd);

	if (err)
		return err;
	w->uv.data = w;
	w->fn = fn;
	w->user = user;
	*ret = TAKE_PTR(w);
	return 0;
}

void loop_watch_want(struct loop_watch *w, unsigned int want)
{
	int events = (want & LOOP_READ ? UV_READABLE : 0) | (want & LOOP_WRITE ? UV_WRITABLE : 0);

	if (want == w->want)
		return;
	w->want = want;
	if (events)
		uv_poll_start(&w->uv, events, on_poll);
	else
		uv_poll_stop(&w->uv);
}

void loop_watch_free(struct loop_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->uv, free_handle);
}

static void on_timer(uv_timer_t *handle)
{
	struct loop_timer *t = handle->data;

	t->fn(t->user);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *user)
{
	struct loop_timer *t = xcalloc(1, sizeof(*t));

	uv_timer_init(&loop->uv, &t->uv);
	t->uv.data = t;
	t->fn = fn;
	t->user = user;
	return t;
}

void loop_timer_start(struct loop_timer *t, uint64_t first_ms, uint64_t repeat_ms)
{
	uv_timer_start(&t->uv, on_timer, first_ms, repeat_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
	uv_timer_stop(&t->uv);
}

static void on_signal(uv_signal_t *handle, int signal)
{
	struct loop_signal *s = handle->data;

	(void)signal;
	s->fn(s->user);
}

int loop_on_signal(struct loop *loop, int signal, loop_fn *fn, void *user)
{
	struct loop_signal *s = xcalloc(1, sizeof(*s));
	int err = uv_signal_init(&loop->uv, &s->uv);

	if (err) {
		free(s);
		return err;
	}
	s->uv.data = s;
	s->fn = fn;
	s->user = user;
	return uv_signal_start(&s->uv, on_signal, signal);
}
