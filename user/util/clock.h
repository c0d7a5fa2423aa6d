/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel time to people's time. */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define CLOCK_STRLEN 40

uint64_t clock_monotonic_ns(void); /* what bpf_ktime_get_ns() counts */
uint64_t clock_boot_ns(void);      /* bpf_ktime_get_boot_ns(): goes on while suspended */
uint64_t clock_wall_ns(void);      /* since 1970, UTC */

int64_t clock_boot_s(void); /* the same in seconds */
int64_t clock_wall_s(void);

/* When a CLOCK_MONOTONIC time was, on the wall. */
uint64_t clock_wall_of(uint64_t monotonic_ns);

/* RFC 3339 in UTC with microseconds: 2026-11-21T09:00:00.123456Z; into @buf, also returned. */
const char *clock_format(uint64_t wall_ns, char buf[static CLOCK_STRLEN]);

#endif
