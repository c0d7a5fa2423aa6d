/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SSH session in which this command was typed. */
#ifndef CLI_SSH_SESSION_H
#define CLI_SSH_SESSION_H

#include <stdbool.h>

#include "util/text.h"

/*
 * Adds "CLIENT PORT SERVER PORT": what SSH_CONNECTION says, else (sudo takes it away) the
 * connection of the SSH server among this process's ancestors.  False: there is none.
 */
bool ssh_session_find(struct text *out);

/* The established connection of a socket in the lines of /proc/net/tcp or tcp6, as above. */
bool ssh_session_in_table(const char *lines, const char *inode, struct text *out);

#endif
