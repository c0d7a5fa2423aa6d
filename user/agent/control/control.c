/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/control/control_socket.h"
#include "agent/control/protocol.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

#define PEERS_MAX     64
#define FOLLOWERS_MAX 48                   /* of them: others have room, whoever watches */
#define READ_BYTES    65536                /* at once */
#define COMPACT_BYTES (1024 * 1024)        /* sent bytes that are kept before the unsent ones */
#define KEEP_BYTES    (1024 * 1024)        /* memory that waits for what is to be sent next */
#define PATIENCE_NS   (30 * 1000000000ull) /* with a peer that neither asks nor reads */
#define TICK_MS       1000

/* A client that is connected. */
struct peer {
	struct control *control;
	struct loop_watch *watch;
	int fd;
	bool has_asked;
	bool is_half_closed;     /* it sends no more */
	struct request *waiting; /* what it asked and is not answered yet; NULL: nothing */
	struct text in;
	struct text out;
	size_t sent;               /* bytes of out */
	uint64_t active_ns;        /* when bytes last went either way */
	struct events_hub *hub;    /* what it follows */
	struct follower *follower; /* NULL: it gets an answer and is closed */
	uint64_t answer_left;      /* bytes of the history before what it follows */
};

struct control {
	struct control_config config;
	int fd;
	struct loop_watch *watch;
	bool is_paused; /* no client could be accepted */
	VEC(struct peer *) peers;
	VEC(struct peer *) waiting; /* the first one asked first */
};

void control_error(struct text *out, const char *error)
{
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_bool(&j, "ok", false);
	json_string(&j, "error", error);
	json_end(&j, '}');
	text_addc(out, '\n');
}

static void free_request(struct request *request)
{
	if (request)
		request_release(request);
	free(request);
}

static void peer_free(struct peer *p)
{
	struct control *control = p->control;

	for (size_t i = 0; p->waiting && i < control->waiting.count; i++) {
		if (control->waiting.items[i] == p)
			vec_remove(&control->waiting, i);
	}
	free_request(p->waiting);
	for (size_t i = 0; i < control->peers.count; i++) {
		if (control->peers.items[i] == p)
			control->peers.items[i] = control->peers.items[--control->peers.count];
	}
	if (p->follower)
		hub_unfollow(p->hub, p->follower);
	loop_watch_free(p->watch);
	close(p->fd);
	text_release(&p->in);
	text_release(&p->out);
	free(p);
}

static void peer_want(struct peer *p)
{
	unsigned int want = p->is_half_closed ? 0 : LOOP_READ;

	if (p->sent < p->out.len)
		want |= LOOP_WRITE;
	loop_watch_want(p->watch, want);
}

/* What counts against a follower is what it follows, not the history that it asked for. */
static size_t follower_pending(void *user)
{
	const struct peer *p = user;

	return p->out.len - p->sent - p->answer_left;
}

static bool has_room_for_follower(const struct control *control)
{
	size_t count = 0;

	vec_foreach (p, &control->peers)
		count += (*p)->follower != NULL;
	return count < FOLLOWERS_MAX;
}

static void follower_send(void *user, const char *line, size_t len)
{
	struct peer *p = user;

	text_addn(&p->out, line, len);
	peer_want(p);
}

static void drop_sent(struct peer *p)
{
	if (p->sent == p->out.len) {
		if (p->out.size > KEEP_BYTES)
			text_release(&p->out);
		text_reset(&p->out);
		p->sent = 0;
	} else if (p->sent > COMPACT_BYTES && p->sent > p->out.len / 2) {
		memmove(p->out.buf, p->out.buf + p->sent, p->out.len - p->sent + 1);
		p->out.len -= p->sent;
		p->sent = 0;
	}
}

