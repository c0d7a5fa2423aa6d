/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_drops.h"

#include <arpa/inet.h>
#include <string.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/verdict.h>

#include "agent/control/words.h"
#include "policy/services.h"
#include "util/address.h"
#include "util/mem.h"

#define KINDS_MAX 4096 /* that are told apart; more are left out */
#define WAIT_MAX  (KUBE_DROPS_WINDOW_NS / 2)

/* What drops have in common that are one Event.  Rules have other numbers in other generations. */
struct drop_kind {
	uint64_t pod, rule; /* hashes */
	struct bh_addr peer;
	uint16_t port;
	uint16_t icmp;
	uint8_t proto, reason, direction;
};

static uint64_t hash_word(const char *s)
{
	return s ? hash_bytes(s, strlen(s), 0) : 0;
}

static const struct bh_addr *peer_of(const struct bh_event *event)
{
	return event->direction == BH_EGRESS ? &event->dst : &event->src;
}

static void read_kind(const struct bh_event *event, const struct event_names *names,
		      struct drop_kind *ret)
{
	memset(ret, 0, sizeof(*ret)); /* padding is part of the key */
	ret->pod = hash_word(names->endpoint);
	ret->rule = hash_word(names->rule);
	ret->peer = *peer_of(event);
	ret->port = event->dport;
	ret->icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	ret->proto = event->proto;
	ret->reason = event->reason;
	ret->direction = event->direction;
}

static void add_peer(const struct event_end *end, const struct bh_addr *addr, struct text *out)
{
	char ip[ADDRESS_STRLEN];

	if (end->workload || end->zone)
		text_addf(out, "%s ", end->workload ? end->workload : end->zone);
	text_add(out, addr_format(addr, ip));
}

void kube_drop_note(const struct bh_event *event, const struct event_names *names, struct text *out)
{
	bool is_sent = event->direction == BH_EGRESS;
	uint16_t icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	struct service_number s = protocol_service(event->proto, ntohs(event->dport), icmp);

	text_add(out, is_sent ? "dropped what it sent to " : "dropped what came to it from ");
	add_peer(is_sent ? &names->dst : &names->src, peer_of(event), out);
	text_add(out, ", ");
	service_format(s.table, s.number, out);
	text_addf(out, ": rule %s, reason %s", names->rule ? names->rule : "unknown",
		  reason_word(event->reason));
	if (names->near)
		text_addf(out, "; near %s", names->near);
}

static void clear(struct kube_drops *d)
{
	vec_foreach (drop, &d->list) {
		free(drop->pod);
		free(drop->note);
	}
	vec_release(&d->list);
	map_release(&d->kinds);
}

void kube_drops_release(struct kube_drops *d)
{
	clear(d);
}

static size_t count_of_pod(const struct kube_drops *d, const char *pod)
{
	size_t count = 0;

	vec_foreach (drop, &d->list)
		count += !strcmp(drop->pod, pod);
	return count;
}

static void tell(struct kube_drops *d, struct kube_drop *drop)
{
	d->fn(d->user, drop);
	drop->told = drop->count;
}

static void begin(struct kube_drops *d, const struct drop_kind *kind, const struct bh_event *event,
		  const struct event_names *names, uint64_t now_ns)
{
	_text_ struct text note = TEXT_INIT;

	kube_drop_note(event, names, &note);
	vec_push(&d->list, (struct kube_drop){
				   .pod = xstrdup(names->endpoint),
				   .note = text_take(&note),
				   .hash = hash_bytes(kind, sizeof(*kind), names->wall_ns),
				   .count = 1,
				   .wall_ns = names->wall_ns,
				   .next_ns = now_ns + KUBE_DROPS_FIRST_NS,
				   .wait_ns = KUBE_DROPS_FIRST_NS,
			   });
	tell(d, &d->list.items[d->list.count - 1]);
}

static bool is_at_pod(const struct bh_event *event, const struct event_names *names)
{
	return !BH_VERDICT_PASSES(event->verdict) && names->endpoint &&
	       strchr(names->endpoint, '/');
}

void kube_drops_add(struct kube_drops *d, const struct bh_event *event,
		    const struct event_names *names, uint64_t now_ns)
{
	struct drop_kind kind;
	uint64_t *place;
	bool is_new = false;

	if (!is_at_pod(event, names))
		return;
	if (!d->since_ns)
		d->since_ns = now_ns;
	read_kind(event, names, &kind);
	place = map_get(&d->kinds, &kind, sizeof(kind));
	if (!place && d->kinds.count < KINDS_MAX)
		place = map_put(&d->kinds, &kind, sizeof(kind), 0, &is_new);
	if (is_new && d->list.count < KUBE_DROPS_MAX &&
	    count_of_pod(d, names->endpoint) < KUBE_DROPS_OF_POD) {
		begin(d, &kind, event, names, now_ns);
		*place = d->list.count;
	} else if (place && *place) {
		d->list.items[*place - 1].count++;
		d->list.items[*place - 1].wall_ns = names->wall_ns;
	} else {
		d->left_out++;
	}
}

void kube_drops_tick(struct kube_drops *d, uint64_t now_ns)
{
	bool is_over = d->since_ns && now_ns - d->since_ns >= KUBE_DROPS_WINDOW_NS;

	vec_foreach (drop, &d->list) {
		if (drop->count == drop->told || (now_ns < drop->next_ns && !is_over))
			continue;
		tell(d, drop);
		drop->wait_ns = drop->wait_ns * 2 < WAIT_MAX ? drop->wait_ns * 2 : WAIT_MAX;
		drop->next_ns = now_ns + drop->wait_ns;
	}
	if (!is_over)
		return;
	clear(d);
	d->since_ns = 0;
}
