/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/utf8.h"

/* What the first byte announces: how many bytes, and the least point that needs so many. */
struct form {
	unsigned char mask;
	unsigned char lead;
	unsigned char len;
	uint32_t least;
};

static const struct form forms[] = {
	{0xe0, 0xc0, 2, 0x80},
	{0xf0, 0xe0, 3, 0x800},
	{0xf8, 0xf0, 4, 0x10000},
};

static bool is_scalar(uint32_t point, uint32_t least)
{
	return point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static uint32_t decode(const unsigned char *s, const struct form *form)
{
	uint32_t point = s[0] & (unsigned char)~form->mask;

	for (size_t i = 1; i < form->len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return UTF8_INVALID;
		point = point << 6 | (s[i] & 0x3f);
	}
	return is_scalar(point, form->least) ? point : UTF8_INVALID;
}

size_t utf8_next(const char *s, size_t len, uint32_t *ret_point)
{
	const unsigned char *bytes = (const unsigned char *)s;

	*ret_point = bytes[0] < 0x80 ? bytes[0] : UTF8_INVALID;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i];

		if ((bytes[0] & form->mask) != form->lead || len < form->len)
			continue;
		*ret_point = decode(bytes, form);
		return *ret_point == UTF8_INVALID ? 1 : form->len;
	}
	return 1;
}

bool utf8_is_control(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
		return point != '\t';
	return point == 0x061c || point == 0x200e || point == 0x200f ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}
