/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/lanes.h"

#include <stdlib.h>

#include "util/mem.h"

uint32_t lanes_each(uint32_t cpus)
{
	uint32_t each = BH_LANE_EVENTS;

	while (each > BH_LANE_EVENTS_LEAST && (uint64_t)each * cpus > BH_LANE_EVENTS)
		each /= 2;
	return each;
}

void lanes_init(struct lanes *lanes, struct bh_lane *of, const struct bh_event *events,
		uint32_t count, uint32_t each)
{
	*lanes = (struct lanes){
		.of = of,
		.events = events,
		.count = count,
		.each = each,
		.heads = xcalloc(count, sizeof(*lanes->heads)),
	};
}

void lanes_release(struct lanes *lanes)
{
	free(lanes->heads);
	*lanes = (struct lanes){};
}

static const struct bh_event *event_of(const struct lanes *lanes, const struct lane_head *head)
{
	return &head->events[head->at & (lanes->each - 1)];
}

static uint64_t written_of(const struct bh_lane *lane)
{
	return __atomic_load_n(&lane->written, __ATOMIC_ACQUIRE);
}

bool lanes_have_any(const struct lanes *lanes)
{
	for (uint32_t i = 0; i < lanes->count; i++) {
		if (lanes->of[i].read != written_of(&lanes->of[i]))
			return true;
	}
	return false;
}

/* Those that have any; how many these are. */
static size_t find_heads(struct lanes *lanes)
{
	size_t found = 0;

	for (uint32_t i = 0; i < lanes->count; i++) {
		struct bh_lane *lane = &lanes->of[i];
		struct lane_head head = {
			.lane = lane,
			.events = lanes->events + (size_t)i * lanes->each,
			.at = lane->read,
			.end = written_of(lane),
		};

		if (head.at != head.end)
			lanes->heads[found++] = head;
	}
	return found;
}

static struct lane_head *oldest(const struct lanes *lanes, size_t count)
{
	struct lane_head *first = &lanes->heads[0];

	for (size_t i = 1; i < count; i++) {
		struct lane_head *head = &lanes->heads[i];

		if (event_of(lanes, head)->time_ns < event_of(lanes, first)->time_ns)
			first = head;
	}
	return first;
}

static void free_places(const struct lane_head *head)
{
	__atomic_store_n(&head->lane->read, head->at, __ATOMIC_RELEASE);
}

size_t lanes_read(struct lanes *lanes, size_t most, lane_fn *fn, void *user)
{
	size_t heads = find_heads(lanes), count = 0;

	while (heads && count < most) {
		struct lane_head *head = oldest(lanes, heads);

		fn(event_of(lanes, head), user);
		count++;
		if (++head->at == head->end) {
			free_places(head);
			*head = lanes->heads[--heads];
		}
	}
	for (size_t i = 0; i < heads; i++)
		free_places(&lanes->heads[i]);
	return count;
}
