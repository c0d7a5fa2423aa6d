/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_watch.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_retry.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define PAGE        500
#define LIST_S      120 /* for a page */
#define WATCH_S     300 /* then it is asked for again */
#define GRACE_S     30  /* beyond what the server was asked for */
#define FIRST_MS    200
#define MOST_MS     30000
#define DOUBLINGS   8
#define ABSENT_MS   30000 /* until a kind that isn't served is asked for again */
#define NS_PER_MS   1000000ull
#define MISSING_NS  (60 * 1000 * NS_PER_MS)
#define HASTE_MS    1000 /* a watch that ends sooner was no success */
#define LASTING_MS  3000 /* one that ends later was */
#define CUTS        3    /* so many soon after another may be due to what was asked for */
#define BACK        2    /* failures that count once the server, which was away, is back */
#define SILENCES    3    /* so many too */
#define STATUS_OK   200
#define STATUS_BAD  400
#define STATUS_NONE 404
#define STATUS_GONE 410

static void request(struct kube_watch *w);

static const char *kind_name(const struct kube_watch *w)
{
	return kube_kinds[w->kind].name;
}

static void set_text(char **place, char *text)
{
	free(*place);
	*place = text;
}

/* --- what comes --- */

static int on_list_value(void *user, const struct kube_value *value)
{
	struct kube_watch *w = user;
	struct kube_object object;
	char *version = NULL, *next = NULL;
	int err;

	if (!value->key) {
		err = kube_object_read(w->kind, value->text, &object);
		if (!err)
			kube_table_put_or_share(&w->fresh, w->table, &object, ++*w->order);
		return err;
	}
	if (strcmp(value->key, "metadata") != 0)
		return 0;
	err = kube_list_read(value->text, &version, &next);
	if (err)
		return err;
	/* What has changed since the first page was made is not in it, whatever the others say. */
	if (!w->next || !version)
		set_text(&w->version, version);
	else
		free(version);
	set_text(&w->next, next);
	return 0;
}

static int take_error(struct kube_watch *w, int code)
{
	w->is_expired |= code == STATUS_GONE;
	return -ESTALE;
}

static int take_event(struct kube_watch *w, struct kube_event *e)
{
	bool is_changed = false;

	switch (e->type) {
	case KUBE_ADDED:
		is_changed = kube_table_put(w->table, &e->object, ++*w->order);
		break;
	case KUBE_DELETED:
		is_changed = kube_table_remove(w->table, e->object.key);
		break;
	case KUBE_BOOKMARK:
		break;
	case KUBE_ERROR:
		return take_error(w, e->code);
	}
	w->has_progress = true;
	w->failures = w->silences = 0;
	w->is_renewed = false;
	if (e->version)
		set_text(&w->version, TAKE_PTR(e->version));
	if (is_changed)
		w->events.changed(w->events.user, w->kind);
	return 0;
}

static int on_watch_value(void *user, const struct kube_value *value)
{
	struct kube_watch *w = user;
	struct kube_event event = {};
	int err = kube_event_read(w->kind, value->text, &event);

	if (!err)
		err = take_event(w, &event);
	kube_event_release(&event);
	return err;
}

static int on_body(void *user, const char *bytes, size_t len)
{
	struct kube_watch *w = user;

	w->fault = kube_stream_feed(&w->stream, bytes, len);
	return w->fault;
}

/* --- what comes of it --- */

static void abandon_list(struct kube_watch *w)
{
	kube_table_release(&w->fresh);
	set_text(&w->next, NULL);
	w->is_watching = false;
}

static void after(struct kube_watch *w, uint64_t ms)
{
	loop_timer_start(w->retry, ms, 0);
}

static uint64_t back_off_ms(const struct kube_watch *w)
{
	unsigned int doublings = w->failures < DOUBLINGS ? w->failures : DOUBLINGS;
	uint64_t ms = (uint64_t)FIRST_MS << doublings;

	return kube_about(ms < MOST_MS ? ms : MOST_MS);
}

static const char *fault_text(const struct kube_watch *w, const struct kube_end *end)
{
	if (w->is_expired)
		return "it is too old to be watched on";
	switch (w->fault) {
	case 0:
		return end->error ? end->error : "it is not whole";
	case -EMSGSIZE:
		return "an object is too large";
	case -ESTALE:
		return "the server ends it with an error";
	default:
		return "it is not what an API server answers";
	}
}

static void tell(struct kube_watch *w, const struct kube_end *end)
{
	bool is_told = w->trouble.len;

	text_reset(&w->trouble);
	text_addf(&w->trouble, "%s: ", w->is_watching ? "watch" : "list");
	if (end->status && end->status != STATUS_OK)
		text_addf(&w->trouble, "HTTP status %ld", end->status);
	else
		text_add(&w->trouble, fault_text(w, end));
	if (!is_told)
		log_warning("msg=\"cluster not read: what is known of it stays\" kind=%s "
			    "error=\"%s\"",
			    kind_name(w), w->trouble.buf);
}

static void fail(struct kube_watch *w, const struct kube_end *end)
{
	uint64_t ms = back_off_ms(w);

	tell(w, end);
	w->failures++;
	w->is_unanswered = w->is_away = !end->status;
	if (ms < end->retry_after_s * 1000ull)
		ms = end->retry_after_s < MOST_MS / 1000 ? end->retry_after_s * 1000ull + ms
							 : MOST_MS;
	after(w, ms);
}

static void recover(struct kube_watch *w)
{
	if (w->trouble.len)
		log_info("msg=\"cluster is read again\" kind=%s", kind_name(w));
	text_reset(&w->trouble);
	w->missing_ns = 0;
}

