/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Queues of things that hold their own links: what was used last stands last. */
#ifndef UTIL_QUEUE_H
#define UTIL_QUEUE_H

#include <stddef.h>

/* In a thing, or the queue itself; one that was initialised is alone. */
struct queue {
	struct queue *next;
	struct queue *before;
};

#define queue_item(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void queue_init(struct queue *q)
{
	q->next = q->before = q;
}

/* The first link; NULL if the queue is empty. */
static inline struct queue *queue_first(const struct queue *q)
{
	return q->next == q ? NULL : q->next;
}

/* Each link of the queue; it may be removed and freed meanwhile. */
#define queue_foreach(link, q)                                                                     \
	for (struct queue *link = (q)->next, *link##_next = link->next; link != (q);               \
	     link = link##_next, link##_next = link->next)

static inline void queue_remove(struct queue *link)
{
	link->next->before = link->before;
	link->before->next = link->next;
	queue_init(link);
}

/* From wherever it stood. */
static inline void queue_move_last(struct queue *q, struct queue *link)
{
	queue_remove(link);
	link->before = q->before;
	link->next = q;
	q->before->next = link;
	q->before = link;
}

#endif
