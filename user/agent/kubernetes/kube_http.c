/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "util/clock.h"
#include "util/mem.h"
#include "util/source.h"
#include "util/text.h"

/* One that names curl gets answers of twice the size, made for people. */
#define USER_AGENT "bulkhead-agent"
#define CONNECT_S  10L
#define HTTP_OK    200
#define ALIVE_S    15L /* of an idle connection: then it is asked */
#define TOKEN_MAX  (64 * 1024)
#define NS_PER_S   1000000000ull

struct kube_request {
	struct kube_request *next;
	struct kube_http *http;
	struct kube_reader reader;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	bool is_enough;
	uint64_t heard_ns; /* when something came last; 0: nothing has */
};

struct kube_http {
	struct loop *loop;
	struct kube_server server;
	CURLM *multi;
	struct loop_timer *timer;
	struct kube_request *requests;
	bool is_doubtful; /* a connection was silent for too long: the next is a new one */
};

/* --- between libcurl and the loop --- */

static void finish_requests(struct kube_http *h);

static void act(struct kube_http *h, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(h->multi, fd, what, &running);
	finish_requests(h);
}

struct socket_watch {
	struct kube_http *http;
	struct loop_watch *watch;
	curl_socket_t fd;
};

static void on_socket(void *user, unsigned int ready)
{
	const struct socket_watch *w = user;

	act(w->http, w->fd,
	    (ready & LOOP_READ ? CURL_CSELECT_IN : 0) |
		    (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(void *user)
{
	act(user, CURL_SOCKET_TIMEOUT, 0);
}

static void drop_watch(struct socket_watch *w)
{
	if (w)
		loop_watch_free(w->watch);
	free(w);
}

static struct socket_watch *new_watch(struct kube_http *h, curl_socket_t fd)
{
	struct socket_watch *w = xcalloc(1, sizeof(*w));

	w->http = h;
	w->fd = fd;
	if (loop_watch_new(h->loop, fd, on_socket, w, &w->watch)) {
		free(w);
		return NULL;
	}
	curl_multi_assign(h->multi, fd, w);
	return w;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket)
{
	struct socket_watch *w = socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		drop_watch(w);
		return 0;
	}
	if (!w)
		w = new_watch(user, fd);
	if (!w)
		return 0; /* silence will end it; a refusal would end all requests, for ever */
	loop_watch_want(w->watch, (what & CURL_POLL_IN ? LOOP_READ : 0) |
					  (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
	return 0;
}

static int want_timer(CURLM *multi, long timeout_ms, void *user)
{
	const struct kube_http *h = user;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(h->timer);
	else
		loop_timer_start(h->timer, (uint64_t)timeout_ms, 0);
	return 0;
}

int kube_http_new(struct loop *loop, const struct kube_server *server, struct kube_http **ret)
{
	struct kube_http *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	h = xcalloc(1, sizeof(*h));
	h->loop = loop;
	h->server = *server;
	h->multi = curl_multi_init();
	if (!h->multi) {
		free(h);
		return -ENOMEM;
	}
	h->timer = loop_timer_new(loop, on_timer, h);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	*ret = h;
	return 0;
}

static void free_request(struct kube_request *r)
{
	curl_multi_remove_handle(r->http->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	free(r);
}

void kube_http_free(struct kube_http *h)
{
	if (!h)
		return;
	while (h->requests) {
		struct kube_request *r = h->requests;

		h->requests = r->next;
		free_request(r);
	}
	curl_multi_cleanup(h->multi);
	loop_timer_stop(h->timer);
	free(h);
	curl_global_cleanup();
}

/* --- one request --- */

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
	struct kube_request *r = user;
	size_t len = size * count;
	long status = 0;

	r->heard_ns = clock_monotonic_ns();
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != HTTP_OK)
		return len; /* what it says is in its status */
	r->is_enough = r->reader.body(r->reader.user, bytes, len);
	return r->is_enough ? CURL_WRITEFUNC_ERROR : len;
}

/* By the line; the empty one is the last. */
static size_t on_head(char *line, size_t size, size_t count, void *user)
{
	struct kube_request *r = user;
	size_t len = size * count;
	long status = 0;

	r->heard_ns = clock_monotonic_ns();
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == HTTP_OK && r->reader.begun && len && (*line == '\r' || *line == '\n'))
		r->reader.begun(r->reader.user);
	return len;
}

static bool add_token(struct kube_request *r, const char *file)
{
	_text_ struct text header = TEXT_INIT;
	struct source token;

	if (!file)
		return true;
	if (source_read(file, &token))
		return false;
	text_add(&header, "Authorization: Bearer ");
	text_addn(&header, token.text, strcspn(token.text, "\r\n"));
	source_release(&token);
	r->headers = curl_slist_append(r->headers, header.buf);
	return header.len < TOKEN_MAX;
}

/*
 * What is sent and never acknowledged ends a connection: else it would be chosen for requests for a
 * quarter of an hour.
 */
static int on_connecting(void *user, curl_socket_t fd, curlsocktype purpose)
{
	const struct kube_http *h = user;
	unsigned int ms = h->server.silence_s * 1000u;

	if (purpose == CURLSOCKTYPE_IPCXN)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

static void set_transport(CURL *easy, const struct kube_http *h, uint32_t timeout_s)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* rather than a connection each */
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CAINFO, h->server.ca_file);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)timeout_s);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)h->server.silence_s);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, ALIVE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, ALIVE_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_connecting);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, h);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, h->is_doubtful ? 1L : 0L);
}

