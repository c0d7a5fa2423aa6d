/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect_suspects.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/map.h"
#include "util/mem.h"

#define BUCKETS 4096

struct origin {
	struct origin *next; /* of the same hash */
	struct queue in_kind;
	struct queue suspects; /* by last use */
	size_t count;
	uint64_t hash;
	uint64_t last_ns;
	enum origin_kind kind;
	struct suspect crowd;
};

struct kind {
	struct queue origins;  /* by last use */
	struct queue suspects; /* the same, of all of them */
	size_t origin_count;
	size_t suspect_count;
	struct origin others; /* who finds no place among the origins */
};

struct suspects {
	uint64_t keep_ns;
	uint64_t seed;
	struct kind kinds[ORIGIN_KINDS];
	struct origin *origins[BUCKETS];
	struct suspect *suspects[BUCKETS];
};

static const struct {
	size_t origins, suspects, share;
} limits[] = {
	[ORIGIN_LOCAL] = {ORIGIN_LOCAL_MAX, SUSPECT_LOCAL_MAX, SUSPECT_LOCAL_SHARE},
	[ORIGIN_REMOTE] = {ORIGIN_REMOTE_MAX, SUSPECT_REMOTE_MAX, SUSPECT_REMOTE_SHARE},
};

static void origin_init(struct origin *o, enum origin_kind kind)
{
	*o = (struct origin){.kind = kind, .crowd.is_crowd = true};
	o->crowd.origin = o;
	queue_init(&o->in_kind);
	queue_init(&o->suspects);
}

struct suspects *suspects_new(uint64_t keep_ns)
{
	struct suspects *s = xcalloc(1, sizeof(*s));

	s->keep_ns = keep_ns;
	/* Without a seed of its own it is only less hard to find addresses of one bucket. */
	if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
		s->seed = (uint64_t)(uintptr_t)s;
	for (enum origin_kind kind = 0; kind < ORIGIN_KINDS; kind++) {
		queue_init(&s->kinds[kind].origins);
		queue_init(&s->kinds[kind].suspects);
		origin_init(&s->kinds[kind].others, kind);
	}
	return s;
}

/* --- forgetting --- */

static struct suspect **suspect_bucket(struct suspects *s, const struct origin *o,
				       const struct bh_addr *addr)
{
	return &s->suspects[hash_bytes(addr, sizeof(*addr), s->seed ^ o->hash) % BUCKETS];
}

static void suspect_free(struct suspects *s, struct suspect *who)
{
	struct suspect **place = suspect_bucket(s, who->origin, &who->addr);

	while (*place != who)
		place = &(*place)->next;
	*place = who->next;
	queue_remove(&who->in_origin);
	queue_remove(&who->in_kind);
	who->origin->count--;
	s->kinds[who->origin->kind].suspect_count--;
	pairs_release(&who->pairs);
	free(who);
}

static void origin_empty(struct suspects *s, struct origin *o)
{
	queue_foreach(link, &o->suspects)
	{
		suspect_free(s, queue_item(link, struct suspect, in_origin));
	}
	pairs_release(&o->crowd.pairs);
}

static void origin_free(struct suspects *s, struct origin *o)
{
	struct origin **place = &s->origins[o->hash % BUCKETS];

	while (*place != o)
		place = &(*place)->next;
	*place = o->next;
	queue_remove(&o->in_kind);
	s->kinds[o->kind].origin_count--;
	origin_empty(s, o);
	free(o);
}

void suspects_free(struct suspects *s)
{
	if (!s)
		return;
	for (enum origin_kind kind = 0; kind < ORIGIN_KINDS; kind++) {
		struct kind *k = &s->kinds[kind];

		queue_foreach(link, &k->origins)
		{
			origin_free(s, queue_item(link, struct origin, in_kind));
		}
		origin_empty(s, &k->others);
	}
	free(s);
}

/* --- finding --- */

static bool is_stale(const struct suspects *s, uint64_t last_ns, uint64_t now_ns)
{
	return now_ns > last_ns && now_ns - last_ns > s->keep_ns;
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
	return text ? hash_bytes(text, strlen(text), seed) : seed;
}

