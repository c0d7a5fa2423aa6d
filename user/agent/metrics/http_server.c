/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <microhttpd.h>

#include "util/clock.h"
#include "util/mem.h"
#include "util/vec.h"

#define NS_PER_MS 1000000ull

#define CLIENTS_MAX   64 /* with one more, the oldest has to go */
#define CLIENTS_ROOM  128
#define CLIENT_MEMORY ((size_t)16 * 1024) /* for a request and the head of its answer */
#define SEND_BYTES    (128 * 1024)        /* that the kernel keeps for a client */
#define RECEIVE_BYTES (16 * 1024)
#define BACKLOG       128
#define SILENCE_S     5u
#define LIFE_NS       (10000 * NS_PER_MS) /* of a connection, whatever it does */
#define TICK_MS       1000
#define SHARE         5                /* one part in so many of the time is for clients, */
#define BURST_NS      (20 * NS_PER_MS) /* but for that much at once */

#define METHODS "GET, HEAD"

struct http_page {
	unsigned int status;
	struct MHD_Response *response;
};

struct client {
	int fd;
	uint64_t since_ns;
	bool is_ended; /* by us; the library has yet to notice */
};

struct http_server {
	struct http_config config;
	struct MHD_Daemon *daemon;
	struct loop_watch *watch; /* of the library's own epoll descriptor */
	struct loop_timer *again;
	VEC(struct client *) clients; /* oldest first */
	uint64_t owed_ns;             /* what clients have cost, less their share since */
	uint64_t ran_ns;              /* when they were last served */
};

/* --- pages --- */

struct http_page *http_page_new(unsigned int status, const char *content_type, struct text *body)
{
	struct http_page *page = xcalloc(1, sizeof(*page));
	size_t len = body->len;

	page->status = status;
	page->response = MHD_create_response_from_buffer(len, text_take(body),
							 MHD_RESPMEM_MUST_FREE);
	if (!page->response)
		return page; /* whoever asks for it is hung up on */
	MHD_add_response_header(page->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(page->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(page->response, MHD_HTTP_HEADER_CONNECTION, "close");
	return page;
}

void http_page_free(struct http_page *page)
{
	if (!page)
		return;
	if (page->response)
		MHD_destroy_response(page->response);
	free(page);
}

static struct http_page *error_page(unsigned int status, const char *words)
{
	struct text body = TEXT_INIT;

	text_addf(&body, "%s\n", words);
	return http_page_new(status, "text/plain; charset=utf-8", &body);
}

static enum MHD_Result queue(struct MHD_Connection *c, const struct http_page *page)
{
	if (!page->response)
		return MHD_NO;
	return MHD_queue_response(c, page->status, page->response);
}

static enum MHD_Result queue_error(struct MHD_Connection *c, struct http_page *page)
{
	enum MHD_Result result = queue(c, page);

	http_page_free(page);
	return result;
}

static enum MHD_Result refuse_method(struct MHD_Connection *c)
{
	struct http_page *page = error_page(MHD_HTTP_METHOD_NOT_ALLOWED, METHODS " only");

	if (page->response)
		MHD_add_response_header(page->response, MHD_HTTP_HEADER_ALLOW, METHODS);
	return queue_error(c, page);
}

/* Answered as soon as the head is there: of a body not a byte is waited for. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **context)
{
	struct http_server *server = user;
	struct http_page *page;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse_method(c);
	page = server->config.fn(server->config.user, path);
	if (!page)
		return queue_error(c, error_page(MHD_HTTP_NOT_FOUND, "no such page"));
	return queue(c, page);
}

/* --- clients --- */

static void end_client(struct client *client)
{
	client->is_ended = true;
	shutdown(client->fd, SHUT_RDWR);
}

static void end_oldest(struct http_server *server)
{
	size_t count = 0;

	vec_foreach (client, &server->clients)
		count += !(*client)->is_ended;
	for (size_t i = 0; count > CLIENTS_MAX; i++) {
		struct client *client = server->clients.items[i];

		if (client->is_ended)
			continue;
		end_client(client);
		count--;
	}
}

static void end_overdue(struct http_server *server, uint64_t now_ns)
{
	vec_foreach (client, &server->clients) {
		if (!(*client)->is_ended && now_ns - (*client)->since_ns > LIFE_NS)
			end_client(*client);
	}
}

static void add_client(struct http_server *server, struct MHD_Connection *c, void **ret)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct client *client;

	if (!info)
		return;
	client = xcalloc(1, sizeof(*client));
	client->fd = info->connect_fd;
	client->since_ns = clock_monotonic_ns();
	vec_push(&server->clients, client);
	*ret = client;
	end_oldest(server);
}

static void remove_client(struct http_server *server, struct client *client)
{
	for (size_t i = 0; i < server->clients.count; i++) {
		if (server->clients.items[i] == client) {
			vec_remove(&server->clients, i);
			break;
		}
	}
	free(client);
}

static void on_connection(void *user, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_client(user, c, context);
	else
		remove_client(user, *context);
}

/* --- time --- */

/* How long they have to wait for their share, if they had more than it; else 0. */
static uint64_t rest_ms(struct http_server *server, uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t share = (begin_ns - server->ran_ns) / SHARE;

	server->owed_ns -= share < server->owed_ns ? share : server->owed_ns;
	server->owed_ns += end_ns - begin_ns;
	server->ran_ns = end_ns;
	return server->owed_ns > BURST_NS ? server->owed_ns * SHARE / NS_PER_MS : 0;
}

static uint64_t patience_ms(const struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES || ms > TICK_MS)
		return TICK_MS;
	return ms ? ms : 1;
}

