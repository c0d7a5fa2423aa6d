/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "util/address.h"
#include "util/mem.h"

#define PAIRS_FIRST 4
#define NS_PER_MS   1000000ull

/* Events of several CPUs come in about their order. */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static bool is_host(const struct pair *p, const struct bh_addr *host)
{
	return !memcmp(&p->host, host, sizeof(*host));
}

static bool is_service(const struct pair *p, const struct service_number *service)
{
	return p->table == service->table && p->number == service->number;
}

/* Of one kind: how many, and the first of them. */
struct number {
	uint32_t count;
	uint64_t since_ns;
};

static const struct number nothing = {.since_ns = UINT64_MAX};

static void note(struct number *s, bool is_one, uint64_t time_ns)
{
	s->count += is_one;
	if (is_one && time_ns < s->since_ns)
		s->since_ns = time_ns;
}

/* A place for one more; when all are taken, that of the one that came first. */
static struct pair *make_room(struct pairs *p)
{
	if (p->count == PAIRS_MAX) {
		struct pair *first = &p->list[p->next];

		p->next = (p->next + 1) % PAIRS_MAX;
		return first;
	}
	if (p->count == p->size) {
		p->size = p->size ? p->size * 2 : PAIRS_FIRST;
		p->size = p->size < PAIRS_MAX ? p->size : PAIRS_MAX;
		p->list = xrealloc(p->list, p->size, sizeof(*p->list));
	}
	return &p->list[p->count++];
}

static void begin_beats(struct pair *p, uint64_t now_ns)
{
	p->beat_ns = now_ns;
	p->interval_ms = 0;
	p->beats = 1;
}

/* An attempt that comes about as long after the last as that one did after the one before it. */
static void beat(struct pair *p, uint64_t now_ns)
{
	uint64_t interval_ns = since(p->beat_ns, now_ns);
	uint32_t ms = (uint32_t)(interval_ns / NS_PER_MS);
	uint32_t off = ms > p->interval_ms ? ms - p->interval_ms : p->interval_ms - ms;

	if (interval_ns < BEAT_BURST_NS)
		return;
	if (interval_ns < BEAT_MIN_NS) {
		begin_beats(p, now_ns);
		return;
	}
	p->beat_ns = now_ns;
	if (p->beats < 2 || off > p->interval_ms / BEAT_JITTER) {
		p->interval_ms = ms;
		p->beats = 2;
		return;
	}
	p->interval_ms = (uint32_t)(((uint64_t)p->interval_ms * (p->beats - 1) + ms) / p->beats);
	if (p->beats < UINT8_MAX)
		p->beats++;
}

static void renew(struct pair *p, const struct attempt *a, struct reach *reach)
{
	reach->is_new_attempt = !a->is_repeated_alike || p->sport != a->sport ||
				since(p->beat_ns, a->now_ns) >= RETRY_NS;
	if (reach->is_new_attempt)
		beat(p, a->now_ns);
	p->sport = a->sport;
	p->last_ns = a->now_ns;
}

/* A scan makes this the costly part of a packet: one pass, without calls. */
static struct pair *count_pairs(const struct pairs *p, const struct attempt *a, struct reach *ret)
{
	struct number ports = nothing, hosts = nothing, all = nothing;
	const struct bh_addr host = *a->host;
	struct pair *found = NULL;

	for (struct pair *pair = p->list; pair < p->list + p->count; pair++) {
		bool is_of_host = is_host(pair, &host);
		bool is_of_service = is_service(pair, &a->service);
		bool is_fresh = since(pair->last_ns, a->now_ns) <= a->window_ns;

		if (is_of_host && is_of_service) {
			found = pair;
			ret->is_new_pair = !is_fresh;
			is_fresh = false; /* it is counted as it is now */
		}
		note(&all, is_fresh, pair->last_ns);
		note(&ports, is_fresh && is_of_host, pair->last_ns);
		note(&hosts, is_fresh && is_of_service, pair->last_ns);
	}
	ret->pairs = all.count + 1;
	ret->ports = ports.count + 1;
	ret->hosts = hosts.count + 1;
	ret->pairs_since_ns = all.count ? all.since_ns : a->now_ns;
	ret->ports_since_ns = ports.count ? ports.since_ns : a->now_ns;
	ret->hosts_since_ns = hosts.count ? hosts.since_ns : a->now_ns;
	return found;
}

void pairs_add(struct pairs *p, const struct attempt *a, struct reach *ret)
{
	struct pair *found;

	*ret = (struct reach){.is_new_pair = true, .is_new_attempt = true};
	found = count_pairs(p, a, ret);
	if (found) {
		renew(found, a, ret);
	} else {
		found = make_room(p);
		*found = (struct pair){.host = *a->host,
				       .last_ns = a->now_ns,
				       .number = a->service.number,
				       .sport = a->sport,
				       .table = (uint8_t)a->service.table};
		begin_beats(found, a->now_ns);
	}
	ret->interval_ms = found->interval_ms;
	ret->beats = found->beats;
	ret->beats_since_ns = found->beat_ns -
			      (uint64_t)found->interval_ms * NS_PER_MS * (found->beats - 1u);
}

/* Whether one before it has the same host, or the same service. */
static bool is_first(const struct pairs *p, const struct attempt *a, size_t at, bool is_by_host)
{
	const struct pair *pair = &p->list[at];
	struct service_number service = {pair->table, pair->number};

	for (size_t i = 0; i < at; i++) {
		if (since(p->list[i].last_ns, a->now_ns) > a->window_ns)
			continue;
		if (is_by_host ? is_host(&p->list[i], &pair->host)
			       : is_service(&p->list[i], &service))
			return false;
	}
	return true;
}

void pairs_spread(const struct pairs *p, const struct attempt *a, uint32_t *ret_hosts,
		  uint32_t *ret_services)
{
	*ret_hosts = *ret_services = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (since(p->list[i].last_ns, a->now_ns) > a->window_ns)
			continue;
		*ret_hosts += is_first(p, a, i, true);
		*ret_services += is_first(p, a, i, false);
	}
}

void pairs_release(struct pairs *p)
{
	free(p->list);
	*p = (struct pairs){};
}
