/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The servers of a station: every probed TCP and UDP port echoes.  The kernel answers pings. */
#ifndef LAB_RESPONDER_H
#define LAB_RESPONDER_H

#include "lab/plan.h"
#include "lab/watch.h"

/* Listens on all addresses of both families, those included that come later.  0 or -errno. */
int responder_open(const struct lab_plan *plan, int epoll);

/* Handles WATCH_LISTENER, WATCH_PEER and WATCH_DATAGRAM. */
void responder_handle(int epoll, const struct epoll_event *event);

#endif
