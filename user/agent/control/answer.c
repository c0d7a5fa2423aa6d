/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/answer.h"

#include "util/clock.h"

struct json answer_ok_begin(struct text *out)
{
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_bool(&j, "ok", true);
	return j;
}

void answer_ok(struct text *out)
{
	struct json j = answer_ok_begin(out);

	json_end(&j, '}');
	text_addc(out, '\n');
}

void answer_count(struct json *j, const char *key, const struct bh_count *count)
{
	json_object(j, key);
	json_number(j, "packets", count->packets);
	json_number(j, "bytes", count->bytes);
	json_end(j, '}');
}

void answer_time(struct json *j, const char *key, uint64_t wall_ns)
{
	char time[CLOCK_STRLEN];

	json_string(j, key, wall_ns ? clock_format(wall_ns, time) : NULL);
}

void answer_observe(struct agent *a, const struct request *request, struct text *out)
{
	if (request->alerts)
		hub_history(a->alerts.hub, request->last, false, out);
	else
		hub_history(a->hub, request->last, request->packets, out);
	if (!request->follow)
		answer_ok(out);
}

void answer_list(struct agent *a, enum list_subject what, struct text *out)
{
	switch (what) {
	case LIST_ENDPOINTS:
		list_endpoints(a, out);
		break;
	case LIST_IDENTITIES:
		list_identities(a, out);
		break;
	case LIST_RULES:
		list_rules(a, out);
		break;
	case LIST_CONNECTIONS:
		list_connections(a, out);
		break;
	}
	answer_ok(out);
}
