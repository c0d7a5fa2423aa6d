/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/repeats.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define WORDS (sizeof(struct bh_event) / sizeof(uint64_t))

_Static_assert(offsetof(struct bh_event, time_ns) == 0, "all but the first word is compared");
_Static_assert(sizeof(struct bh_event) % sizeof(uint64_t) == 0, "an event is whole words");

void repeats_init(struct repeats *r, repeats_fn *fn, void *user)
{
	*r = (struct repeats){
		.places = xcalloc(REPEATS_PLACES, sizeof(*r->places)),
		.fn = fn,
		.user = user,
	};
}

void repeats_release(struct repeats *r)
{
	free(r->places);
	*r = (struct repeats){};
}

static bool is_alike(const struct bh_event *a, const struct bh_event *b)
{
	return !memcmp((const uint64_t *)a + 1, (const uint64_t *)b + 1,
		       (WORDS - 1) * sizeof(uint64_t));
}

static struct repeat *place_of(const struct repeats *r, const struct bh_event *event)
{
	uint64_t words[WORDS], hash = 0;

	memcpy(words, event, sizeof(words));
	for (size_t i = 1; i < WORDS; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return &r->places[hash & (REPEATS_PLACES - 1)];
}

static void tell_held(struct repeats *r, struct repeat *place)
{
	uint64_t held = place->held;

	if (!held)
		return;
	r->held -= held;
	place->held = 0;
	place->told_ns = place->event.time_ns;
	r->fn(r->user, &place->event, held);
}

bool repeats_hold(struct repeats *r, const struct bh_event *event)
{
	struct repeat *place = place_of(r, event);
	bool is_same = place->told_ns && is_alike(&place->event, event);

	if (is_same) {
		place->event.time_ns = event->time_ns;
		place->held++;
		r->held++;
		if (event->time_ns - place->told_ns >= REPEATS_NS)
			tell_held(r, place);
		return true;
	}
	tell_held(r, place);
	*place = (struct repeat){.event = *event, .told_ns = event->time_ns};
	return false;
}

void repeats_tell(struct repeats *r, uint64_t before_ns)
{
	for (size_t i = 0; r->held && i < REPEATS_PLACES; i++) {
		if (r->places[i].told_ns < before_ns)
			tell_held(r, &r->places[i]);
	}
}
