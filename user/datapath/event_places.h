/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the events of a policy's rules are counted: see struct bh_event_places. */
#ifndef DATAPATH_EVENT_PLACES_H
#define DATAPATH_EVENT_PLACES_H

#include <stdint.h>

#include <bulkhead/counters.h>

#include "policy/image.h"

/* Pages that so many rules are on. */
uint32_t event_places_pages(uint32_t rules);

/* How many of the rules, built-in ones among them, decide what is reported. */
uint32_t event_places_needed(const struct image *image);

/*
 * Of each page; yours to free.  They begin at @first, and are no more than @room: what comes later
 * has none, and is counted with what is an event seldom.
 */
struct bh_event_places *event_places_make(const struct image *image, uint32_t first, uint32_t room);

#endif
