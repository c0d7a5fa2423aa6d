/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_writer.h"

#include <string.h>

#include "agent/kubernetes/kube_retry.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/mem.h"

#define WRITE_S     10 /* for one of them */
#define GAP_MS      20 /* between two: many nodes write */
#define FIRST_MS    200
#define MOST_MS     60000
#define DOUBLINGS   9
#define ANSWERS_MAX 8 /* failures of one write that the server answered */

enum status {
	STATUS_OK = 200,
	STATUS_REDIRECT = 300,
	STATUS_UNAUTHORIZED = 401,
	STATUS_TIMEOUT = 408,
	STATUS_CONFLICT = 409,
	STATUS_TOO_MANY = 429,
	STATUS_BROKEN = 500,
	STATUS_UNAVAILABLE = 503,
};

static void send_next(struct kube_writer *w);

enum kube_outcome kube_outcome_of(const char *method, long status)
{
	if (status >= STATUS_OK && status < STATUS_REDIRECT)
		return KUBE_DONE;
	if (status == STATUS_CONFLICT && !strcmp(method, "POST"))
		return KUBE_EXISTS;
	if (!status || status >= STATUS_BROKEN || status == STATUS_UNAUTHORIZED ||
	    status == STATUS_TIMEOUT || status == STATUS_CONFLICT || status == STATUS_TOO_MANY)
		return KUBE_RETRY;
	return KUBE_REFUSED;
}

static void drop(struct kube_waiting *waiting)
{
	free(waiting->key);
	free(waiting->method);
	free(waiting->path);
	free(waiting->type);
	free(waiting->body);
}

static struct kube_waiting take_first(struct kube_writer *w)
{
	struct kube_waiting first = w->queue.items[0];

	vec_remove(&w->queue, 0);
	return first;
}

/* --- when it is over --- */

static void pause_for(struct kube_writer *w, uint64_t ms)
{
	w->is_pausing = true;
	loop_timer_start(w->timer, ms, 0);
}

static void back_off(struct kube_writer *w, uint32_t retry_after_s)
{
	unsigned int doublings = w->failures < DOUBLINGS ? w->failures : DOUBLINGS;
	uint64_t ms = (uint64_t)FIRST_MS << doublings;

	w->failures++;
	if (ms < retry_after_s * 1000ull)
		ms = retry_after_s * 2000ull; /* never less than that, of which half is chance */
	pause_for(w, kube_about(ms < MOST_MS ? ms : MOST_MS));
}

static void tell_failure(struct kube_writer *w, const char *path, const struct kube_end *end)
{
	if (w->is_told)
		return;
	w->is_told = true;
	if (end->status)
		log_warning("msg=\"cluster not written to\" path=%s error=\"HTTP status %ld\"",
			    path, end->status);
	else
		log_warning("msg=\"cluster not written to\" path=%s error=\"%s\"", path,
			    end->error ? end->error : "there was no answer");
}

static void tell_success(struct kube_writer *w)
{
	w->failures = 0;
	if (w->is_told)
		log_info("msg=\"cluster is written to again\"");
	w->is_told = false;
}

static void finish(struct kube_writer *w, struct kube_waiting *over, enum kube_outcome outcome,
		   const struct kube_end *end)
{
	if (outcome == KUBE_DONE || outcome == KUBE_EXISTS) {
		w->written++;
		tell_success(w);
	} else {
		w->failed++;
		tell_failure(w, over->path, end);
	}
	if (over->fn && !over->is_replaced)
		over->fn(over->user, over->key, outcome, end->status);
	drop(over);
}

/* What the server has an answer for doesn't hold up the others for ever; what it hasn't, would. */
static bool is_last_try(struct kube_waiting *waiting, long status)
{
	bool is_its_own = status && status != STATUS_TOO_MANY && status != STATUS_UNAVAILABLE &&
			  status != STATUS_UNAUTHORIZED;

	waiting->answers += is_its_own;
	return waiting->answers >= ANSWERS_MAX;
}

static void on_end(void *user, const struct kube_end *end)
{
	struct kube_writer *w = user;
	struct kube_waiting over = take_first(w);
	enum kube_outcome outcome = kube_outcome_of(over.method, end->status);

	w->is_busy = false;
	if (outcome == KUBE_RETRY && over.is_replaced) {
		tell_failure(w, over.path, end);
		back_off(w, end->retry_after_s);
		drop(&over);
		return;
	}
	if (outcome == KUBE_RETRY && !is_last_try(&over, end->status)) {
		tell_failure(w, over.path, end);
		vec_push(&w->queue, over);
		back_off(w, end->retry_after_s);
		return;
	}
	pause_for(w, outcome == KUBE_DONE || outcome == KUBE_EXISTS ? GAP_MS : FIRST_MS);
	finish(w, &over, outcome, end);
}

/* --- when it begins --- */

static int ignore_body(void *user, const char *bytes, size_t len)
{
	(void)user;
	(void)bytes;
	(void)len;
	return 0;
}

static void send_next(struct kube_writer *w)
{
	const struct kube_reader reader = {.body = ignore_body, .end = on_end, .user = w};
	const struct kube_waiting *first = w->queue.items;

	if (w->is_busy || w->is_pausing || !w->queue.count)
		return;
	w->is_busy = true;
	kube_http_send(w->http,
		       &(struct kube_message){first->method, first->path, first->type, first->body},
		       WRITE_S, &reader);
}

static void on_timer(void *user)
{
	struct kube_writer *w = user;

	w->is_pausing = false;
	send_next(w);
}

void kube_writer_init(struct kube_writer *w, struct loop *loop, struct kube_http *http)
{
	w->http = http;
	w->timer = loop_timer_new(loop, on_timer, w);
}

void kube_writer_release(struct kube_writer *w)
{
	vec_foreach (waiting, &w->queue)
		drop(waiting);
	vec_release(&w->queue);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static struct kube_waiting waiting_of(const struct kube_write *write)
{
	return (struct kube_waiting){
		.key = copy(write->key),
		.method = xstrdup(write->message.method),
		.path = xstrdup(write->message.path),
		.type = xstrdup(write->message.type),
		.body = xstrdup(write->message.body),
		.fn = write->fn,
		.user = write->user,
	};
}

/* What is under way stays where it is. */
static bool replace(struct kube_writer *w, const struct kube_write *write)
{
	for (size_t i = 0; write->key && i < w->queue.count; i++) {
		struct kube_waiting *waiting = &w->queue.items[i];

		if (!waiting->key || strcmp(waiting->key, write->key) != 0)
			continue;
		if (!i && w->is_busy) {
			waiting->is_replaced = true;
			continue;
		}
		drop(waiting);
		*waiting = waiting_of(write);
		return true;
	}
	return false;
}

bool kube_writer_put(struct kube_writer *w, const struct kube_write *write)
{
	if (!replace(w, write)) {
		if (w->queue.count >= KUBE_WRITER_MAX) {
			w->left_out++;
			return false;
		}
		vec_push(&w->queue, waiting_of(write));
	}
	send_next(w);
	return true;
}

void kube_writer_tell(const struct kube_writer *w, struct json *j, const char *key)
{
	json_object(j, key);
	json_number(j, "written", w->written);
	json_number(j, "failed", w->failed);
	json_number(j, "left_out", w->left_out);
	json_number(j, "waiting", w->queue.count);
	json_end(j, '}');
}
