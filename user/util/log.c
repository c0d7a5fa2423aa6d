/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/log.h"

#include <stdio.h>

enum log_level log_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* One write a line, so that lines of several processes don't mix. */
void log_write(enum log_level level, const char *format, ...)
{
	_text_ struct text event = TEXT_INIT;
	_text_ struct text line = TEXT_INIT;
	va_list args;

	if (level > log_level)
		return;
	va_start(args, format);
	text_vaddf(&event, format, args);
	va_end(args);
	text_addf(&line, "level=%s ", level_names[level]);
	text_add_plain(&line, event.buf, event.len);
	text_addc(&line, '\n');
	fwrite(line.buf, 1, line.len, stderr);
}
