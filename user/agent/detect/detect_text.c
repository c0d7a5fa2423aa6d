/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/verdict.h>

#include "agent/control/words.h"
#include "agent/detect/detect.h"
#include "agent/events/event_json.h"
#include "policy/services.h"
#include "util/address.h"
#include "util/clock.h"
#include "util/json.h"

#define NS_PER_S       1000000000ull
#define MS_PER_S       1000u
#define MINUTE_S       60u
#define HOUR_S         3600u
#define SECONDS_UP(ns) (((ns) + NS_PER_S - 1) / NS_PER_S)

static const char *const codes[] = {
#define X(id, code, key, unit, by_default, least, most, what) [DETECT_##id] = (code),
	DETECTIONS(X)
#undef X
};

static const char *const units[] = {
#define X(id, code, key, unit, by_default, least, most, what) [DETECT_##id] = (unit),
	DETECTIONS(X)
#undef X
};

const char *detection_code(enum detection id)
{
	return codes[id];
}

/* --- words --- */

static void add_who(const struct event_end *end, const struct bh_addr *addr, struct text *out)
{
	char ip[ADDRESS_STRLEN];

	if (end->workload)
		text_add(out, end->workload);
	if (end->zone)
		text_addf(out, end->workload ? "(%s)" : "%s", end->zone);
	if (!end->workload && !end->zone)
		text_add(out, "outside");
	if (addr)
		text_addf(out, " %s", addr_format(addr, ip));
}

static void add_source(const struct alert *alert, struct text *out)
{
	if (alert->is_crowd)
		text_add(out, "several addresses of ");
	add_who(&alert->names->src, alert->is_crowd ? NULL : &alert->event->src, out);
}

static void add_target(const struct alert *alert, struct text *out)
{
	add_who(&alert->names->dst, &alert->event->dst, out);
}

static void add_service(const struct bh_event *event, struct text *out)
{
	uint16_t icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	struct service_number s = protocol_service(event->proto, ntohs(event->dport), icmp);

	service_format(s.table, s.number, out);
}

static void add_duration(uint64_t seconds, struct text *out)
{
	if (seconds < 2 * MINUTE_S)
		text_addf(out, "%" PRIu64 " s", seconds);
	else if (seconds < 2 * HOUR_S)
		text_addf(out, "%" PRIu64 " min", seconds / MINUTE_S);
	else
		text_addf(out, "%" PRIu64 " h", seconds / HOUR_S);
}

static void add_span(const struct alert *alert, struct text *out)
{
	text_add(out, " in ");
	add_duration(SECONDS_UP(alert->span_ns) ? SECONDS_UP(alert->span_ns) : 1, out);
}

static void say_noise(const struct alert *alert, struct text *out)
{
	add_source(alert, out);
	text_addf(out, " was denied %u times", alert->value);
	add_span(alert, out);
	text_add(out, ", so that other things that it tries may go unseen; the last was ");
	add_target(alert, out);
	text_addc(out, ' ');
	add_service(alert->event, out);
}

/* By a NIC; else a workload of this machine sent it. */
static bool is_from_wire(const struct alert *alert)
{
	return alert->event->direction == BH_INGRESS;
}

/* "tried 40 services of 30 hosts"; without it a scan of one host or of one service. */
static bool add_scatter(const struct alert *alert, struct text *out)
{
	if (!alert->pairs)
		return false;
	add_source(alert, out);
	text_addf(out, " tried %u services on %u hosts, %u pairs of these,", alert->ports,
		  alert->hosts, alert->pairs);
	add_span(alert, out);
	return true;
}

static void say_vertical(const struct alert *alert, struct text *out)
{
	if (add_scatter(alert, out))
		return;
	add_source(alert, out);
	text_addf(out, " tried %u ports of ", alert->value);
	add_target(alert, out);
	add_span(alert, out);
	text_add(out, ", the last ");
	add_service(alert->event, out);
}

static void say_sweep(const struct alert *alert, struct text *out)
{
	if (add_scatter(alert, out))
		return;
	add_source(alert, out);
	text_add(out, " tried ");
	add_service(alert->event, out);
	text_addf(out, " on %u hosts", alert->value);
	add_span(alert, out);
	text_add(out, ", the last ");
	add_target(alert, out);
}

static void say_reach(const struct alert *alert, struct text *out)
{
	add_source(alert, out);
	text_add(out, alert->id == DETECT_DATA_OUT ? ", in a data zone, tried to reach out: "
						   : " tried to reach into management: ");
	add_target(alert, out);
	text_addc(out, ' ');
	add_service(alert->event, out);
	if (alert->value > 1) {
		text_addf(out, ", %u times", alert->value);
		add_span(alert, out);
	}
}

