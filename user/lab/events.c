/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/events.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "util/mem.h"

static const char *string_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static uint64_t number_of(const cJSON *object, const char *key, uint64_t fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 ? (uint64_t)item->valuedouble
							      : fallback;
}

static char *copy_of(const cJSON *object, const char *key)
{
	const char *s = string_of(object, key);

	return s ? xstrdup(s) : NULL;
}

static bool read_end(const cJSON *event, const char *key, struct bh_addr *ret)
{
	const char *ip = string_of(cJSON_GetObjectItemCaseSensitive(event, key), "ip");

	return ip && !addr_parse(ip, ret);
}

static bool read_service(const cJSON *event, struct lab_service *ret)
{
	static const char *const words[] = {
		[BH_SERVICE_TCP] = "tcp",     [BH_SERVICE_UDP] = "udp",
		[BH_SERVICE_SCTP] = "sctp",   [BH_SERVICE_ICMP] = "icmp",
		[BH_SERVICE_ICMP6] = "icmp6",
	};
	const char *proto = string_of(event, "proto");
	uint64_t number;

	for (size_t i = 0; proto && i < COUNT(words); i++) {
		if (strcmp(proto, words[i]) != 0)
			continue;
		ret->table = i;
		if (i == BH_SERVICE_ICMP || i == BH_SERVICE_ICMP6)
			ret->number = number_of(event, "icmp_type", 0) << 8 |
				      number_of(event, "icmp_code", 0);
		else
			ret->number = number_of(cJSON_GetObjectItemCaseSensitive(event, "dst"),
						"port", 0);
		return true;
	}
	if (!proto || !text_to_u64(proto, 0, UINT8_MAX, &number))
		return false;
	*ret = (struct lab_service){BH_SERVICE_PROTO, number};
	return true;
}

bool lab_event_verdict_drops(const char *verdict)
{
	return !strcmp(verdict, "deny") || !strcmp(verdict, "reject");
}

static bool read_event(const cJSON *json, struct lab_event *ret)
{
	const char *verdict = string_of(json, "verdict");
	struct lab_event e = {.count = number_of(json, "count", 1)};

	if (!verdict || (!lab_event_verdict_drops(verdict) && strcmp(verdict, "audit") != 0))
		return false;
	if (!read_end(json, "src", &e.src) || !read_end(json, "dst", &e.dst) ||
	    !read_service(json, &e.service) || !string_of(json, "rule") ||
	    !string_of(json, "reason"))
		return false;
	e.verdict = xstrdup(verdict);
	e.rule = copy_of(json, "rule");
	e.reason = copy_of(json, "reason");
	e.near = copy_of(json, "near");
	*ret = e;
	return true;
}

void lab_events_read(const char *lines, struct lab_events *events)
{
	while (*lines) {
		const char *end = strchrnul(lines, '\n');
		cJSON *json = cJSON_ParseWithLength(lines, end - lines);
		struct lab_event event;

		if (!json)
			events->bad_lines++;
		else if (read_event(json, &event))
			vec_push(&events->list, event);
		cJSON_Delete(json);
		lines = *end ? end + 1 : end;
	}
}

void lab_events_release(struct lab_events *events)
{
	vec_foreach (e, &events->list) {
		free(e->verdict);
		free(e->rule);
		free(e->reason);
		free(e->near);
	}
	vec_release(&events->list);
	events->bad_lines = 0;
}
