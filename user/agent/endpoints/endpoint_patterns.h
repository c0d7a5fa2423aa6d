/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints of --attach 'veth*': every interface that matches is one, from when it appears. */
#ifndef AGENT_ENDPOINTS_ENDPOINT_PATTERNS_H
#define AGENT_ENDPOINTS_ENDPOINT_PATTERNS_H

#include "agent/endpoints/endpoints.h"

bool is_interface_pattern(const char *interface);

/* A number for an endpoint at @ifindex: the one that it had before, if there was one. */
uint16_t endpoint_choose_id(const struct endpoints *es, uint32_t ifindex);

/*
 * Takes in the interfaces that match and no endpoint has, and forgets what is gone.  Of several
 * patterns the first one that matches counts; an interface that is named counts as named.  Nothing
 * is attached.
 */
void endpoint_patterns_find(struct endpoints *es);

/*
 * Finds, and attaches what has none of our programs yet; if that takes long, some of it, and
 * @es->is_unfinished is set.
 */
void endpoint_patterns_scan(struct endpoints *es);

#endif
