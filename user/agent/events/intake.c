/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs wake the agent only from its sleep.  Then it looks by itself, the more often the more
 * it finds, until it has found nothing twice: so a flood costs no wakeups, a lone event is told at
 * once, and where nothing happens nothing runs.
 */
#include "agent/events/intake.h"

#include <errno.h>
#include <string.h>

#include "agent/metrics/metrics.h"
#include "agent/parts.h"
#include "util/base64.h"
#include "util/clock.h"

#define LOOK_MS      10 /* between two looks */
#define LOOK_BUSY_MS 1  /* when the last one found many */
#define MANY         256
#define IDLE_LOOKS   2  /* without an event; before the last of them it is said that we sleep */
#define DRAIN_LOOKS  64 /* at most: what full lanes have, and not what comes meanwhile */

static void name_event(struct agent *a, const struct bh_event *event, struct event_names *ret)
{
	const struct endpoint *endpoint = endpoints_by_ifindex(&a->endpoints, event->ifindex);

	naming_event(&a->naming, event, ret);
	ret->interface = endpoint ? endpoint_label(endpoint) : NULL;
	ret->endpoint = endpoints_name(&a->endpoints, event->endpoint);
}

static void publish(struct agent *a, const struct bh_event *event, const struct event_names *names,
		    const struct bh_event_packet *packet)
{
	struct intake *in = &a->intake;

	event_json(event, names, &in->line);
	text_addc(&in->line, '\n');
	text_reset(&in->packet);
	if (packet)
		event_json_packet(packet, &in->packet);
	hub_publish_events(a->hub, &in->line, &in->packet, names->count);
}

static void on_repeat(void *user, const struct bh_event *event, uint64_t count)
{
	struct event_names names;

	name_event(user, event, &names);
	names.count = count;
	publish(user, event, &names, NULL);
}

/* By those who count events: each by itself. */
static void count(struct agent *a, const struct bh_event *event, const struct event_names *names)
{
	audited_add(&a->audited, event, names);
	metrics_event(a->metrics, event, names);
	alerts_take_event(&a->alerts, event, names);
	flow_log_event(&a->flows, event);
	kube_report_drop(a->report, event, names);
}

/* One that comes with its packet is told with that, and not as one of many. */
static void on_event(const struct bh_event *event, const struct bh_event_packet *packet, void *user)
{
	struct agent *a = user;
	bool is_held = !packet && repeats_hold(&a->intake.repeats, event);
	struct event_names names;

	a->intake.read++;
	name_event(a, event, &names);
	count(a, event, &names);
	if (!is_held)
		publish(a, event, &names, packet);
}

/* How many there were, of those that come at once; -errno. */
static int take(struct agent *a)
{
	int found;

	naming_batch_begin(&a->naming);
	found = datapath_events_consume(a->dp);
	naming_batch_end(&a->naming);
	return found;
}

static void sleep_or_look_again(struct agent *a, int found)
{
	struct intake *in = &a->intake;

	in->idle = found > 0 ? 0 : in->idle + 1;
	if (in->idle >= IDLE_LOOKS) {
		loop_watch_want(in->watch, LOOP_READ);
		return;
	}
	if (in->idle == IDLE_LOOKS - 1)
		datapath_events_sleep(a->dp);
	/* Counted from before this look: after a long one it is over, and others have a turn. */
	loop_timer_start(in->timer, found >= MANY ? LOOK_BUSY_MS : LOOK_MS, 0);
}

static void look(void *user)
{
	struct agent *a = user;

	sleep_or_look_again(a, take(a));
}

static void on_bell(void *user, unsigned int ready)
{
	struct agent *a = user;

	(void)ready;
	loop_watch_want(a->intake.watch, 0);
	look(a);
}

static void on_packets(void *user, bool are_wanted)
{
	struct agent *a = user;

	datapath_events_want_packets(a->dp, are_wanted);
}

int intake_open(struct agent *a)
{
	struct intake *in = &a->intake;
	int err;

	repeats_init(&in->repeats, on_repeat, a);
	err = datapath_events_open(a->dp, on_event, a);
	if (!err)
		err = loop_watch_new(a->loop, datapath_events_fd(a->dp), on_bell, a, &in->watch);
	if (err)
		return err;
	in->timer = loop_timer_new(a->loop, look, a);
	loop_timer_start(in->timer, LOOK_MS, 0);
	datapath_events_want_packets(a->dp, false); /* whoever wanted them asked another agent */
	hub_on_packets(a->hub, on_packets, a);
	return 0;
}

void intake_release(struct intake *in)
{
	repeats_release(&in->repeats);
	text_release(&in->line);
	text_release(&in->packet);
}

void intake_drain(struct agent *a)
{
	for (int i = 0; i < DRAIN_LOOKS && take(a) > 0; i++)
		;
	repeats_tell(&a->intake.repeats, UINT64_MAX);
}

/* An event that was told to nobody while we fell asleep waits no longer than this. */
void intake_tick(struct agent *a)
{
	take(a);
	repeats_tell(&a->intake.repeats, clock_monotonic_ns() - REPEATS_NS);
}
