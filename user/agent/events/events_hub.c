/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/events_hub.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/vec.h"

#define LINE_END "}\n"

struct line {
	struct text text;
	struct text packet; /* empty: not known */
};

struct follower {
	struct hub_sink sink;
	uint64_t missed; /* and not told yet */
	struct hub_account account;
};

struct events_hub {
	struct line *lines; /* a ring */
	size_t size;
	size_t next; /* where the next line goes */
	size_t count;
	VEC(struct follower *) followers;
	struct text with_packet; /* the line as those who want packets get it */
	size_t packet_followers;
	hub_packets_fn *on_packets;
	void *user;
};

struct events_hub *hub_new(size_t history)
{
	struct events_hub *hub = xcalloc(1, sizeof(*hub));

	hub->lines = xcalloc(history ? history : 1, sizeof(*hub->lines));
	hub->size = history;
	hub->with_packet = (struct text)TEXT_INIT;
	for (size_t i = 0; i < history; i++)
		hub->lines[i] = (struct line){TEXT_INIT, TEXT_INIT};
	return hub;
}

void hub_free(struct events_hub *hub)
{
	if (!hub)
		return;
	assert(!hub->followers.count);
	for (size_t i = 0; i < hub->size; i++) {
		text_release(&hub->lines[i].text);
		text_release(&hub->lines[i].packet);
	}
	free(hub->lines);
	text_release(&hub->with_packet);
	vec_release(&hub->followers);
	free(hub);
}

static void tell_missed(struct follower *f)
{
	_text_ struct text line = TEXT_INIT;

	text_addf(&line, "{\"missed\":%" PRIu64 "}\n", f->missed);
	f->missed = 0;
	f->sink.send(f->sink.user, line.buf, line.len);
}

static void follower_send(struct follower *f, const struct text *line, uint64_t count)
{
	if (f->sink.pending(f->sink.user) > HUB_PENDING_MAX) {
		f->missed += count;
		f->account.missed += count;
		return;
	}
	if (f->missed)
		tell_missed(f);
	f->account.sent += count;
	f->sink.send(f->sink.user, line->buf, line->len);
}

static void swap(struct text *a, struct text *b)
{
	struct text c = *a;

	*a = *b;
	*b = c;
}

/* What was in its place gives its memory to the next line. */
static void keep_line(struct events_hub *hub, struct text *line, struct text *packet)
{
	struct line *place = &hub->lines[hub->next];

	swap(&place->text, line);
	text_reset(&place->packet);
	if (packet)
		swap(&place->packet, packet);
	hub->next = (hub->next + 1) % hub->size;
	if (hub->count < hub->size)
		hub->count++;
}

/* The object without its end, the packet as its last member, and the end. */
static void add_with_packet(const struct text *line, const struct text *packet, struct text *out)
{
	const size_t end = strlen(LINE_END);

	assert(line->buf);
	if (!packet || !packet->len || line->len < end) {
		text_addn(out, line->buf, line->len);
		return;
	}
	text_addn(out, line->buf, line->len - end);
	text_addc(out, ',');
	text_addn(out, packet->buf, packet->len);
	text_add(out, LINE_END);
}

void hub_publish_events(struct events_hub *hub, struct text *line, struct text *packet,
			uint64_t count)
{
	if (hub->packet_followers) {
		text_reset(&hub->with_packet);
		add_with_packet(line, packet, &hub->with_packet);
	}
	vec_foreach (f, &hub->followers)
		follower_send(*f, (*f)->sink.has_packets ? &hub->with_packet : line, count);
	if (hub->size)
		keep_line(hub, line, packet);
	text_reset(line);
}

void hub_publish(struct events_hub *hub, struct text *line)
{
	hub_publish_events(hub, line, NULL, 1);
}

void hub_history(const struct events_hub *hub, size_t count, bool has_packets, struct text *out)
{
	if (count > hub->count)
		count = hub->count;
	for (size_t i = count; i > 0; i--) {
		const struct line *l = &hub->lines[(hub->next + hub->size - i) % hub->size];

		add_with_packet(&l->text, has_packets ? &l->packet : NULL, out);
	}
}

size_t hub_count(const struct events_hub *hub)
{
	return hub->count;
}

size_t hub_size(const struct events_hub *hub)
{
	return hub->size;
}

void hub_on_packets(struct events_hub *hub, hub_packets_fn *fn, void *user)
{
	hub->on_packets = fn;
	hub->user = user;
}

static void count_packet_follower(struct events_hub *hub, bool is_more)
{
	size_t before = hub->packet_followers;

	hub->packet_followers = is_more ? before + 1 : before - 1;
	if (hub->on_packets && (!before || !hub->packet_followers))
		hub->on_packets(hub->user, is_more);
}

struct follower *hub_follow(struct events_hub *hub, const struct hub_sink *sink)
{
	struct follower *f = xcalloc(1, sizeof(*f));

	f->sink = *sink;
	vec_push(&hub->followers, f);
	if (sink->has_packets)
		count_packet_follower(hub, true);
	return f;
}

void hub_drained(struct follower *f)
{
	if (f->missed)
		tell_missed(f);
}

struct hub_account hub_account_of(const struct follower *f)
{
	return f->account;
}

void hub_unfollow(struct events_hub *hub, struct follower *f)
{
	for (size_t i = 0; i < hub->followers.count; i++) {
		if (hub->followers.items[i] != f)
			continue;
		hub->followers.items[i] = hub->followers.items[--hub->followers.count];
		if (f->sink.has_packets)
			count_packet_follower(hub, false);
		free(f);
		return;
	}
}
