/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARKS (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int ring_open(int fd, uint64_t size, struct ring *ret)
{
	const size_t page = page_size();
	void *reader = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *writers;

	if (reader == MAP_FAILED)
		return -errno;
	writers = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (writers == MAP_FAILED) {
		int err = -errno;

		munmap(reader, page);
		return err;
	}
	*ret = (struct ring){
		.fd = fd,
		.read_at = reader,
		.written_at = writers,
		.size = size,
		.next = *(uint64_t *)reader,
	};
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring->read_at)
		return;
	munmap((void *)ring->written_at, page_size());
	munmap(ring->read_at, page_size());
	*ring = (struct ring){};
}

/* What the ring holds from one place to another, while it is read. */
struct piece {
	const char *bytes;
	void *pages;
	size_t size; /* of the pages */
};

static bool piece_open(const struct ring *ring, uint64_t from, uint64_t to, struct piece *ret)
{
	const size_t page = page_size();
	uint64_t at = from & (ring->size - 1), before = at % page;
	size_t size = to - from + before;
	void *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, ring->fd,
			   (off_t)(2 * page + at - before));

	if (pages == MAP_FAILED)
		return false;
	*ret = (struct piece){(const char *)pages + before, pages, size};
	return true;
}

size_t ring_read(struct ring *ring, size_t most, ring_fn *fn, void *user)
{
	uint64_t end = __atomic_load_n(ring->written_at, __ATOMIC_ACQUIRE);
	uint64_t begin = *ring->read_at, at = begin;
	struct piece piece = {};
	size_t count = 0;

	ring->next = begin;
	if (begin == end || !most || !piece_open(ring, begin, end, &piece))
		return 0;
	while (at < end && count < most) {
		const char *head = piece.bytes + (at - begin);
		uint32_t word = __atomic_load_n((const uint32_t *)head, __ATOMIC_ACQUIRE);
		uint32_t len = word & ~MARKS;

		if (word & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT) && fn(head + BPF_RINGBUF_HDR_SZ, len, user))
			count++;
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
	}
	munmap(piece.pages, piece.size);
	ring->next = at;
	return count;
}

void ring_done(struct ring *ring)
{
	__atomic_store_n(ring->read_at, ring->next, __ATOMIC_RELEASE);
}
