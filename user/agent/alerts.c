/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/alerts.h"

#include "util/log.h"

static void publish(struct events_hub *hub, const struct text *line)
{
	struct text copy = TEXT_INIT;

	text_addn(&copy, line->buf, line->len);
	text_addc(&copy, '\n');
	hub_publish(hub, &copy);
}

static void on_alert(const struct alert *alert, void *user)
{
	const struct alerts *a = user;
	_text_ struct text sentence = TEXT_INIT;
	_text_ struct text line = TEXT_INIT;

	alert_text(alert, &sentence);
	log_warning("msg=alert id=%s text=\"%s\"", detection_code(alert->id), sentence.buf);
	alert_json(alert, &line);
	publish(a->own, &line);
	publish(a->all, &line);
}

void alerts_init(struct alerts *a, const struct detect_config *config, struct events_hub *all)
{
	a->detect = detect_new(config, on_alert, a);
	a->own = hub_new(ALERTS_HISTORY);
	a->all = all;
}

void alerts_release(struct alerts *a)
{
	detect_free(a->detect);
	hub_free(a->own);
	*a = (struct alerts){};
}

void alerts_take_event(struct alerts *a, const struct bh_event *event,
		       const struct event_names *names)
{
	detect_event(a->detect, event, names);
}

void alerts_json(const struct alerts *a, struct json *j, const char *key)
{
	json_object(j, key);
	for (enum detection id = 0; id < DETECTION_COUNT; id++)
		json_number(j, detection_code(id), detect_count(a->detect, id));
	json_end(j, '}');
}
