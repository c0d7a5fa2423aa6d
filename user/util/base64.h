/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Base64 of RFC 4648, 4, with padding. */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include <sys/types.h>

#include "util/text.h"

void base64_add(const void *bytes, size_t len, struct text *out);

/* How many bytes @s comes to, at most @size; -EINVAL if it is no base64, or comes to more. */
ssize_t base64_read(const char *s, void *ret, size_t size);

#endif
