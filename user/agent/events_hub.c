/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events_hub.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "util/mem.h"
#include "util/vec.h"

struct line {
	char *s;
	size_t len;
};

struct follower {
	struct hub_sink sink;
	uint64_t missed; /* and not told yet */
};

struct events_hub {
	struct line *lines; /* a ring; NULL s: not used yet */
	size_t size;
	size_t next; /* where the next line goes */
	size_t count;
	VEC(struct follower *) followers;
};

struct events_hub *hub_new(size_t history)
{
	struct events_hub *hub = xcalloc(1, sizeof(*hub));

	hub->lines = xcalloc(history ? history : 1, sizeof(*hub->lines));
	hub->size = history;
	return hub;
}

void hub_free(struct events_hub *hub)
{
	if (!hub)
		return;
	assert(!hub->followers.count);
	for (size_t i = 0; i < hub->size; i++)
		free(hub->lines[i].s);
	free(hub->lines);
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

static void follower_send(struct follower *f, const struct text *line)
{
	if (f->sink.pending(f->sink.user) > HUB_PENDING_MAX) {
		f->missed++;
		return;
	}
	if (f->missed)
		tell_missed(f);
	f->sink.send(f->sink.user, line->buf, line->len);
}

static void keep_line(struct events_hub *hub, struct text *line)
{
	struct line *place = &hub->lines[hub->next];

	free(place->s);
	place->len = line->len;
	place->s = text_take(line);
	hub->next = (hub->next + 1) % hub->size;
	if (hub->count < hub->size)
		hub->count++;
}

void hub_publish(struct events_hub *hub, struct text *line)
{
	vec_foreach (f, &hub->followers)
		follower_send(*f, line);
	if (hub->size)
		keep_line(hub, line);
	else
		text_release(line);
}

void hub_history(const struct events_hub *hub, size_t count, struct text *out)
{
	if (count > hub->count)
		count = hub->count;
	for (size_t i = count; i > 0; i--) {
		const struct line *l = &hub->lines[(hub->next + hub->size - i) % hub->size];

		text_addn(out, l->s, l->len);
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

struct follower *hub_follow(struct events_hub *hub, const struct hub_sink *sink)
{
	struct follower *f = xcalloc(1, sizeof(*f));

	f->sink = *sink;
	vec_push(&hub->followers, f);
	return f;
}

void hub_drained(struct follower *f)
{
	if (f->missed)
		tell_missed(f);
}

void hub_unfollow(struct events_hub *hub, struct follower *f)
{
	for (size_t i = 0; i < hub->followers.count; i++) {
		if (hub->followers.items[i] != f)
			continue;
		hub->followers.items[i] = hub->followers.items[--hub->followers.count];
		free(f);
		return;
	}
}