/* Of a list nothing is known yet. */
static void on_begun(void *user)
{
	struct kube_watch *w = user;

	if (w->failures)
		w->events.answered(w->events.user);
	if (w->is_watching)
		recover(w);
}

static void take_list(struct kube_watch *w)
{
	bool is_changed = kube_table_replace(w->table, &w->fresh) || !w->is_listed || w->is_absent;

	w->is_listed = true;
	w->is_absent = false;
	w->is_watching = true;
	if (is_changed)
		w->events.changed(w->events.user, w->kind);
}

/*
 * A server that has just started doesn't serve all that it will: what was known counts as gone only
 * after a while.
 */
static void miss(struct kube_watch *w, const struct kube_end *end)
{
	uint64_t now = clock_monotonic_ns();

	abandon_list(w);
	if (!w->missing_ns)
		w->missing_ns = now;
	if (w->table->entries.count && now - w->missing_ns < MISSING_NS) {
		fail(w, end);
		return;
	}
	if (!w->is_absent) {
		log_info("msg=\"kind is not served by the cluster\" kind=%s", kind_name(w));
		take_list(w);
	}
	w->is_watching = false;
	w->is_absent = true;
	after(w, ABSENT_MS / 2 + back_off_ms(w));
}

static void end_list(struct kube_watch *w, const struct kube_end *end)
{
	bool is_whole = end->is_whole && kube_stream_is_whole(&w->stream) && w->version;

	if (w->fault || !is_whole) {
		fail(w, end);
		abandon_list(w);
		return;
	}
	recover(w);
	if (!w->next)
		take_list(w);
	request(w);
}

static bool lasted(const struct kube_watch *w, uint64_t ms)
{
	return clock_monotonic_ns() - w->since_ns >= ms * NS_PER_MS;
}

/*
 * There may be nothing to tell: a server sends no bookmarks of a kind that has not changed since
 * the server started.  Or it waits for a version that never comes, as after a restore of an old
 * state; then a list helps.
 */
static void end_silent_watch(struct kube_watch *w)
{
	if (++w->silences >= SILENCES) {
		w->silences = 0;
		abandon_list(w);
	}
	request(w);
}

/* What came before it was cut has been taken, and is right. */
static void end_watch(struct kube_watch *w, const struct kube_end *end)
{
	bool is_whole = !w->fault && kube_stream_is_whole(&w->stream);

	if (is_whole && end->is_silent) {
		end_silent_watch(w);
		return;
	}
	if (is_whole && end->is_whole && (w->has_progress || lasted(w, HASTE_MS))) {
		request(w);
		return;
	}
	if (lasted(w, LASTING_MS)) {
		w->failures = 0;
		w->is_renewed = false;
	}
	/* That it was away for long is why; it isn't now. */
	if (w->is_expired && !w->is_renewed) {
		w->failures = 0;
		w->is_renewed = true;
	}
	fail(w, end);
	if (w->fault || w->failures >= CUTS)
		abandon_list(w);
}

/* One that has just started refuses what it will soon allow. */
static void come_back(struct kube_watch *w)
{
	w->is_away = false;
	if (w->failures > BACK)
		w->failures = BACK;
}

static void on_end(void *user, const struct kube_end *end)
{
	struct kube_watch *w = user;

	if (end->status && w->failures)
		w->events.answered(w->events.user);
	if (end->status && w->is_away)
		come_back(w);
	if (end->status == STATUS_NONE && kube_kinds[w->kind].is_optional) {
		miss(w, end);
	} else if (end->status != STATUS_OK) {
		fail(w, end);
		/* What it has listed so far, and where it was, may be what is wrong. */
		if (!w->is_watching || end->status == STATUS_GONE || end->status == STATUS_BAD)
			abandon_list(w);
	} else if (w->is_watching) {
		end_watch(w, end);
	} else {
		end_list(w, end);
	}
}

/* --- what is asked --- */

static void add_escaped(struct text *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			text_addc(out, *s);
		else
			text_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void request(struct kube_watch *w)
{
	const struct kube_reader reader = {on_body, on_end, w, on_begun};
	_text_ struct text path = TEXT_INIT;

	text_add(&path, kube_kinds[w->kind].path);
	if (w->is_watching) {
		text_addf(&path,
			  "?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d"
			  "&resourceVersion=",
			  WATCH_S);
		add_escaped(&path, w->version);
	} else {
		text_addf(&path, "?limit=%d", PAGE);
	}
	if (!w->is_watching && w->next) {
		text_add(&path, "&continue=");
		add_escaped(&path, w->next);
	}
	kube_stream_start(&w->stream, !w->is_watching,
			  w->is_watching ? on_watch_value : on_list_value, w);
	w->fault = 0;
	w->is_expired = w->has_progress = w->is_unanswered = false;
	w->since_ns = clock_monotonic_ns();
	kube_http_get(w->http, path.buf, w->is_watching ? WATCH_S + GRACE_S : LIST_S, &reader);
}

static void on_retry(void *user)
{
	request(user);
}

void kube_watch_hurry(struct kube_watch *w)
{
	if (!w->is_unanswered)
		return;
	w->is_unanswered = false;
	after(w, kube_about(FIRST_MS));
}

void kube_watch_start(struct kube_watch *w, struct loop *loop)
{
	w->retry = loop_timer_new(loop, on_retry, w);
	w->trouble = (struct text)TEXT_INIT;
	request(w);
}

void kube_watch_release(struct kube_watch *w)
{
	kube_stream_release(&w->stream);
	kube_table_release(&w->fresh);
	text_release(&w->trouble);
	free(w->version);
	free(w->next);
}
