/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An address of either family, as keys hold it. */
#ifndef BULKHEAD_ADDRESS_H
#define BULKHEAD_ADDRESS_H

#include <linux/types.h>

/* IPv6, or IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2): one key serves both families. */
struct bh_addr {
	__be32 word[4];
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BH_ADDR_V4_ANY                                                                             \
	{                                                                                          \
		{                                                                                  \
			0, 0, 0xffff0000                                                           \
		}                                                                                  \
	}
#else
#define BH_ADDR_V4_ANY                                                                             \
	{                                                                                          \
		{                                                                                  \
			0, 0, 0x0000ffff                                                           \
		}                                                                                  \
	}
#endif

#define BH_V4_PREFIX_LEN 96 /* what an IPv4 prefix length grows by in this form */

_Static_assert(sizeof(struct bh_addr) == 16, "an address is 16 bytes");

#endif
