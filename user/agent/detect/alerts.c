/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/alerts.h"

#include "util/log.h"

static void on_alert(const struct alert *alert, void *user)
{
	const struct alerts *a = user;
	_text_ struct text sentence = TEXT_INIT;
	_text_ struct text line = TEXT_INIT;

	alert_text(alert, &sentence);
	log_warning("msg=alert id=%s text=\"%s\"", detection_code(alert->id), sentence.buf);
	alert_json(alert, &line);
	text_addc(&line, '\n');
	hub_publish(a->hub, &line);
}

void alerts_init(struct alerts *a, const struct detect_config *config)
{
	a->detect = detect_new(config, on_alert, a);
	a->hub = hub_new(ALERTS_HISTORY);
}

void alerts_release(struct alerts *a)
{
	detect_free(a->detect);
	hub_free(a->hub);
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
