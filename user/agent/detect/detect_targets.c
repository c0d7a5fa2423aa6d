/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect_targets.h"

#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define BUCKETS      1024
#define CHANCES      16 /* targets that are asked whether they give way */
#define TARGETS_SEED 7  /* names are the policy's; whoever finds collisions shares a count */

struct target {
	struct target *next; /* of the same bucket */
	struct queue in_use; /* by last use */
	uint64_t hash;
	uint64_t last_ns;
	struct tally tally;
	uint32_t count;
	struct {
		struct bh_addr addr;
		uint64_t last_ns;
	} sources[TARGET_SOURCES_MAX];
};

struct targets {
	uint64_t window_ns;
	struct queue in_use;
	size_t count;
	struct target *buckets[BUCKETS];
};

struct targets *targets_new(uint64_t window_ns)
{
	struct targets *t = xcalloc(1, sizeof(*t));

	t->window_ns = window_ns;
	queue_init(&t->in_use);
	return t;
}

static void target_free(struct targets *t, struct target *target)
{
	struct target **place = &t->buckets[target->hash % BUCKETS];

	while (*place != target)
		place = &(*place)->next;
	*place = target->next;
	queue_remove(&target->in_use);
	t->count--;
	free(target);
}

void targets_free(struct targets *t)
{
	if (!t)
		return;
	queue_foreach(link, &t->in_use)
	{
		target_free(t, queue_item(link, struct target, in_use));
	}
	free(t);
}

static bool is_fresh(const struct targets *t, uint64_t last_ns, uint64_t now_ns)
{
	return now_ns <= last_ns || now_ns - last_ns <= t->window_ns;
}

/* Whoever tries one target after another holds them with one source each. */
static bool make_room(struct targets *t, uint64_t now_ns)
{
	if (t->count < TARGETS_MAX)
		return true;
	for (size_t i = 0; i < CHANCES; i++) {
		struct target *oldest = queue_item(queue_first(&t->in_use), struct target, in_use);

		if (oldest->count < 2 || !is_fresh(t, oldest->last_ns, now_ns)) {
			target_free(t, oldest);
			return true;
		}
		queue_move_last(&t->in_use, &oldest->in_use);
	}
	return false;
}

static struct target *find(struct targets *t, uint64_t hash, uint64_t now_ns)
{
	struct target **bucket = &t->buckets[hash % BUCKETS];
	struct target *target = *bucket;

	while (target && target->hash != hash)
		target = target->next;
	if (!target && !make_room(t, now_ns))
		return NULL;
	if (!target) {
		target = xcalloc(1, sizeof(*target));
		target->hash = hash;
		target->next = *bucket;
		*bucket = target;
		queue_init(&target->in_use);
		t->count++;
	}
	target->last_ns = now_ns;
	queue_move_last(&t->in_use, &target->in_use);
	return target;
}

/* The place of a source: its own, a new one, or that of the one that was quiet for longest. */
static size_t place_of(struct target *target, const struct bh_addr *addr)
{
	size_t oldest = 0;

	for (size_t i = 0; i < target->count; i++) {
		if (!memcmp(&target->sources[i].addr, addr, sizeof(*addr)))
			return i;
		if (target->sources[i].last_ns < target->sources[oldest].last_ns)
			oldest = i;
	}
	if (target->count == TARGET_SOURCES_MAX)
		return oldest;
	return target->count++;
}

static void count_sources(const struct targets *t, const struct target *target, uint64_t now_ns,
			  struct arrivals *ret)
{
	for (size_t i = 0; i < target->count; i++) {
		uint64_t last_ns = target->sources[i].last_ns;

		if (!is_fresh(t, last_ns, now_ns))
			continue;
		if (!ret->sources || last_ns < ret->since_ns)
			ret->since_ns = last_ns;
		ret->sources++;
	}
}

bool targets_add(struct targets *t, const char *name, const struct bh_event *event,
		 struct arrivals *ret)
{
	const void *key = name ? (const void *)name : &event->dst;
	uint64_t hash = hash_bytes(key, name ? strlen(name) : sizeof(event->dst), TARGETS_SEED);
	struct target *target = find(t, hash, event->time_ns);
	size_t at;

	if (!target)
		return false;
	at = place_of(target, &event->src);
	*ret = (struct arrivals){
		.tally = &target->tally,
		.is_new = memcmp(&target->sources[at].addr, &event->src, sizeof(event->src)) != 0 ||
			  !is_fresh(t, target->sources[at].last_ns, event->time_ns),
	};
	target->sources[at].addr = event->src;
	target->sources[at].last_ns = event->time_ns;
	if (ret->is_new)
		count_sources(t, target, event->time_ns, ret);
	return true;
}
