/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

#include <linux/if_ether.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/tables.h>
#include <bulkhead/verdict.h>

#include "agent/control/words.h"
#include "agent/detect/detect_quiet.h"
#include "agent/detect/detect_suspects.h"
#include "agent/detect/detect_targets.h"
#include "util/address.h"
#include "util/map.h"
#include "util/mem.h"

#define NS_PER_S 1000000000ull

/* Packets that may be between two endpoints of this machine. */
#define SENT_MAX 64

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* Above it are the ports that systems choose for who opens a connection. */
#define SERVICE_PORT_MAX 32767

struct detect {
	struct detect_config config;
	alert_fn *fn;
	void *user;
	struct suspects *suspects;
	struct targets *targets;
	struct quiet quiet;
	uint64_t counts[DETECTION_COUNT];
	uint64_t sent[SENT_MAX]; /* what was let through lately, as hashes: a ring */
	size_t sent_next;
};

/* An event while it is looked at. */
struct look {
	struct detect *d;
	const struct bh_event *event;
	const struct event_names *names;
	struct suspect *who;
	struct attempt attempt;
	struct reach reach;
	bool is_opening; /* it opens a connection; else it may also be an answer that came late */
};

struct detect *detect_new(const struct detect_config *config, alert_fn *fn, void *user)
{
	struct detect *d = xcalloc(1, sizeof(*d));
	uint32_t keep_s = config->window_s > config->cooldown_s ? config->window_s
								: config->cooldown_s;

	d->config = *config;
	d->fn = fn;
	d->user = user;
	d->suspects = suspects_new(keep_s * NS_PER_S);
	d->targets = targets_new(config->window_s * NS_PER_S);
	return d;
}

void detect_free(struct detect *d)
{
	if (!d)
		return;
	suspects_free(d->suspects);
	targets_free(d->targets);
	quiet_release(&d->quiet);
	free(d);
}

void detect_workloads(struct detect *d, const struct policy *policy, uint64_t now_ns)
{
	quiet_update(&d->quiet, policy, now_ns);
}

uint64_t detect_count(const struct detect *d, enum detection id)
{
	return d->counts[id];
}

/* --- alerts --- */

static bool is_reached(const struct look *l, enum detection id, uint32_t value)
{
	uint32_t threshold = l->d->config.threshold[id];

	return threshold && value >= threshold;
}

/* Notes that one is due; true once a cooldown. */
static bool is_its_turn(const struct look *l, struct tally *tally)
{
	uint64_t now_ns = l->event->time_ns;
	uint64_t cooldown_ns = l->d->config.cooldown_s * NS_PER_S;

	tally->due++;
	if (tally->has_alerted &&
	    (now_ns < tally->alerted_ns || now_ns - tally->alerted_ns < cooldown_ns))
		return false;
	tally->has_alerted = true;
	tally->alerted_ns = now_ns;
	return true;
}

static void raise_alert(const struct look *l, struct tally *tally, struct alert *alert)
{
	if (!is_its_turn(l, tally))
		return;
	alert->event = l->event;
	alert->names = l->names;
	alert->window_s = l->d->config.window_s;
	alert->count = tally->due;
	tally->due = 0;
	l->d->counts[alert->id]++;
	l->d->fn(alert, l->d->user);
}

static void raise_of_suspect(const struct look *l, struct alert *alert)
{
	alert->is_crowd = l->who->is_crowd;
	raise_alert(l, &l->who->tallies[alert->id], alert);
}

static uint64_t span(const struct look *l, uint64_t since_ns)
{
	return l->event->time_ns > since_ns ? l->event->time_ns - since_ns : 0;
}

/* Counts one, in a window that begins with the first. */
static void tally_one(const struct look *l, struct suspect *who, enum detection id)
{
	struct tally *tally = &who->tallies[id];
	struct alert alert = {.id = id, .is_crowd = who->is_crowd};

	if (span(l, tally->start_ns) > l->d->config.window_s * NS_PER_S)
		tally->value = 0;
	if (!tally->value)
		tally->start_ns = l->event->time_ns;
	tally->value++;
	alert.value = tally->value;
	alert.span_ns = span(l, tally->start_ns);
	if (is_reached(l, id, tally->value))
		raise_alert(l, tally, &alert);
}

/* --- who does what --- */

static bool is_v4_net(const struct bh_addr *a, uint32_t net, uint32_t mask)
{
	return addr_is_v4(a) && (ntohl(a->word[3]) & mask) == net;
}

static bool is_to_all(const struct bh_addr *a)
{
	return is_v4_net(a, INADDR_BROADCAST, UINT32_MAX) || is_v4_net(a, 0xe0000000, 0xf0000000) ||
	       (ntohl(a->word[0]) >> 24) == 0xff;
}

