/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who asked for something over the control socket. */
#ifndef AGENT_CONTROL_CALLER_H
#define AGENT_CONTROL_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/json.h"

#define CALLER_NO_LOGIN UINT32_MAX /* as the kernel has it: of no login, as a service is */

/* A zeroed one is the agent itself. */
struct caller {
	bool is_peer;
	uint32_t uid, gid, pid;
	uint32_t login; /* who logged in, whatever it became since (sudo) */
};

/* As the kernel says of a socket's other end. */
void caller_of(int fd, struct caller *ret);

/* {uid, gid, pid, login}; null for the agent itself. */
void caller_json(struct json *j, const char *key, const struct caller *who);

#endif
