/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which characters a text without quotes may have, in the YAML that is read quickly. */
#ifndef POLICY_YAML_KINDS_H
#define POLICY_YAML_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#define YAML_KEY_MAX 128 /* bytes; libyaml's are much longer */

/* Bits of what a character may be. */
enum {
	YAML_BEGINS = 1, /* a text */
	YAML_IN_KEY = 2,
	YAML_IN_FLOW = 4, /* a text in brackets or braces; ':' has conditions */
};

extern const unsigned char yaml_kinds[128];

/* All of this is of ASCII that ends with NUL, which is of no kind, nor is a line's end. */
static inline bool yaml_is_kind(const char *s, unsigned char kind)
{
	return yaml_kinds[(unsigned char)*s & 127] & kind;
}

/* Behind all characters of that kind. */
static inline const char *yaml_skip_kind(const char *s, unsigned char kind)
{
	while (yaml_is_kind(s, kind))
		s++;
	return s;
}

/* Behind a text in brackets or braces and the spaces after it; NULL if none begins here. */
static inline const char *yaml_skip_text(const char *s)
{
	if (!yaml_is_kind(s, YAML_BEGINS))
		return NULL;
	for (;; s++) {
		s = yaml_skip_kind(s, YAML_IN_FLOW);
		if (*s != ':')
			return s;
		if (!yaml_is_kind(s + 1, YAML_BEGINS) && s[1] != ':')
			return NULL;
	}
}

#endif
