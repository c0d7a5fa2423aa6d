/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/log.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull
#define MS_PER_S  1000

#define PERIOD_MS     400
#define SOON_MS       10
#define MAX_PERIOD_MS 600 /* whatever it costs: a second is promised */
#define REST          20  /* times as long as looking took; a twentieth of a CPU at most */

/* Whoever takes a program off again and again makes us wait, but less than a second. */
#define PATIENCE_NS     (50 * NS_PER_MS)
#define MAX_PATIENCE_NS (400 * NS_PER_MS)
#define QUIET_NS        (10 * NS_PER_S) /* after which a fault is the first one again */

#define LINES_NS  (60 * NS_PER_S)
#define LINES_MAX 20 /* in the log in that time, for an endpoint */

const char *watchdog_action_word(enum watchdog_action action)
{
	static const char *const words[] = {
#define X(id, word) [WATCHDOG_##id] = (word),
		WATCHDOG_ACTIONS_LIST(X)
#undef X
	};

	return words[action];
}

const char *watchdog_trouble(const struct endpoint *e)
{
	if (e->ifindex)
		return e->trouble.what.len ? e->trouble.what.buf : NULL;
	return e->refusal.len && if_nametoindex(endpoint_label(e)) ? e->refusal.buf : NULL;
}

/* --- words --- */

static void say_hook(const struct hook_state *state, const struct attachment *was, struct text *out)
{
	enum attach_method method = state->is_ingress ? was->ingress : was->egress;
	const char *place = state->is_ingress ? "ingress" : "egress";

	text_addf(out, "%s%s %s", out->len ? "; " : "", state->is_answerer ? "answers" : place,
		  hook_fault_word(state->fault));
	if (state->fault == HOOK_DETACHED && !state->is_answerer)
		text_addf(out, " (was %s)", attach_method_word(method));
	if (state->fault == HOOK_MODE)
		text_addf(out, " %s (was %s)", attach_method_word(state->method),
			  attach_method_word(method));
	if (state->other[0])
		text_addf(out, " by %s at %s", state->other,
			  attach_method_word(state->other_method));
}

static void say_states(const struct hook_states *states, const struct attachment *was,
		       struct text *out)
{
	for (size_t i = 0; i < states->count; i++) {
		if (states->of[i].fault != HOOK_INTACT)
			say_hook(&states->of[i], was, out);
	}
}

/* False: enough was said of this endpoint; what is left out is counted. */
static bool may_log(struct trouble *t, uint64_t now)
{
	if (now - t->lines_ns >= LINES_NS) {
		if (t->lines > LINES_MAX)
			log_warning("msg=\"watchdog's lines left out\" count=%" PRIu32,
				    t->lines - LINES_MAX);
		t->lines_ns = now;
		t->lines = 0;
	}
	return ++t->lines <= LINES_MAX;
}

/* --- repair --- */

static void set_trouble(struct watchdog *w, struct endpoint *e, const struct hook_states *states,
			const char *what)
{
	struct trouble *t = &e->trouble;

	for (size_t i = 0; i < states->count; i++)
		w->faults[states->of[i].fault]++;
	if (!t->what.len) {
		t->since_ns = clock_wall_ns();
		t->begin_ns = clock_monotonic_ns();
	}
	text_reset(&t->what);
	text_add(&t->what, what);
	snprintf(w->last.name, sizeof(w->last.name), "%s", endpoint_label(e));
	text_reset(&w->last.what);
	text_add(&w->last.what, what);
	w->last.at_ns = clock_wall_ns();
	w->last.repaired_ns = 0;
	if (may_log(t, clock_monotonic_ns()))
		log_error("msg=\"program not in place\" interface=%s ifindex=%u what=\"%s\" "
			  "watchdog=%s",
			  endpoint_label(e), e->ifindex, what, watchdog_action_word(w->action));
}

static void end_trouble(struct watchdog *w, struct endpoint *e, bool is_repaired)
{
	uint64_t now = clock_monotonic_ns();

	if (is_repaired) {
		w->repairs++;
		w->last.repaired_ns = clock_wall_ns();
	}
	if (may_log(&e->trouble, now))
		log_warning("msg=\"%s\" interface=%s ifindex=%u ingress=%s egress=%s after_ms=%ju",
			    is_repaired ? "program attached again" : "program in place again",
			    endpoint_label(e), e->ifindex,
			    attach_method_word(e->attachment.ingress),
			    attach_method_word(e->attachment.egress),
			    (uintmax_t)((now - e->trouble.begin_ns) / NS_PER_MS));
	text_reset(&e->trouble.what);
}

