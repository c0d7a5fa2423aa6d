/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Times and durations as people and events write them. */
#ifndef UTIL_WHEN_H
#define UTIL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

/* "30", "30s", "5m", "1h30m", "2d"; bare digits are seconds. */
bool duration_parse(const char *s, uint32_t *ret_seconds);

/* RFC 3339 with a zone: 2026-11-21T09:00:00.5Z, 2026-11-21T10:00:00+01:00; ns since 1970. */
bool time_parse(const char *s, uint64_t *ret_ns);

/* The same up to the year 9999, in whole seconds since 1970; what is less than one is left off. */
bool time_parse_seconds(const char *s, int64_t *ret);

/* Seconds since 1970 as the above: 2026-11-21T09:00:00Z. */
void time_format(int64_t seconds, struct text *out);

/* Either: a duration is so long before @now_ns. */
bool when_parse(const char *s, uint64_t now_ns, uint64_t *ret_ns);

#endif
