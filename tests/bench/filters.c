/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/filters.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "util/clock.h"
#include "util/text.h"

#define SCRIPT        "tests/bench/filters.sh"
#define NOT_INSTALLED 3 /* what it exits with then */

#define M(mode) (1u << LIVE_##mode)
#define BOTH    (M(PASS) | M(DROP))

/* clang-format off */
static const struct {
	const char *name;
	uint8_t modes;
	bool is_long;     /* only in the long run */
	const char *kind; /* in filters.sh */
	uint32_t count;   /* rules, or addresses in a set */
	uint32_t flows;
	bool is_linear;   /* rules are gone through one by one */
} filters[FILTERS] = {
	[FILTER_OURS]     = {"ours", BOTH | M(NEW), false, NULL, 0, 0, false},
	[FILTER_NONE]     = {"no-filter", M(PASS) | M(NEW), false, NULL, 0, 0, false},
	[FILTER_XDP_DROP] = {"xdp-drop", M(DROP), false, NULL, 0, 0, false},
	[FILTER_TC_DROP]  = {"tc-drop", M(DROP), false, NULL, 0, 0, false},
	[FILTER_FIRST_OTHER] =
	{"nft-rules",           BOTH,             false, "nft-rules",          10,     0, true},
	{"nft-rules-1k",        BOTH,             true,  "nft-rules",        1000,     0, true},
	{"nft-rules-10k",       BOTH,             true,  "nft-rules",       10000,     0, true},
	{"nft-set",             BOTH,             false, "nft-set",         10000,     0, false},
	{"nft-set-100k",        BOTH,             true,  "nft-set",        100000,     0, false},
	{"nft-conntrack",       M(PASS) | M(NEW), false, "nft-conntrack",      10,     0, false},
	{"nft-conntrack-1",     M(PASS),          true,  "nft-conntrack",      10,     1, false},
	{"nft-conntrack-30k",   M(PASS),          true,  "nft-conntrack",      10, 30000, false},
	{"iptables-legacy",     BOTH,             false, "iptables-legacy",    10,     0, true},
	{"iptables-legacy-1k",  BOTH,             true,  "iptables-legacy",  1000,     0, true},
	{"iptables-legacy-10k", BOTH,             true,  "iptables-legacy", 10000,     0, true},
	{"ipset",               BOTH,             false, "ipset",           10000,     0, false},
	{"ipset-60k",           BOTH,             true,  "ipset",           60000,     0, false},
	{"xdp-filter",          BOTH,             false, "xdp-filter",          1,     0, false},
};
/* clang-format on */

static const char *const modes[LIVE_MODES] = {
	[LIVE_PASS] = "pass",
	[LIVE_NEW] = "pass",
	[LIVE_DROP] = "drop",
};

const char *filter_name(enum filter filter)
{
	return filters[filter].name;
}

bool filter_has(enum filter filter, enum live_mode mode, bool is_long)
{
	return filters[filter].modes & 1u << mode && (is_long || !filters[filter].is_long);
}

uint32_t filter_flows(enum filter filter)
{
	return filters[filter].flows;
}

uint32_t filter_steps(enum filter filter)
{
	return filters[filter].is_linear ? filters[filter].count : 1;
}

static int run(const char *what, const char *kind, uint32_t count)
{
	_text_ struct text line = TEXT_INIT;
	int status;

	text_addf(&line, SCRIPT " %s %s %u", what, kind, count);
	status = system(line.buf);
	/* Meanwhile this process ignored it. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		raise(SIGINT);
	if (!status)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED ? -ENOENT : -EIO;
}

int filter_begin(enum filter filter, enum live_mode mode)
{
	return run(modes[mode], filters[filter].kind, filters[filter].count);
}

int filter_end(enum filter filter)
{
	return run("end", filters[filter].kind, filters[filter].count);
}

int filter_time_load(const char *kind, uint32_t count, double *ret_ms)
{
	int err = run("prepare", kind, count), err_end;
	uint64_t start = clock_monotonic_ns();

	if (err)
		return err;
	err = run("load", kind, count);
	*ret_ms = (double)(clock_monotonic_ns() - start) / 1e6;
	err_end = run("end", kind, count);
	return err ? err : err_end;
}