static void set_request(struct kube_request *r, const char *path)
{
	_text_ struct text url = TEXT_INIT;

	text_addf(&url, "%s%s", r->http->server.url, path);
	curl_easy_setopt(r->easy, CURLOPT_URL, url.buf); /* copied */
	curl_easy_setopt(r->easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
}

/* A token that can't be read is one that the server will refuse. */
static struct kube_request *new_request(struct kube_http *h, const char *path, uint32_t timeout_s,
					const struct kube_reader *reader)
{
	struct kube_request *r = xcalloc(1, sizeof(*r));

	r->http = h;
	r->reader = *reader;
	r->easy = curl_easy_init();
	r->headers = curl_slist_append(NULL, "Accept: application/json");
	(void)add_token(r, h->server.token_file);
	set_transport(r->easy, h, timeout_s);
	set_request(r, path);
	return r;
}

static void start_request(struct kube_request *r)
{
	struct kube_http *h = r->http;

	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	h->is_doubtful = false;
	r->next = h->requests;
	h->requests = r;
	curl_multi_add_handle(h->multi, r->easy);
}

void kube_http_get(struct kube_http *h, const char *path, uint32_t timeout_s,
		   const struct kube_reader *reader)
{
	start_request(new_request(h, path, timeout_s, reader));
}

void kube_http_send(struct kube_http *h, const struct kube_message *m, uint32_t timeout_s,
		    const struct kube_reader *reader)
{
	struct kube_request *r = new_request(h, m->path, timeout_s, reader);
	_text_ struct text type = TEXT_INIT;

	text_addf(&type, "Content-Type: %s", m->type);
	r->headers = curl_slist_append(r->headers, type.buf);
	r->headers = curl_slist_append(r->headers, "Expect:"); /* nothing is waited for first */
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(m->body));
	curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, m->body);
	curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, m->method);
	start_request(r);
}

static void unlink_request(struct kube_request *r)
{
	struct kube_request **place = &r->http->requests;

	while (*place != r)
		place = &(*place)->next;
	*place = r->next;
}

static long port_of(const struct kube_request *r)
{
	long port = 0;

	curl_easy_getinfo(r->easy, CURLINFO_LOCAL_PORT, &port);
	return port;
}

/* Whether something has come for others by the connection by which nothing has for @silent. */
static bool is_connection_alive(const struct kube_request *silent)
{
	const struct kube_http *h = silent->http;
	uint64_t now = clock_monotonic_ns();

	for (const struct kube_request *r = h->requests; r; r = r->next) {
		if (r->heard_ns && port_of(r) == port_of(silent) &&
		    now - r->heard_ns < h->server.silence_s * NS_PER_S)
			return true;
	}
	return false;
}

static void finish_request(struct kube_request *r, CURLcode result)
{
	struct kube_reader reader = r->reader;
	struct kube_end end = {
		.is_whole = result == CURLE_OK,
		.is_silent = result == CURLE_OPERATION_TIMEDOUT,
	};
	_text_ struct text error = TEXT_INIT;
	curl_off_t after = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &end.status);
	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	if (after > 0)
		end.retry_after_s = after < UINT32_MAX ? (uint32_t)after : UINT32_MAX;
	if (result != CURLE_OK && !r->is_enough) {
		text_add(&error, r->error[0] ? r->error : curl_easy_strerror(result));
		end.error = error.buf;
	}
	unlink_request(r);
	r->http->is_doubtful |= end.is_silent && !is_connection_alive(r);
	free_request(r);
	reader.end(reader.user, &end);
}

static void finish_requests(struct kube_http *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct kube_request *r = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		finish_request(r, message->data.result);
	}
}
