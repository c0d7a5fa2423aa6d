/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Answers GET and HEAD within the event loop.  Whoever connects may cost it a share of a CPU, some
 * megabytes and no more: what there is for clients is bounded in number, size and time. */
#ifndef AGENT_METRICS_HTTP_SERVER_H
#define AGENT_METRICS_HTTP_SERVER_H

#include "agent/loop.h"
#include "agent/metrics/listen_address.h"
#include "util/text.h"

struct http_server;
struct http_page; /* an answer; it lives on while somebody is slow to read it */

/* Takes the body over. */
struct http_page *http_page_new(unsigned int status, const char *content_type, struct text *body);
void http_page_free(struct http_page *page);

/* What is at this path, good until the next call; NULL: nothing. */
typedef struct http_page *http_fn(void *user, const char *path);

struct http_config {
	struct loop *loop;
	struct listen_address at;
	http_fn *fn;
	void *user;
};

/* -errno with a sentence in @reterr. */
int http_open(const struct http_config *config, struct text *reterr, struct http_server **ret);

void http_free(struct http_server *server); /* before the loop */

#endif