/* Who has no address yet, or one that is good on the link only, doesn't pose as another by it. */
static bool is_nobodys(const struct bh_addr *a)
{
	bool is_zero = !a->word[0] && !a->word[1] && !a->word[2] && !a->word[3];

	return is_zero || is_v4_net(a, 0, UINT32_MAX) || is_v4_net(a, 0xa9fe0000, 0xffff0000) ||
	       (ntohl(a->word[0]) >> 22) == 0xfe80 >> 6;
}

static bool is_ip(const struct bh_event *event)
{
	uint16_t ethertype = ntohs(event->ethertype);

	return ethertype == ETH_P_IP || ethertype == ETH_P_IPV6;
}

/* As an answer has them: from a service to a port that was chosen by who asked. */
static bool has_ports_of_answer(const struct bh_event *event)
{
	return ntohs(event->sport) <= SERVICE_PORT_MAX && ntohs(event->dport) > SERVICE_PORT_MAX;
}

static bool has_ports_of_question(const struct bh_event *event)
{
	return ntohs(event->sport) > SERVICE_PORT_MAX && ntohs(event->dport) <= SERVICE_PORT_MAX;
}

static bool is_icmp_question(const struct bh_event *event)
{
	if (event->proto == IPPROTO_ICMPV6)
		return event->icmp_type == ICMP6_ECHO_REQUEST;
	return event->icmp_type == ICMP_ECHO || event->icmp_type == ICMP_TIMESTAMP ||
	       event->icmp_type == ICMP_ADDRESS;
}

static bool is_opening(const struct bh_event *event)
{
	switch (event->proto) {
	case IPPROTO_TCP:
		return (event->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return is_icmp_question(event);
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return !has_ports_of_answer(event);
	}
	return true;
}

/*
 * Whether it asks for something that it is denied.  Of TCP in the middle of a connection only what
 * can be no late answer: scans with FIN, ACK or no flags are told from connections that timed out.
 */
static bool is_attempt(const struct look *l)
{
	const struct bh_event *event = l->event;

	if (is_to_all(&event->dst))
		return false;
	return event->reason == BH_REASON_NO_CONNECTION || l->is_opening;
}

/* Whether it is told by the same limit of events as attempts are, and so may be in their way. */
static bool is_denied(const struct bh_event *event)
{
	if (event->verdict == BH_VERDICT_ALLOW || !is_ip(event))
		return false;
	if (event->reason == BH_REASON_NO_CONNECTION)
		return event->proto == IPPROTO_TCP && has_ports_of_question(event);
	return event->reason == BH_REASON_POLICY || event->reason == BH_REASON_AGENT_DOWN;
}

/* What is let through is told where it leaves, and again where it arrives. */
static bool is_told_again(struct detect *d, const struct bh_event *event)
{
	uint64_t hash;

	if (event->verdict != BH_VERDICT_AUDIT)
		return false;
	hash = hash_bytes(&event->src, sizeof(event->src),
			  (uint64_t)event->sport << 16 | event->dport);
	hash = hash_bytes(&event->dst, sizeof(event->dst), hash);
	if (event->direction == BH_EGRESS) {
		d->sent[d->sent_next++ % SENT_MAX] = hash;
		return false;
	}
	for (size_t i = 0; i < SENT_MAX; i++)
		if (d->sent[i] == hash)
			return true;
	return false;
}

static struct origin_key origin_of(const struct look *l)
{
	struct origin_key key = {
		.kind = ORIGIN_REMOTE,
		.zone = l->names->src.zone,
		.workload = l->names->src.workload,
	};

	if (l->event->direction == BH_EGRESS)
		key = (struct origin_key){.kind = ORIGIN_LOCAL, .ifindex = l->event->ifindex};
	return key;
}

static void take_suspect(struct look *l)
{
	struct origin_key key = origin_of(l);

	l->who = suspects_take(l->d->suspects, &key, &l->event->src, l->event->time_ns);
}

static void take_attempt(struct look *l)
{
	const struct bh_event *event = l->event;
	uint16_t icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);

	l->attempt = (struct attempt){
		.host = &event->dst,
		.service = protocol_service(event->proto, ntohs(event->dport), icmp),
		.sport = event->sport,
		.is_repeated_alike = event->proto == IPPROTO_TCP,
		.now_ns = event->time_ns,
		.window_ns = l->d->config.window_s * NS_PER_S,
	};
	pairs_add(&l->who->pairs, &l->attempt, &l->reach);
}

/* --- the detections --- */

