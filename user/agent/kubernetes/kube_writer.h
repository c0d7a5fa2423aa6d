/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is told to a cluster's API server, in a row: one thing at a time, and again later where it
 * fails.  Nobody waits for it; what doesn't fit in is counted and left out.
 */
#ifndef AGENT_KUBERNETES_KUBE_WRITER_H
#define AGENT_KUBERNETES_KUBE_WRITER_H

#include "agent/kubernetes/kube_http.h"
#include "util/json.h"
#include "util/vec.h"

#define KUBE_WRITER_MAX 256 /* that wait */

enum kube_outcome {
	KUBE_DONE,
	KUBE_EXISTS,  /* what was to be made is there already */
	KUBE_REFUSED, /* and would be again */
	KUBE_RETRY,   /* it may go well later */
};

/* Of an HTTP status, 0 for none, that answers @method. */
enum kube_outcome kube_outcome_of(const char *method, long status);

/* @status: HTTP; 0: there was no answer.  Called when the write is over for good. */
typedef void kube_written_fn(void *user, const char *key, enum kube_outcome outcome, long status);

/* All of it is copied. */
struct kube_write {
	const char *key; /* takes the place of what waits with the same key; NULL: of nothing */
	struct kube_message message;
	kube_written_fn *fn; /* may be NULL */
	void *user;
};

struct kube_waiting {
	char *key, *method, *path, *type, *body;
	kube_written_fn *fn;
	void *user;
	unsigned int answers; /* that were failures */
	bool is_replaced;     /* while it was under way: the next is another one */
};

struct kube_writer {
	struct kube_http *http;
	struct loop_timer *timer;
	VEC(struct kube_waiting) queue; /* the first is under way, if one is */
	bool is_busy;
	bool is_pausing;
	bool is_told;          /* that it fails */
	unsigned int failures; /* one after the other */
	uint64_t written, failed, left_out;
};

/* @w is zeroed; @http is borrowed, and goes first. */
void kube_writer_init(struct kube_writer *w, struct loop *loop, struct kube_http *http);
void kube_writer_release(struct kube_writer *w);

/* False: there is no room. */
bool kube_writer_put(struct kube_writer *w, const struct kube_write *write);

/* {"written", "failed", "left_out", "waiting"} */
void kube_writer_tell(const struct kube_writer *w, struct json *j, const char *key);

#endif
