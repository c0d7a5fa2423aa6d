/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket in the file system, and who may talk to it: root and one group. */
#ifndef AGENT_CONTROL_CONTROL_SOCKET_H
#define AGENT_CONTROL_CONTROL_SOCKET_H

#include "util/text.h"

/*
 * Makes directory and socket, for root and for the group if there is one, and listens.  A socket
 * that nobody answers on is replaced; -EADDRINUSE if an agent does.  A sentence in @reterr.
 */
int control_socket_listen(const char *path, struct text *reterr, int *ret_fd);

/*
 * 0: whoever connected is root or in the group, and in the agent's own user namespace: root of a
 * container is nobody here.  -EPERM: or can't be looked at, as in another PID namespace.  Any other
 * -errno: looking failed.
 */
int control_socket_admit(int fd);

#endif
