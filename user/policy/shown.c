/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/shown.h"

#include <string.h>

#include "util/utf8.h"

const char *shown(const char *s, char buf[static SHOWN_SIZE])
{
	static const char cut[] = "...";
	size_t len = strnlen(s, SHOWN_SIZE);
	size_t room = SHOWN_SIZE - sizeof(cut), n = 0;
	uint32_t point;

	if (len < SHOWN_SIZE)
		return memcpy(buf, s, len + 1);
	while (n < room) {
		size_t step = utf8_next(s + n, len - n, &point);

		if (n + step > room)
			break;
		n += step;
	}
	memcpy(buf, s, n);
	memcpy(buf + n, cut, sizeof(cut));
	return buf;
}
