/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/audited.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/if_ether.h>

#include "agent/control/words.h"
#include "policy/services.h"
#include "util/clock.h"
#include "util/mem.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* A packet in the middle of a connection may be an answer: its source is not who opened it. */
static bool is_opening(const struct bh_event *event)
{
	uint16_t ethertype = ntohs(event->ethertype);

	if (ethertype != ETH_P_IP && ethertype != ETH_P_IPV6)
		return false;
	return event->proto != IPPROTO_TCP || (event->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

void audited_add(struct audited *a, const struct bh_event *event, const struct event_names *names)
{
	uint16_t icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	struct service_number service = protocol_service(event->proto, ntohs(event->dport), icmp);
	const struct recorded_event recorded = {
		.src = {event->src, names->src.workload},
		.dst = {event->dst, names->dst.workload},
		.table = service.table,
		.number = service.number,
		.verdict = BH_VERDICT_AUDIT,
		.rule = names->rule,
		.time_ns = names->wall_ns,
		.count = 1,
	};

	if (event->verdict != BH_VERDICT_AUDIT || !is_opening(event))
		return;
	if (a->recording.connections.count >= AUDITED_MAX)
		a->left_out++;
	else
		recording_add(&a->recording, &recorded);
}

static char *describe(const struct compiled *c, const struct recorded_connection *k)
{
	_text_ struct text out = TEXT_INIT;
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];

	text_addf(&out, "%s %s -> ", compiled_address_name(c, &k->src), addr_format(&k->src, src));
	text_addf(&out, "%s %s ", compiled_address_name(c, &k->dst), addr_format(&k->dst, dst));
	service_format((enum bh_service_table)k->table, k->number, &out);
	return text_take(&out);
}

void audited_find(const struct audited *a, const struct compiled *next, struct audited_drops *ret)
{
	const struct recording *r = &a->recording;
	struct map places = {};

	*ret = (struct audited_drops){};
	vec_foreach (k, &r->connections) {
		const char *name = recording_word(r, k->rule);
		struct audited_rule *rule;
		bool is_new;
		size_t place;

		if (BH_VERDICT_PASSES(recorded_decide(next, r, k).verdict))
			continue;
		name = name ? name : "default";
		place = map_put(&places, name, strlen(name), ret->rules.count, &is_new)[0];
		if (is_new)
			vec_push(&ret->rules,
				 (struct audited_rule){xstrdup(name), 0, 0, describe(next, k)});
		rule = &ret->rules.items[place];
		rule->connections++;
		rule->events += k->events;
		ret->connections++;
	}
	map_release(&places);
}

void audited_json(const struct audited *a, const struct audited_drops *drops, struct json *j,
		  const char *key)
{
	char time[CLOCK_STRLEN];

	json_object(j, key);
	json_string(j, "since", clock_format(a->since_ns, time));
	json_number(j, "connections", drops->connections);
	json_number(j, "left_out", a->left_out);
	json_array(j, "rules");
	vec_foreach (rule, &drops->rules) {
		json_object(j, NULL);
		json_string(j, "rule", rule->name);
		json_number(j, "connections", rule->connections);
		json_number(j, "events", rule->events);
		json_string(j, "example", rule->example);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

void audited_drops_release(struct audited_drops *drops)
{
	vec_foreach (rule, &drops->rules) {
		free(rule->name);
		free(rule->example);
	}
	vec_release(&drops->rules);
}

void audited_release(struct audited *a)
{
	recording_release(&a->recording);
}
