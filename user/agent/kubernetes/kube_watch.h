/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One kind of a cluster's objects, kept as the API server has them: listed, then watched, and
 * listed again when that is too old.  While the server is away or talks nonsense, they stay as they
 * were.
 */
#ifndef AGENT_KUBERNETES_KUBE_WATCH_H
#define AGENT_KUBERNETES_KUBE_WATCH_H

#include "agent/kubernetes/kube_http.h"
#include "agent/kubernetes/kube_stream.h"
#include "agent/kubernetes/kube_table.h"

struct kube_watch_events {
	void (*changed)(void *user, enum kube_kind kind);
	void (*answered)(void *user); /* the server is back */
	void *user;
};

struct kube_watch {
	enum kube_kind kind;
	struct kube_http *http;
	struct kube_watch_events events;
	struct loop_timer *retry;
	struct kube_table *table; /* what is known */
	uint64_t *order;          /* counts what came, of all kinds */

	bool is_listed;      /* once, or it isn't served */
	bool is_absent;      /* it isn't served */
	bool is_watching;    /* what is asked now; else a list */
	bool is_unanswered;  /* the server was away when it was asked; it is asked again later */
	bool is_away;        /* it has not answered since */
	struct text trouble; /* what is wrong, for people; empty: nothing */
	struct kube_table fresh;   /* of a list that is not whole yet */
	struct kube_stream stream; /* of the answer that is coming */
	char *version;             /* of the last event, or of the list */
	char *next;                /* page of the list */
	int fault;                 /* in what came: -errno, 0: none */
	bool is_expired;           /* the server doesn't know our version any more */
	bool has_progress;         /* something came of the last request */
	bool is_renewed;           /* its version had expired, and no event has come since */
	unsigned int failures;     /* one after the other */
	unsigned int silences;     /* watches without an event, one after the other */
	uint64_t since_ns;         /* the last request */
	uint64_t missing_ns;       /* since when the kind has not been served; 0: it is */
};

/* @w has its kind, http, events, table and order, the rest is zero. */
void kube_watch_start(struct kube_watch *w, struct loop *loop);

/* The server is back: it is asked soon, if it was away. */
void kube_watch_hurry(struct kube_watch *w);

void kube_watch_release(struct kube_watch *w);

#endif
