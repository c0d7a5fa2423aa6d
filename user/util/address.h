/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses and prefixes as text and as keys.  IPv4 is held v4-mapped (bulkhead/address.h). */
#ifndef UTIL_ADDRESS_H
#define UTIL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/address.h>

#include "util/text.h"

#define ADDRESS_STRLEN 64 /* enough for an address or a prefix, and NUL */

/* Bits past len are zero.  An IPv4 prefix has len 96..128 and a v4-mapped address. */
struct prefix {
	struct bh_addr addr;
	uint8_t len;
};

bool addr_is_v4(const struct bh_addr *a);
bool addr_is_any(const struct bh_addr *a);                      /* :: or 0.0.0.0 */
int addr_cmp(const struct bh_addr *a, const struct bh_addr *b); /* as byte strings */
uint64_t addr_hash(const struct bh_addr *a);                    /* hash_bytes() */

/* A prefix is of IPv4 only if it lies within ::ffff:0:0/96; ::/0 is of IPv6. */
bool prefix_is_v4(const struct prefix *p);
bool prefix_contains(const struct prefix *outer, const struct prefix *inner); /* or is equal */
bool prefix_has(const struct prefix *p, const struct bh_addr *a);
int prefix_cmp(const struct prefix *a, const struct prefix *b); /* by address, then shorter first */
struct prefix prefix_of_addr(const struct bh_addr *a);          /* /32 or /128 */
struct bh_addr prefix_last(const struct prefix *p);             /* its highest address */

/* The longest prefix that has both. */
struct prefix prefix_common(const struct bh_addr *a, const struct bh_addr *b);

/*
 * Strict: no host bits, no netmask notation, no leading zeros, no scope, no v4-mapped text; a bare
 * address is a /32 or /128.  NULL on success, else what is wrong and what would be right, a static
 * string or one in @reterr (may be NULL) when it names a value.
 */
const char *prefix_parse(const char *s, struct prefix *ret, struct text *reterr);
const char *addr_parse(const char *s, struct bh_addr *ret);

/* As prefix_parse, but host bits are taken away; *ret_is_masked tells if there were any. */
const char *prefix_parse_masked(const char *s, struct prefix *ret, bool *ret_is_masked,
				struct text *reterr);

/* Into @buf, which is also returned; "10.0.0.0/20", "10.0.0.10" for a /32, "fd00::/64". */
const char *addr_format(const struct bh_addr *a, char buf[static ADDRESS_STRLEN]);
const char *prefix_format(const struct prefix *p, char buf[static ADDRESS_STRLEN]);

#endif