/* False: the peer is of no use any more. */
static bool peer_write(struct peer *p)
{
	while (p->sent < p->out.len) {
		ssize_t n = send(p->fd, p->out.buf + p->sent, p->out.len - p->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			bool is_useful = errno == EAGAIN || errno == EINTR;

			drop_sent(p);
			return is_useful;
		}
		p->sent += (size_t)n;
		p->answer_left -= p->answer_left < (uint64_t)n ? p->answer_left : (uint64_t)n;
		p->active_ns = clock_monotonic_ns();
	}
	if (p->follower)
		hub_drained(p->follower);
	drop_sent(p);
	return p->follower || !p->has_asked;
}

static void answer(struct peer *p, struct request *request)
{
	struct control *control = p->control;
	bool is_following = control->config.fn(control->config.user, request, &p->out);

	p->hub = request->alerts ? control->config.alerts : control->config.hub;
	if (is_following && !has_room_for_follower(control)) {
		text_reset(&p->out);
		control_error(&p->out, "too many follow already");
	} else if (is_following) {
		struct hub_sink sink = {follower_pending, follower_send, p, request->packets};

		p->answer_left = p->out.len;
		p->follower = hub_follow(p->hub, &sink);
	}
}

static bool is_to_wait(const struct control *control, const struct request *request)
{
	return control->config.is_to_wait(control->config.user, request);
}

static void take_line(struct peer *p, size_t len)
{
	struct control *control = p->control;
	_text_ struct text error = TEXT_INIT;
	struct request request;

	p->has_asked = true;
	if (request_parse(p->in.buf, len, &request, &error)) {
		control_error(&p->out, error.buf);
		return;
	}
	text_release(&p->in);
	caller_of(p->fd, &request.caller);
	if (is_to_wait(control, &request)) {
		p->waiting = xmalloc(sizeof(*p->waiting));
		*p->waiting = request;
		vec_push(&control->waiting, p);
		return;
	}
	answer(p, &request);
	request_release(&request);
}

void control_resume(struct control *control)
{
	while (control->waiting.count && !is_to_wait(control, control->waiting.items[0]->waiting)) {
		struct peer *p = control->waiting.items[0];

		vec_remove(&control->waiting, 0);
		answer(p, p->waiting);
		free_request(TAKE_PTR(p->waiting));
		p->active_ns = clock_monotonic_ns();
		peer_want(p);
	}
}

/* A full close can't be told from a half one by reading. */
static bool is_hung_up(int fd)
{
	struct pollfd poller = {.fd = fd};

	return poll(&poller, 1, 0) > 0 && poller.revents & (POLLHUP | POLLERR);
}

/* What it had is told behind the last event, and then the answer is complete. */
static void end_follow(struct peer *p)
{
	const struct control_config *config = &p->control->config;
	struct json j = {.out = &p->out};
	struct hub_account account;

	config->settle(config->user);
	account = hub_account_of(p->follower);
	hub_drained(p->follower);
	hub_unfollow(p->hub, TAKE_PTR(p->follower));
	json_object(&j, NULL);
	json_bool(&j, "ok", true);
	json_number(&j, "sent", account.sent);
	json_number(&j, "missed", account.missed);
	json_end(&j, '}');
	text_addc(&p->out, '\n');
}

static void peer_take(struct peer *p, const char *bytes, size_t len)
{
	const char *newline = memchr(bytes, '\n', len);

	if (p->has_asked && newline && p->follower)
		end_follow(p);
	if (p->has_asked)
		return;
	text_addn(&p->in, bytes, newline ? (size_t)(newline - bytes) : len);
	if (newline) {
		take_line(p, p->in.len);
	} else if (p->in.len > PROTOCOL_MAX_REQUEST) {
		p->has_asked = true;
		control_error(&p->out, "the request is too large");
	}
}

