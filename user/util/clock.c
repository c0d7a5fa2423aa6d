/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t clock_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t clock_boot_s(void)
{
	return (int64_t)(clock_boot_ns() / NS_PER_S);
}

int64_t clock_wall_s(void)
{
	return (int64_t)(clock_wall_ns() / NS_PER_S);
}

uint64_t clock_wall_of(uint64_t monotonic_ns)
{
	return clock_wall_ns() - clock_monotonic_ns() + monotonic_ns;
}

const char *clock_format(uint64_t wall_ns, char buf[static CLOCK_STRLEN])
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	unsigned int us = (unsigned int)(wall_ns % NS_PER_S / NS_PER_US);
	struct tm utc = {};
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(buf, CLOCK_STRLEN, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buf + len, CLOCK_STRLEN - len, ".%06uZ", us);
	return buf;
}
