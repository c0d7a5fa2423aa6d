/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/when.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define NS_PER_S    1000000000ull
#define LAST_SECOND 253402300799 /* 9999-12-31T23:59:59Z */

/* Seconds in a unit of a duration; 0: no such unit. */
static uint32_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 60 * 60;
	case 'd':
		return 24 * 60 * 60;
	}
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at *s, at least one and at most @max; moves *s behind them. */
static bool take_digits(const char **s, size_t max, uint32_t *ret)
{
	uint32_t value = 0;
	size_t n = 0;

	for (; is_digit(**s) && n < max; n++)
		value = value * 10 + (uint32_t)(*(*s)++ - '0');
	if (!n || is_digit(**s))
		return false;
	*ret = value;
	return true;
}

bool duration_parse(const char *s, uint32_t *ret_seconds)
{
	uint64_t total = 0;
	uint32_t value;

	do {
		uint32_t unit;

		if (!take_digits(&s, 9, &value))
			return false;
		unit = *s ? unit_seconds(*s++) : 1;
		total += (uint64_t)value * unit;
		if (!unit || total > UINT32_MAX)
			return false;
	} while (*s);
	*ret_seconds = (uint32_t)total;
	return true;
}

/* Exactly @len digits within min..max, then @end (0: anything); moves *s behind both. */
static bool take_field(const char **s, size_t len, int min, int max, char end, int *ret)
{
	const char *start = *s;
	uint32_t value;

	if (!take_digits(s, len, &value) || (size_t)(*s - start) != len)
		return false;
	if ((int)value < min || (int)value > max || (end && *(*s)++ != end))
		return false;
	*ret = (int)value;
	return true;
}

static bool take_fraction(const char **s, uint64_t *ret_ns)
{
	uint64_t unit = NS_PER_S, ns = 0;

	if (**s != '.') {
		*ret_ns = 0;
		return true;
	}
	if (!is_digit(*++*s))
		return false;
	for (; is_digit(**s); ++*s) {
		unit /= 10;
		ns += unit * (uint64_t)(**s - '0');
	}
	*ret_ns = ns;
	return true;
}

/* 'Z' or an offset, to the end of the text. */
static bool take_zone(const char *s, time_t *ret_offset)
{
	int hours, minutes, sign = *s == '-' ? -1 : 1;

	if (!strcmp(s, "Z") || !strcmp(s, "z")) {
		*ret_offset = 0;
		return true;
	}
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if (!take_field(&s, 2, 0, 23, ':', &hours) || !take_field(&s, 2, 0, 59, 0, &minutes) || *s)
		return false;
	*ret_offset = sign * (hours * 60 + minutes) * 60;
	return true;
}

static bool take_date_and_time(const char **s, struct tm *ret)
{
	struct tm t = {};

	if (!take_field(s, 4, 1970, 9999, '-', &t.tm_year) ||
	    !take_field(s, 2, 1, 12, '-', &t.tm_mon) || !take_field(s, 2, 1, 31, 0, &t.tm_mday))
		return false;
	if (**s != 'T' && **s != 't' && **s != ' ')
		return false;
	++*s;
	if (!take_field(s, 2, 0, 23, ':', &t.tm_hour) || !take_field(s, 2, 0, 59, ':', &t.tm_min) ||
	    !take_field(s, 2, 0, 59, 0, &t.tm_sec))
		return false;
	t.tm_year -= 1900;
	t.tm_mon--;
	*ret = t;
	return true;
}

/* Seconds since 1970 and the nanoseconds after them. */
static bool take_time(const char *s, int64_t *ret_seconds, uint64_t *ret_fraction)
{
	struct tm t;
	uint64_t fraction;
	time_t offset, at;
	int day;

	if (!take_date_and_time(&s, &t) || !take_fraction(&s, &fraction) || !take_zone(s, &offset))
		return false;
	day = t.tm_mday;
	at = timegm(&t) - offset;
	/* timegm() takes February 30 for a day of March. */
	if (t.tm_mday != day || at < 0 || at > LAST_SECOND)
		return false;
	*ret_seconds = at;
	*ret_fraction = fraction;
	return true;
}

bool time_parse(const char *s, uint64_t *ret_ns)
{
	uint64_t fraction;
	int64_t at;

	if (!take_time(s, &at, &fraction) || (uint64_t)at > UINT64_MAX / NS_PER_S - 1)
		return false;
	*ret_ns = (uint64_t)at * NS_PER_S + fraction;
	return true;
}

bool time_parse_seconds(const char *s, int64_t *ret)
{
	uint64_t fraction;

	return take_time(s, ret, &fraction);
}

void time_format(int64_t seconds, struct text *out)
{
	time_t at = seconds;
	struct tm t;

	gmtime_r(&at, &t);
	text_addf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
		  t.tm_hour, t.tm_min, t.tm_sec);
}

bool when_parse(const char *s, uint64_t now_ns, uint64_t *ret_ns)
{
	uint32_t seconds;
	uint64_t ago;

	if (!duration_parse(s, &seconds))
		return time_parse(s, ret_ns);
	ago = seconds * NS_PER_S;
	*ret_ns = ago < now_ns ? now_ns - ago : 0;
	return true;
}
