/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which Bulkhead this is: what `--version` prints and the agent's status says. */
#ifndef AGENT_VERSION_H
#define AGENT_VERSION_H

#define BULKHEAD_VERSION "0.1.0"

#endif
