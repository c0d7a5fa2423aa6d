/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Event lines: the last ones are kept, and whoever follows gets each as it comes. */
#ifndef AGENT_EVENTS_EVENTS_HUB_H
#define AGENT_EVENTS_EVENTS_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

#define HUB_PENDING_MAX (4ul * 1024 * 1024) /* bytes that a follower may have unread */

struct events_hub;
struct follower;

/* Where a follower's lines go.  Neither function may start or end following. */
struct hub_sink {
	size_t (*pending)(void *user); /* bytes that were sent and not read yet */
	void (*send)(void *user, const char *line, size_t len);
	void *user;
	bool has_packets; /* lines come with their packets, as far as those are known */
};

/* What a follower had since it began; each event was sent or missed. */
struct hub_account {
	uint64_t sent;
	uint64_t missed;
};

struct events_hub *hub_new(size_t history); /* lines kept; 0: none */
void hub_free(struct events_hub *hub);      /* nobody may follow any more */

/*
 * Takes the line, an object that ends in a newline, over; leaves an empty text, with memory for the
 * next one.
 */
void hub_publish(struct events_hub *hub, struct text *line);

/*
 * The same of @count events at once, and with what is known of their packet, or NULL: a member of
 * the object, without its comma.
 */
void hub_publish_events(struct events_hub *hub, struct text *line, struct text *packet,
			uint64_t count);

/* The last @count lines that are kept, oldest first; with their packets, if those are known. */
void hub_history(const struct events_hub *hub, size_t count, bool has_packets, struct text *out);
size_t hub_count(const struct events_hub *hub);
size_t hub_size(const struct events_hub *hub);

/*
 * From now on.  A follower over HUB_PENDING_MAX misses lines; it is told how many with
 * {"missed": N} before the next line, or by hub_drained() when its reader has caught up.
 */
struct follower *hub_follow(struct events_hub *hub, const struct hub_sink *sink);
void hub_drained(struct follower *f);
void hub_unfollow(struct events_hub *hub, struct follower *f);
struct hub_account hub_account_of(const struct follower *f);

/* Called when the first follower who wants packets comes, and when the last one goes. */
typedef void hub_packets_fn(void *user, bool are_wanted);
void hub_on_packets(struct events_hub *hub, hub_packets_fn *fn, void *user);

#endif