static void serve(struct http_server *server)
{
	uint64_t begin_ns = clock_monotonic_ns(), rest;

	end_overdue(server, begin_ns);
	MHD_run(server->daemon);
	rest = rest_ms(server, begin_ns, clock_monotonic_ns());
	loop_watch_want(server->watch, rest ? 0 : LOOP_READ);
	if (rest)
		loop_timer_start(server->again, rest, 0);
	else if (server->clients.count)
		loop_timer_start(server->again, patience_ms(server), 0);
}

static void on_ready(void *user, unsigned int ready)
{
	(void)ready;
	serve(user);
}

static void on_again(void *user)
{
	serve(user);
}

/* --- the start --- */

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

/* Clients inherit the sizes of its buffers. */
static int listen_at(const struct listen_address *at, int *ret_fd)
{
	struct sockaddr_storage addr;
	socklen_t len = listen_address_socket(at, &addr);
	_close_ int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = fd < 0 ? -errno : set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!err && addr.ss_family == AF_INET6)
		err = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err)
		err = set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES);
	if (!err)
		err = set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES);
	if (!err && (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, BACKLOG)))
		err = -errno;
	if (!err)
		*ret_fd = TAKE_FD(fd);
	return err;
}

/* The library closes the socket when it stops. */
static int start_library(struct http_server *server, int listen_fd)
{
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
		listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CLIENTS_ROOM,
		MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CLIENT_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
	return server->daemon ? 0 : -EIO;
}

static int watch_library(struct http_server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon,
							       MHD_DAEMON_INFO_EPOLL_FD);
	int err = info ? 0 : -EIO;

	if (!err)
		err = loop_watch_new(server->config.loop, info->epoll_fd, on_ready, server,
				     &server->watch);
	if (!err)
		loop_watch_want(server->watch, LOOP_READ);
	return err;
}

int http_open(const struct http_config *config, struct text *reterr, struct http_server **ret)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	char at[LISTEN_ADDRESS_STRLEN];
	int fd = -1;
	int err = listen_at(&config->at, &fd);

	server->config = *config;
	server->ran_ns = clock_monotonic_ns();
	if (!err)
		err = start_library(server, fd);
	if (!err)
		err = watch_library(server);
	if (err) {
		text_addf(reterr, "cannot listen at %s: %s", listen_address_format(&config->at, at),
			  strerror(-err));
		http_free(server);
		return err;
	}
	server->again = loop_timer_new(config->loop, on_again, server);
	*ret = server;
	return 0;
}

void http_free(struct http_server *server)
{
	if (!server)
		return;
	loop_watch_free(server->watch);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	vec_release(&server->clients);
	free(server);
}
