/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/clock.h"

#include <string.h>
#include <time.h>

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull
#define S_PER_DAY 86400ull

/* The calendar repeats after an era; days count from 1 March of year 0. */
#define YEARS_OF_ERA 400
#define DAYS_OF_ERA  146097
#define DAYS_TO_1970 719468

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

/* @count digits, with zeroes before. */
static char *put_digits(char *at, uint64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + count;
}

/* Years begin in March here, so that the day that comes and goes is their last. */
static char *put_date(char *at, uint64_t days)
{
	uint64_t since = days + DAYS_TO_1970;
	uint64_t of_era = since % DAYS_OF_ERA;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;

	year += since / DAYS_OF_ERA * YEARS_OF_ERA + (month >= 10);
	at = put_digits(at, year, 4);
	*at++ = '-';
	at = put_digits(at, month < 10 ? month + 3 : month - 9, 2);
	*at++ = '-';
	return put_digits(at, of_year - (153 * month + 2) / 5 + 1, 2);
}

const char *clock_format(uint64_t wall_ns, char buf[static CLOCK_STRLEN])
{
	uint64_t seconds = wall_ns / NS_PER_S, of_day = seconds % S_PER_DAY;
	char *at = put_date(buf, seconds / S_PER_DAY);

	*at++ = 'T';
	at = put_digits(at, of_day / 3600, 2);
	*at++ = ':';
	at = put_digits(at, of_day / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, of_day % 60, 2);
	*at++ = '.';
	at = put_digits(at, wall_ns % NS_PER_S / NS_PER_US, 6);
	memcpy(at, "Z", sizeof("Z"));
	return buf;
}
