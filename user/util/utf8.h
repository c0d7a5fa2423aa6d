/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Code points out of bytes that may be anything. */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID UINT32_MAX

/* The bytes of the code point at @s, of which @len > 0 are there.  A bad byte is one by itself. */
size_t utf8_next(const char *s, size_t len, uint32_t *ret_point);

/* A control code other than tab, or one that turns the direction of writing: never print it. */
bool utf8_is_control(uint32_t point);

#endif
