/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says that this process uses. */
#ifndef AGENT_METRICS_PROCESS_USAGE_H
#define AGENT_METRICS_PROCESS_USAGE_H

#include <stdint.h>

struct process_usage {
	uint64_t cpu_ns; /* user and system */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds; /* 0: there is no limit, or it isn't known */
};

/* What can't be read is 0. */
void process_usage_read(struct process_usage *ret);

#endif
