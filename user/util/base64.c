/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/base64.h"

#include <errno.h>
#include <string.h>

#define GROUP_BYTES 3
#define GROUP_CHARS 4

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(const void *bytes, size_t len, struct text *out)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i += GROUP_BYTES) {
		unsigned int group = (unsigned int)b[i] << 16;
		char chars[GROUP_CHARS];

		if (i + 1 < len)
			group |= (unsigned int)b[i + 1] << 8;
		if (i + 2 < len)
			group |= b[i + 2];
		chars[0] = digits[group >> 18];
		chars[1] = digits[group >> 12 & 63];
		chars[2] = i + 1 < len ? digits[group >> 6 & 63] : '=';
		chars[3] = i + 2 < len ? digits[group & 63] : '=';
		text_addn(out, chars, sizeof(chars));
	}
}

/* The bytes of four characters, into @ret; 0 if they are none. */
static size_t read_group(const char *s, unsigned char ret[static GROUP_BYTES])
{
	unsigned int group = 0;
	size_t len = GROUP_BYTES;

	for (int i = 0; i < GROUP_CHARS; i++) {
		const char *digit = s[i] ? strchr(digits, s[i]) : NULL;
		bool is_padding = s[i] == '=' && i >= 2 && (i == 3 || s[3] == '=');

		if (!digit && !is_padding)
			return 0;
		len -= is_padding;
		group = group << 6 | (digit ? (unsigned int)(digit - digits) : 0);
	}
	ret[0] = (unsigned char)(group >> 16);
	ret[1] = (unsigned char)(group >> 8);
	ret[2] = (unsigned char)group;
	return len;
}

ssize_t base64_read(const char *s, void *ret, size_t size)
{
	size_t chars = strlen(s), done = 0;

	if (chars % GROUP_CHARS)
		return -EINVAL;
	for (size_t i = 0; i < chars; i += GROUP_CHARS) {
		unsigned char group[GROUP_BYTES];
		size_t len = read_group(s + i, group);

		if (!len || len > size - done || (len < GROUP_BYTES && i + GROUP_CHARS < chars))
			return -EINVAL;
		memcpy((char *)ret + done, group, len);
		done += len;
	}
	return (ssize_t)done;
}
