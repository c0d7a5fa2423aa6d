/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests to a cluster's API server, over TLS, in the loop. */
#ifndef AGENT_KUBERNETES_KUBE_HTTP_H
#define AGENT_KUBERNETES_KUBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/loop.h"

/* Borrowed. */
struct kube_server {
	const char *url;        /* https://HOST:PORT */
	const char *ca_file;    /* who may sign its certificate */
	const char *token_file; /* who we are; read again for every request.  NULL: nobody */
	uint32_t silence_s;     /* so long without a byte, and an answer has failed */
};

/* How an answer ended. */
struct kube_end {
	long status;            /* HTTP; 0: there was none */
	bool is_whole;          /* all of it has come */
	bool is_silent;         /* nothing came any more */
	uint32_t retry_after_s; /* 0: nothing was said */
	const char *error;      /* what went wrong; NULL: nothing */
};

struct kube_reader {
	int (*body)(void *user, const char *bytes, size_t len); /* of a 200; not 0: enough of it */
	/* The last call.  The request is gone, another may be made. */
	void (*end)(void *user, const struct kube_end *end);
	void *user;
	void (*begun)(void *user); /* a 200, before anything of it has come; NULL: never mind */
};

struct kube_http;

int kube_http_new(struct loop *loop, const struct kube_server *server, struct kube_http **ret);
void kube_http_free(struct kube_http *h); /* nobody is told */

/* Beginning with '/'.  @timeout_s bounds all of it. */
void kube_http_get(struct kube_http *h, const char *path, uint32_t timeout_s,
		   const struct kube_reader *reader);

/* Something that is sent; copied. */
struct kube_message {
	const char *method; /* "PATCH" */
	const char *path;
	const char *type; /* of the body */
	const char *body;
};

void kube_http_send(struct kube_http *h, const struct kube_message *m, uint32_t timeout_s,
		    const struct kube_reader *reader);

#endif
