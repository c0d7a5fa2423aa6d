/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where bytes go that are too many to be in memory at once. */
#ifndef UTIL_SINK_H
#define UTIL_SINK_H

#include <stddef.h>

struct sink {
	void (*put)(void *user, const char *bytes, size_t len);
	void *user;
};

#endif