/* The next one has to wait, twice as long as this one. */
static bool may_repair(struct trouble *t, uint64_t now)
{
	if (now < t->repair_ns)
		return false;
	if (now - t->repair_ns > QUIET_NS)
		t->patience_ns = 0;
	else
		t->patience_ns = t->patience_ns ? 2 * t->patience_ns : PATIENCE_NS;
	if (t->patience_ns > MAX_PATIENCE_NS)
		t->patience_ns = MAX_PATIENCE_NS;
	t->repair_ns = now + t->patience_ns;
	return true;
}

static int verify(const struct watchdog *w, const struct endpoint *e, struct hook_states *ret,
		  struct text *what)
{
	int err = datapath_verify(w->endpoints->dp, e->ifindex, e->kind, &e->attachment, ret);

	if (!err)
		say_states(ret, &e->attachment, what);
	return err;
}

static void repair(struct watchdog *w, struct endpoint *e)
{
	_text_ struct text why = TEXT_INIT;
	_text_ struct text left = TEXT_INIT;
	struct hook_states states;
	int err = endpoints_attach_again(w->endpoints, e, &why);

	if (err && !e->trouble.is_told && may_log(&e->trouble, clock_monotonic_ns()))
		log_error("msg=\"not repaired\" interface=%s error=\"%s\"", endpoint_label(e),
			  why.len ? why.buf : strerror(-err));
	e->trouble.is_told = err;
	if (err || verify(w, e, &states, &left))
		return;
	if (!left.len)
		end_trouble(w, e, true);
	else if (strcmp(left.buf, e->trouble.what.buf) != 0)
		set_trouble(w, e, &states, left.buf);
}

static void on_fault(struct watchdog *w, struct endpoint *e, const struct hook_states *states,
		     struct text *what)
{
	bool is_wanted = w->action == WATCHDOG_REPAIR;

	if (datapath_is_removed(w->endpoints->dp)) {
		text_add(what, "; 'bulkhead detach' took everything off");
		is_wanted = false;
	}
	if (strcmp(what->buf, e->trouble.what.buf) != 0)
		set_trouble(w, e, states, what->buf);
	if (is_wanted && may_repair(&e->trouble, clock_monotonic_ns()))
		repair(w, e);
}

static void check(struct watchdog *w, struct endpoint *e)
{
	_text_ struct text what = TEXT_INIT;
	struct hook_states states;

	/* One that is gone is the link watch's to tell. */
	if (!e->ifindex || verify(w, e, &states, &what))
		text_reset(&e->trouble.what);
	else if (what.len)
		on_fault(w, e, &states, &what);
	else if (e->trouble.what.len)
		end_trouble(w, e, false);
}

/* --- time --- */

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
	if (value < low)
		return low;
	return value < high ? value : high;
}

static uint64_t cpu_ms(void)
{
	return (uint64_t)clock() * MS_PER_S / CLOCKS_PER_SEC;
}

static void on_time(void *user)
{
	struct watchdog *w = user;
	uint64_t begin = cpu_ms();

	vec_foreach (e, &w->endpoints->list)
		check(w, e);
	w->cost_ms = cpu_ms() - begin;
	w->is_soon = false;
	loop_timer_start(w->timer, between(PERIOD_MS, REST * w->cost_ms, MAX_PERIOD_MS), 0);
}

void watchdog_soon(struct watchdog *w)
{
	if (!w->timer || w->is_soon)
		return;
	w->is_soon = true;
	loop_timer_start(w->timer, between(SOON_MS, REST * w->cost_ms, MAX_PERIOD_MS), 0);
}

void watchdog_start(struct watchdog *w, struct loop *loop, struct endpoints *endpoints,
		    enum watchdog_action action)
{
	*w = (struct watchdog){
		.endpoints = endpoints,
		.action = action,
		.last.what = TEXT_INIT,
		.timer = loop_timer_new(loop, on_time, w),
	};
	watchdog_soon(w);
}

void watchdog_release(struct watchdog *w)
{
	if (w->timer)
		text_release(&w->last.what);
	w->timer = NULL;
}
