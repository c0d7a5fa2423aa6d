/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's directory on disk: one agent at a time owns it. */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include "util/text.h"

/*
 * Makes the directory if it is missing and locks it until the descriptor is closed.  -EBUSY with a
 * sentence in @reterr if another agent has it.
 */
int state_lock(const char *directory, struct text *reterr, int *ret_fd);

#endif
