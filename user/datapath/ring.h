/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records of a BPF ring buffer, a batch at a time: programs learn once for many that they were
 * read, where libbpf's reader tells them of each, and the writers' CPU loses a cache line to it.
 */
#ifndef DATAPATH_RING_H
#define DATAPATH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the kernel shows it: the reader's page, the writers' page, then the records, twice in a row,
 * so that none is in two parts.  Records are mapped only while they are read: see table_view.h. */
struct ring {
	int fd;
	uint64_t *read_at;          /* where the reader is */
	const uint64_t *written_at; /* where the writers are */
	uint64_t size;              /* of the records, in bytes: a power of two */
	uint64_t next;              /* where the reader will be: past what was shown */
};

/* Record and its size; false: it is none that counts. */
typedef bool ring_fn(const void *record, size_t size, void *user);

/* Of a map of @size bytes, whose descriptor outlives it; -errno.  {} is closed. */
int ring_open(int fd, uint64_t size, struct ring *ret);
void ring_close(struct ring *ring);

/* How many there were, @most at most; none, too, if they can't be mapped.  The same ones come again
 * until it is said that they are done: who dies meanwhile leaves them to the next. */
size_t ring_read(struct ring *ring, size_t most, ring_fn *fn, void *user);
void ring_done(struct ring *ring);

#endif
