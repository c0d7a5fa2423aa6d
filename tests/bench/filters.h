/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who filters what the receiving interface of the live path gets: we, nobody, or others. */
#ifndef BENCH_FILTERS_H
#define BENCH_FILTERS_H

#include <stdbool.h>

/* Those from NFT_RULES on are started by filters.sh, by these names. */
/* clang-format off */
#define FILTERS_OF(X)                                     \
	X(OURS,          "ours",            true,  true)  \
	X(NONE,          "no-filter",       true,  false) \
	X(XDP_DROP,      "xdp-drop",        false, true)  \
	X(TC_DROP,       "tc-drop",         false, true)  \
	X(NFT_RULES,     "nft-rules",       true,  true)  \
	X(NFT_SET,       "nft-set",         true,  true)  \
	X(NFT_CONNTRACK, "nft-conntrack",   true,  true)  \
	X(IPTABLES,      "iptables-legacy", true,  true)  \
	X(IPSET,         "ipset",           true,  true)  \
	X(XDP_FILTER,    "xdp-filter",      true,  true)

enum filter {
#define X(id, name, has_pass, has_drop) FILTER_##id,
	FILTERS_OF(X)
#undef X
	FILTERS
};
/* clang-format on */

const char *filter_name(enum filter filter);
bool filter_has(enum filter filter, bool is_drop);

/* -ENOENT: its tool is not installed; -EIO: it does not start. */
int filter_begin(enum filter filter, bool is_drop);
int filter_end(enum filter filter);

#endif
