/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/audit.h"

#include <string.h>

#include "agent/policies/durable.h"
#include "util/clock.h"
#include "util/log.h"

void audit_add(const char *state_dir, const struct audit_entry *entry)
{
	_text_ struct text line = TEXT_INIT;
	struct json j = {.out = &line};
	char time[CLOCK_STRLEN];
	int err;

	json_object(&j, NULL);
	json_string(&j, "time", clock_format(clock_wall_ns(), time));
	caller_json(&j, "who", entry->who);
	json_string(&j, "command", entry->command);
	json_string(&j, "before", entry->before);
	json_string(&j, "after", entry->after);
	json_raw(&j, "diff", entry->diff ? entry->diff : "null");
	json_string(&j, "outcome", entry->outcome);
	json_string(&j, "note", entry->note);
	json_end(&j, '}');
	text_addc(&line, '\n');
	err = durable_append(state_dir, AUDIT_FILE, &line);
	if (err)
		log_error("msg=\"audit log not written\" error=\"%s\" line='%s'", strerror(-err),
			  line.buf);
}
