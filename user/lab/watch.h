/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a station's epoll events are about. */
#ifndef LAB_WATCH_H
#define LAB_WATCH_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>

enum watch_kind {
	WATCH_CONTROL,  /* the lab speaks */
	WATCH_LISTENER, /* value: descriptor */
	WATCH_PEER,     /* an accepted connection; value: descriptor */
	WATCH_DATAGRAM, /* a UDP server; value: descriptor */
	WATCH_PROBE,    /* value: place in the batch */
};

static inline int watch_add(int epoll, int fd, enum watch_kind kind, uint32_t value,
			    uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | value};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static inline enum watch_kind watch_kind_of(const struct epoll_event *event)
{
	return event->data.u64 >> 32;
}

static inline uint32_t watch_value_of(const struct epoll_event *event)
{
	return event->data.u64;
}

#endif