/* False: the peer is of no use any more. */
static bool peer_read(struct peer *p)
{
	_free_ char *buf = xmalloc(READ_BYTES);
	ssize_t n = recv(p->fd, buf, READ_BYTES, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	p->active_ns = clock_monotonic_ns();
	if (n > 0) {
		peer_take(p, buf, (size_t)n);
		return true;
	}
	p->is_half_closed = true;
	return p->has_asked && !is_hung_up(p->fd);
}

static void on_peer(void *user, unsigned int ready)
{
	struct peer *p = user;
	bool is_useful = true;

	if (ready & LOOP_READ && !p->is_half_closed)
		is_useful = peer_read(p);
	if (is_useful && (p->sent < p->out.len || ready & LOOP_WRITE))
		is_useful = peer_write(p);
	if (is_useful)
		peer_want(p);
	else
		peer_free(p);
}

/* Nothing was asked yet: one short line fits into any socket's buffer. */
static void turn_away(int fd, const char *error)
{
	_text_ struct text out = TEXT_INIT;

	control_error(&out, error);
	send(fd, out.buf, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void accept_peer(struct control *control, int fd)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	*p = (struct peer){
		.control = control,
		.fd = fd,
		.in = TEXT_INIT,
		.out = TEXT_INIT,
		.active_ns = clock_monotonic_ns(),
	};
	if (loop_watch_new(control->config.loop, fd, on_peer, p, &p->watch)) {
		close(fd);
		free(p);
		return;
	}
	vec_push(&control->peers, p);
	peer_want(p);
}

static void turn_away_stranger(int fd, int err)
{
	_text_ struct text error = TEXT_INIT;

	if (err == -EPERM)
		text_add(&error, "only root and members of group '" PROTOCOL_GROUP "' may ask");
	else
		text_addf(&error, "the agent can't tell who asks: %s", strerror(-err));
	turn_away(fd, error.buf);
}

/* Who waits would wake us again and again: they have to wait for the next tick. */
static void pause_listening(struct control *control, int err)
{
	if (err == EAGAIN || err == EINTR || err == ECONNABORTED)
		return;
	if (!control->is_paused)
		log_error("msg=\"clients have to wait\" error=\"%s\"", strerror(err));
	control->is_paused = true;
	loop_watch_want(control->watch, 0);
}

static void on_listen(void *user, unsigned int ready)
{
	struct control *control = user;
	_close_ int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int err;

	(void)ready;
	if (fd < 0) {
		pause_listening(control, errno);
		return;
	}
	control->is_paused = false;
	err = control_socket_admit(fd);
	if (err)
		turn_away_stranger(fd, err);
	else if (control->peers.count >= PEERS_MAX)
		turn_away(fd, "too many clients");
	else
		accept_peer(control, TAKE_FD(fd));
}

/* A follower may pause for as long as it likes: what it misses is bounded and told. */
static bool is_stuck(const struct peer *p, uint64_t now_ns)
{
	if (p->is_half_closed && is_hung_up(p->fd))
		return true;
	return !p->follower && !p->waiting && now_ns - p->active_ns > PATIENCE_NS;
}

static void on_tick(void *user)
{
	struct control *control = user;
	uint64_t now_ns = clock_monotonic_ns();

	loop_watch_want(control->watch, LOOP_READ);
	for (size_t i = control->peers.count; i > 0; i--) {
		struct peer *p = control->peers.items[i - 1];

		if (is_stuck(p, now_ns))
			peer_free(p);
	}
}

int control_open(const struct control_config *config, struct text *reterr, struct control **ret)
{
	_close_ int fd = -1;
	struct control *control;
	int err;

	err = control_socket_listen(config->socket, reterr, &fd);
	if (err)
		return err;
	control = xcalloc(1, sizeof(*control));
	control->config = *config;
	err = loop_watch_new(config->loop, fd, on_listen, control, &control->watch);
	if (err) {
		text_addf(reterr, "cannot poll '%s': %s", config->socket, strerror(-err));
		free(control);
		return err;
	}
	control->fd = TAKE_FD(fd);
	loop_watch_want(control->watch, LOOP_READ);
	loop_timer_start(loop_timer_new(config->loop, on_tick, control), TICK_MS, TICK_MS);
	*ret = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = control->peers.count; i > 0; i--)
		peer_free(control->peers.items[i - 1]);
	vec_release(&control->peers);
	vec_release(&control->waiting);
	loop_watch_free(control->watch);
	close(control->fd);
	unlink(control->config.socket);
	free(control);
}
