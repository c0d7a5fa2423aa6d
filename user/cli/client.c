/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define READ_SIZE 262144

/* Why there is no agent, in words that say what to do. */
static void say_unreachable(const char *socket, int error, struct text *out)
{
	if (error == ENOENT || error == ECONNREFUSED)
		text_addf(out,
			  "no agent answers at '%s'; start one with 'bulkhead run', or name its "
			  "socket with --socket",
			  socket);
	else if (error == EACCES || error == EPERM)
		text_addf(out, "the agent's socket '%s' is for root and the group 'bulkhead' only",
			  socket);
	else
		text_addf(out, "the agent's socket '%s' cannot be reached: %s", socket,
			  strerror(error));
}

static int connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int client_ask(struct client *c, const char *socket, const char *request, struct text *reterr)
{
	int err = connect_to(socket, &c->fd);

	if (err) {
		say_unreachable(socket, -err, reterr);
		return err;
	}
	err = send_all(c->fd, request, strlen(request));
	if (!err)
		err = send_all(c->fd, "\n", 1);
	/* An agent that refuses a request says why before it closes: the answer is still read. */
	if (err == -EPIPE || err == -ECONNRESET)
		return 0;
	if (err)
		text_addf(reterr, "the agent at '%s' takes no request: %s", socket, strerror(-err));
	return err;
}

int client_say(struct client *c, const char *line)
{
	int err = send_all(c->fd, line, strlen(line));

	return err ? err : send_all(c->fd, "\n", 1);
}

/* Waits for more of the answer, or for the user's wish to end. */
static int wait_for_input(const struct client *c)
{
	struct pollfd fds[] = {
		{.fd = c->fd, .events = POLLIN},
		{.fd = c->stop_fd, .events = POLLIN},
		{.fd = c->output ? fileno(c->output)
				 : -1}, /* for POLLERR, which is always reported */
	};

	if (c->output)
		fflush(NULL);
	while (poll(fds, COUNT(fds), -1) < 0)
		if (errno != EINTR)
			return -errno;
	if (fds[1].revents)
		return -EINTR;
	return fds[2].revents & POLLERR ? -EPIPE : 0;
}

bool client_has_more(const struct client *c)
{
	struct pollfd poller = {.fd = c->fd, .events = POLLIN};

	return memchr(c->input.buf + c->taken, '\n', c->input.len - c->taken) ||
	       poll(&poller, 1, 0) > 0;
}

static int read_more(struct client *c)
{
	_free_ char *bytes = NULL;
	ssize_t n;
	int err = wait_for_input(c);

	if (err)
		return err;
	bytes = xmalloc(READ_SIZE);
	n = read(c->fd, bytes, READ_SIZE);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return -ENODATA;
	text_addn(&c->input, bytes, (size_t)n);
	return 0;
}

/* Drops the lines that were handed out, so that a follow does not grow. */
static void forget_taken(struct client *c)
{
	struct text rest = TEXT_INIT;

	text_addn(&rest, c->input.buf + c->taken, c->input.len - c->taken);
	text_release(&c->input);
	c->input = rest;
	c->taken = 0;
}

int client_read(struct client *c, const char **ret_line)
{
	size_t searched = 0;

	for (;;) {
		char *line = c->input.buf + c->taken;
		size_t len = c->input.len - c->taken;
		char *end = memchr(line + searched, '\n', len - searched);
		int err;

		if (end) {
			*end = '\0';
			c->taken += (size_t)(end - line) + 1;
			*ret_line = line;
			return 0;
		}
		searched = len;
		if (c->taken)
			forget_taken(c);
		err = read_more(c);
		if (err)
			return err;
	}
}

void client_release(struct client *c)
{
	closep(&c->fd);
	c->fd = -1;
	text_release(&c->input);
}

/* The last line of an answer is the one that says whether it went well. */
static bool is_last(const cJSON *json)
{
	return cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(json, "ok"));
}

static void say_cut(int err, struct text *out)
{
	if (err == -ENODATA)
		text_add(out, "the agent closed the connection before its answer was complete");
	else if (err == -EBADMSG)
		text_add(out, "the agent's answer is not JSON");
	else if (err != -EINTR && err != -EPIPE)
		text_addf(out, "the agent's answer cannot be read: %s", strerror(-err));
}

int client_answer(struct client *c, client_item item, void *context, struct text *reterr,
		  cJSON **ret_last)
{
	for (;;) {
		_cjson_ cJSON *json = NULL;
		const char *line;
		int err = client_read(c, &line);

		if (!err) {
			json = cJSON_Parse(line);
			err = json ? 0 : -EBADMSG;
		}
		if (err) {
			say_cut(err, reterr);
			return err;
		}
		if (is_last(json)) {
			*ret_last = TAKE_PTR(json);
			return 0;
		}
		err = item ? item(context, line, json) : 0;
		if (err)
			return err;
	}
}

int client_call(const char *socket, const char *request, client_item item, void *context,
		struct text *reterr, cJSON **ret_last)
{
	_client_ struct client client = CLIENT_INIT;
	_cjson_ cJSON *last = NULL;
	const char *error;
	int err;

	err = client_ask(&client, socket, request, reterr);
	if (!err)
		err = client_answer(&client, item, context, reterr, &last);
	if (err)
		return err;
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(last, "ok"))) {
		*ret_last = TAKE_PTR(last);
		return 0;
	}
	error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "error"));
	text_add(reterr, error ? error : "the agent refused, and did not say why");
	return -EREMOTEIO;
}