static uint64_t origin_hash(const struct suspects *s, const struct origin_key *key)
{
	uint64_t hash = s->seed + (uint64_t)key->kind;

	if (key->kind == ORIGIN_LOCAL)
		return hash_bytes(&key->ifindex, sizeof(key->ifindex), hash);
	return hash_text(key->workload, hash_text(key->zone, hash) + 1);
}

static bool make_room_for_origin(struct suspects *s, struct kind *k, uint64_t now_ns)
{
	struct queue *oldest = queue_first(&k->origins);
	struct origin *o;

	if (k->origin_count < limits[k->others.kind].origins)
		return true;
	o = queue_item(oldest, struct origin, in_kind);
	if (!is_stale(s, o->last_ns, now_ns))
		return false;
	origin_free(s, o);
	return true;
}

/* Names are the policy's: two that share all 64 bits of the hash share their place. */
static struct origin *find_origin(struct suspects *s, const struct origin_key *key, uint64_t now_ns)
{
	uint64_t hash = origin_hash(s, key);
	struct kind *k = &s->kinds[key->kind];
	struct origin **bucket = &s->origins[hash % BUCKETS];
	struct origin *o = *bucket;

	while (o && o->hash != hash)
		o = o->next;
	if (!o && !make_room_for_origin(s, k, now_ns))
		return &k->others;
	if (!o) {
		o = xmalloc(sizeof(*o));
		origin_init(o, key->kind);
		o->hash = hash;
		o->next = *bucket;
		*bucket = o;
		k->origin_count++;
	}
	o->last_ns = now_ns;
	queue_move_last(&k->origins, &o->in_kind);
	return o;
}

/* What has been quiet for longest gives way if that is long enough. */
static bool make_room(struct suspects *s, struct origin *o, uint64_t now_ns)
{
	struct kind *k = &s->kinds[o->kind];
	struct suspect *oldest;

	if (o->count >= limits[o->kind].share)
		oldest = queue_item(queue_first(&o->suspects), struct suspect, in_origin);
	else if (k->suspect_count >= limits[o->kind].suspects)
		oldest = queue_item(queue_first(&k->suspects), struct suspect, in_kind);
	else
		return true;
	if (!is_stale(s, oldest->last_ns, now_ns))
		return false;
	suspect_free(s, oldest);
	return true;
}

static struct suspect *suspect_new(struct suspects *s, struct origin *o, const struct bh_addr *addr)
{
	struct suspect **bucket = suspect_bucket(s, o, addr);
	struct suspect *who = xcalloc(1, sizeof(*who));

	who->origin = o;
	who->addr = *addr;
	who->next = *bucket;
	*bucket = who;
	queue_init(&who->in_origin);
	queue_init(&who->in_kind);
	o->count++;
	s->kinds[o->kind].suspect_count++;
	return who;
}

struct suspect *suspects_take(struct suspects *s, const struct origin_key *key,
			      const struct bh_addr *addr, uint64_t now_ns)
{
	struct origin *o = find_origin(s, key, now_ns);
	struct kind *k = &s->kinds[o->kind];
	struct suspect *who = *suspect_bucket(s, o, addr);

	while (who && (who->origin != o || memcmp(&who->addr, addr, sizeof(*addr)) != 0))
		who = who->next;
	if (!who && (o == &k->others || !make_room(s, o, now_ns)))
		return &o->crowd;
	if (!who)
		who = suspect_new(s, o, addr);
	who->last_ns = now_ns;
	queue_move_last(&o->suspects, &who->in_origin);
	queue_move_last(&k->suspects, &who->in_kind);
	return who;
}

struct suspect *suspects_crowd(struct suspects *s, const struct origin_key *key, uint64_t now_ns)
{
	return &find_origin(s, key, now_ns)->crowd;
}

size_t suspects_count(const struct suspects *s, enum origin_kind kind)
{
	return s->kinds[kind].suspect_count;
}
