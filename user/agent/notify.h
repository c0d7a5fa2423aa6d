/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tells whoever started the agent that it enforces: the service manager, and a descriptor. */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

/* @state as in sd_notify(3), "READY=1"; nothing happens without a service manager. */
void notify_manager(const char *state);

/* To be called every second: a service manager that has a watchdog (of 2 s or more) hears of it. */
void notify_alive(void);

/* Writes the line "ready"; @fd -1: nothing. */
void notify_ready_fd(int fd);

#endif