/* Neither one host nor one port, and yet too many: every pair is another, so neither gets far. */
static void look_at_scatter(const struct look *l)
{
	const uint32_t *threshold = l->d->config.threshold;
	uint32_t most = threshold[DETECT_VERTICAL] > threshold[DETECT_SWEEP]
				? threshold[DETECT_VERTICAL]
				: threshold[DETECT_SWEEP];
	struct alert alert = {.pairs = l->reach.pairs, .span_ns = span(l, l->reach.pairs_since_ns)};

	if (!most || l->reach.pairs < PAIRS_SCATTER * most || !is_its_turn(l, &l->who->scatter))
		return;
	pairs_spread(&l->who->pairs, &l->attempt, &alert.hosts, &alert.ports);
	alert.id = alert.ports > alert.hosts ? DETECT_VERTICAL : DETECT_SWEEP;
	alert.value = alert.ports > alert.hosts ? alert.ports : alert.hosts;
	l->who->tallies[alert.id].due += l->who->scatter.due - 1;
	l->who->scatter.due = 0;
	if (threshold[alert.id])
		raise_of_suspect(l, &alert);
}

static void look_at_scan(const struct look *l)
{
	const struct reach *r = &l->reach;
	struct alert vertical = {
		.id = DETECT_VERTICAL, .value = r->ports, .span_ns = span(l, r->ports_since_ns)};
	struct alert sweep = {
		.id = DETECT_SWEEP, .value = r->hosts, .span_ns = span(l, r->hosts_since_ns)};
	bool is_vertical = is_reached(l, DETECT_VERTICAL, r->ports);
	bool is_sweep = is_reached(l, DETECT_SWEEP, r->hosts);

	if (!r->is_new_pair)
		return;
	if (is_vertical)
		raise_of_suspect(l, &vertical);
	if (is_sweep)
		raise_of_suspect(l, &sweep);
	if (!is_vertical && !is_sweep)
		look_at_scatter(l);
}

static void look_at_roles(const struct look *l)
{
	enum zone_role src = l->names->src.role, dst = l->names->dst.role;

	if (src == ROLE_DATA && dst != ROLE_DATA)
		tally_one(l, l->who, DETECT_DATA_OUT);
	if ((src == ROLE_FRONT || src == ROLE_INTERNAL) && dst == ROLE_MANAGEMENT)
		tally_one(l, l->who, DETECT_MANAGEMENT);
}

static void look_at_quiet(const struct look *l)
{
	const char *workload = l->names->src.workload;
	uint64_t quiet_ns;
	struct alert alert = {.id = DETECT_FIRST};

	if (!workload || !l->d->config.threshold[DETECT_FIRST])
		return;
	quiet_ns = quiet_end(&l->d->quiet, workload, l->event->time_ns);
	alert.value = (uint32_t)(quiet_ns / NS_PER_S);
	if (is_reached(l, DETECT_FIRST, alert.value))
		raise_of_suspect(l, &alert);
}

/* A crowd has no rhythm. */
static void look_at_beats(const struct look *l)
{
	const struct reach *r = &l->reach;
	struct alert alert = {.id = DETECT_BEACON,
			      .value = r->beats,
			      .interval_ms = r->interval_ms,
			      .span_ns = span(l, r->beats_since_ns)};

	if (!l->who->is_crowd && is_reached(l, DETECT_BEACON, r->beats))
		raise_of_suspect(l, &alert);
}

/* That strangers knock at the front is the weather. */
static bool is_weather(const struct look *l)
{
	const struct event_end *src = &l->names->src;

	return l->names->dst.role == ROLE_FRONT &&
	       (src->role == ROLE_INTERNET || (src->role == ROLE_UNSET && !src->workload));
}

static void look_at_target(const struct look *l)
{
	struct alert alert = {.id = DETECT_CROWD};
	struct arrivals arrivals;

	if (!l->d->config.threshold[DETECT_CROWD] || is_weather(l) ||
	    !targets_add(l->d->targets, l->names->dst.workload, l->event, &arrivals))
		return;
	alert.value = arrivals.sources;
	alert.span_ns = span(l, arrivals.since_ns);
	if (arrivals.is_new && is_reached(l, DETECT_CROWD, arrivals.sources))
		raise_alert(l, arrivals.tally, &alert);
}

static void look_at_spoofed(const struct look *l)
{
	struct origin_key key = {.kind = ORIGIN_LOCAL, .ifindex = l->event->ifindex};

	if (!is_nobodys(&l->event->src))
		tally_one(l, suspects_crowd(l->d->suspects, &key, l->event->time_ns),
			  DETECT_SPOOFED);
}

void detect_event(struct detect *d, const struct bh_event *event, const struct event_names *names)
{
	struct look l = {
		.d = d,
		.event = event,
		.names = names,
		.is_opening = is_opening(event),
	};

	if (event->reason == BH_REASON_SPOOFED_SOURCE) {
		look_at_spoofed(&l);
		return;
	}
	if (!is_denied(event) || is_told_again(d, event))
		return;
	take_suspect(&l);
	tally_one(&l, l.who, DETECT_NOISE);
	if (!is_attempt(&l))
		return;
	take_attempt(&l);
	look_at_scan(&l);
	if (!l.is_opening || !l.reach.is_new_attempt)
		return;
	look_at_roles(&l);
	look_at_quiet(&l);
	look_at_beats(&l);
	look_at_target(&l);
}