static void say_first(const struct alert *alert, struct text *out)
{
	add_source(alert, out);
	text_add(out, " was quiet for ");
	add_duration(alert->value, out);
	text_add(out, ", and now is denied something for the first time: ");
	add_target(alert, out);
	text_addc(out, ' ');
	add_service(alert->event, out);
}

static void say_beacon(const struct alert *alert, struct text *out)
{
	add_source(alert, out);
	text_add(out, " tries ");
	add_target(alert, out);
	text_addc(out, ' ');
	add_service(alert->event, out);
	text_add(out, " every ");
	add_duration((alert->interval_ms + MS_PER_S / 2) / MS_PER_S, out);
	text_addf(out, ", %u times by now", alert->value);
}

static void say_crowd(const struct alert *alert, struct text *out)
{
	text_addf(out, "%u sources were denied on their way to ", alert->value);
	add_target(alert, out);
	add_span(alert, out);
	text_add(out, ", the last ");
	add_source(alert, out);
}

static void say_spoofed(const struct alert *alert, struct text *out)
{
	const struct event_names *names = alert->names;
	const char *interface = names->interface ? names->interface : "-";
	char ip[ADDRESS_STRLEN];

	if (is_from_wire(alert))
		text_addf(out,
			  "%u packets came in by interface %s from addresses that are not there",
			  alert->value, interface);
	else
		text_addf(out, "%s at interface %s sent %u packets from addresses not its own",
			  names->endpoint ? names->endpoint : "somebody", interface, alert->value);
	add_span(alert, out);
	text_addf(out, ", the last from %s", addr_format(&alert->event->src, ip));
}

void alert_text(const struct alert *alert, struct text *out)
{
	static void (*const say[])(const struct alert *, struct text *) = {
		[DETECT_VERTICAL] = say_vertical, [DETECT_SWEEP] = say_sweep,
		[DETECT_DATA_OUT] = say_reach,    [DETECT_MANAGEMENT] = say_reach,
		[DETECT_FIRST] = say_first,       [DETECT_BEACON] = say_beacon,
		[DETECT_CROWD] = say_crowd,       [DETECT_SPOOFED] = say_spoofed,
		[DETECT_NOISE] = say_noise,
	};

	say[alert->id](alert, out);
	if (alert->event->verdict == BH_VERDICT_AUDIT)
		text_add(out, " (let through: audit)");
}

/* --- json --- */

static void add_spoofer(struct json *j, const struct alert *alert)
{
	json_object(j, "source");
	if (!is_from_wire(alert) && alert->names->endpoint)
		json_string(j, "workload", alert->names->endpoint);
	json_string(j, "interface", alert->names->interface);
	json_end(j, '}');
}

static void add_ends(struct json *j, const struct alert *alert)
{
	const struct event_names *names = alert->names;

	if (alert->id == DETECT_SPOOFED) {
		add_spoofer(j, alert);
		return;
	}
	event_json_end(j, "source", &names->src, alert->is_crowd ? NULL : &alert->event->src, NULL);
	event_json_end(j, "target", &names->dst, &alert->event->dst, NULL);
	json_string(j, "interface", names->interface);
}

/* What only some have. */
static void add_details(struct json *j, const struct alert *alert)
{
	_text_ struct text service = TEXT_INIT;
	char ip[ADDRESS_STRLEN];

	if (alert->pairs) {
		json_number(j, alert->id == DETECT_VERTICAL ? "hosts" : "ports",
			    alert->id == DETECT_VERTICAL ? alert->hosts : alert->ports);
		json_number(j, "pairs", alert->pairs);
	}
	if (alert->id == DETECT_BEACON)
		json_number(j, "interval_s", (alert->interval_ms + MS_PER_S / 2) / MS_PER_S);
	if (alert->id == DETECT_SPOOFED) {
		json_string(j, "claimed", addr_format(&alert->event->src, ip));
	} else {
		add_service(alert->event, &service);
		json_string(j, "service", service.buf);
	}
}

static void add_evidence(struct json *j, const struct alert *alert)
{
	json_object(j, "evidence");
	json_number(j, units[alert->id], alert->value);
	if (alert->id != DETECT_FIRST) {
		json_number(j, "window_s", alert->window_s);
		json_number(j, "span_s", SECONDS_UP(alert->span_ns));
	}
	add_details(j, alert);
	json_bool(j, "let_through", alert->event->verdict == BH_VERDICT_AUDIT);
	json_end(j, '}');
}

void alert_json(const struct alert *alert, struct text *out)
{
	_text_ struct text sentence = TEXT_INIT;
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	alert_text(alert, &sentence);
	json_object(&j, NULL);
	json_string(&j, "type", "alert");
	json_string(&j, "id", detection_code(alert->id));
	json_string(&j, "time", clock_format(alert->names->wall_ns, time));
	add_ends(&j, alert);
	add_evidence(&j, alert);
	json_number(&j, "count", alert->count);
	json_string(&j, "text", sentence.buf);
	json_end(&j, '}');
}
