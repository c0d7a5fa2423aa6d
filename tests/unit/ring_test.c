/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/ring.h"
#include "tests/test.h"
#include "util/cleanup.h"

#define SIZE 4096u

/* A ring as the kernel would map it, but that the second copy of records is one that we write. */
struct made {
	int fd;
	size_t page;
	uint64_t written;
	struct ring ring;
};

static void store(const struct made *m, size_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(m->fd, bytes, len, (off_t)at), len);
}

static void made_init(struct made *m, uint64_t begin)
{
	*m = (struct made){.fd = memfd_create("ring", MFD_CLOEXEC), .written = begin};
	m->page = (size_t)sysconf(_SC_PAGESIZE);
	assert_true(m->fd >= 0);
	assert_int_equal(ftruncate(m->fd, (off_t)(2 * m->page + 2 * SIZE)), 0);
	store(m, 0, &begin, sizeof(begin));
	store(m, m->page, &begin, sizeof(begin));
	assert_int_equal(ring_open(m->fd, SIZE, &m->ring), 0);
}

static void made_release(struct made *m)
{
	ring_close(&m->ring);
	close(m->fd);
}

static void store_record(const struct made *m, uint64_t at, const void *bytes, size_t len)
{
	const char *from = bytes;

	for (size_t i = 0; i < len; i++) {
		size_t place = 2 * m->page + ((at + i) & (SIZE - 1));

		store(m, place, from + i, 1);
		store(m, place + SIZE, from + i, 1);
	}
}

/* A record of @len bytes, which are @fill. */
static void add(struct made *m, uint32_t marks, uint32_t len, char fill)
{
	const uint32_t head[2] = {len | marks};
	char bytes[512];

	assert_true(len <= sizeof(bytes));
	memset(bytes, fill, len);
	store_record(m, m->written, head, sizeof(head));
	store_record(m, m->written + sizeof(head), bytes, len);
	m->written += (len + sizeof(head) + 7) & ~7u;
	store(m, m->page, &m->written, sizeof(m->written));
}

/* What was shown, a letter each. */
struct shown {
	char letters[64];
	size_t count;
};

static bool show(const void *record, size_t size, void *user)
{
	struct shown *s = user;
	const char *bytes = record;

	for (size_t i = 1; i < size; i++)
		assert_int_equal(bytes[i], bytes[0]);
	s->letters[s->count++] = bytes[0];
	return bytes[0] != '-';
}

static void reads(struct made *m, size_t most, size_t count, const char *letters)
{
	struct shown shown = {};

	assert_int_equal(ring_read(&m->ring, most, show, &shown), count);
	assert_string_equal(shown.letters, letters);
}

static void records_come_again_until_they_are_done(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 0);
	reads(&m, 10, 0, "");
	add(&m, 0, 80, 'a');
	add(&m, 0, 3, 'b');
	add(&m, 0, 216, 'c');
	reads(&m, 2, 2, "ab");
	reads(&m, 10, 3, "abc");
	assert_int_equal(*m.ring.read_at, 0);
	ring_done(&m.ring);
	assert_int_equal(*m.ring.read_at, m.written);
	reads(&m, 10, 0, "");
	made_release(&m);
}

static void a_record_on_its_way_ends_the_batch(void **state)
{
	const uint32_t head[2] = {16};
	struct made m;
	uint64_t busy;

	(void)state;
	made_init(&m, 0);
	add(&m, 0, 16, 'a');
	busy = m.written;
	add(&m, BPF_RINGBUF_BUSY_BIT, 16, 'b');
	add(&m, 0, 16, 'c');
	reads(&m, 10, 1, "a");
	ring_done(&m.ring);
	assert_int_equal(*m.ring.read_at, busy);
	store_record(&m, busy, head, sizeof(head));
	reads(&m, 10, 2, "bc");
	made_release(&m);
}

static void what_is_discarded_or_does_not_count_is_passed_over(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 0);
	add(&m, BPF_RINGBUF_DISCARD_BIT, 24, 'x');
	add(&m, 0, 4, '-');
	add(&m, 0, 24, 'a');
	reads(&m, 1, 1, "-a");
	ring_done(&m.ring);
	assert_int_equal(*m.ring.read_at, m.written);
	made_release(&m);
}

static void goes_on_past_the_end_and_where_another_stopped(void **state)
{
	const uint64_t laps = UINT64_C(3) * SIZE;
	struct made m;

	(void)state;
	made_init(&m, laps - 40);
	add(&m, 0, 16, 'a');
	add(&m, 0, 88, 'b'); /* in two parts, but for the second copy */
	add(&m, 0, 8, 'c');
	reads(&m, 10, 3, "abc");
	ring_done(&m.ring);
	ring_close(&m.ring);
	assert_int_equal(ring_open(m.fd, SIZE, &m.ring), 0);
	add(&m, 0, 8, 'd');
	reads(&m, 10, 1, "d");
	made_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_again_until_they_are_done),
		cmocka_unit_test(a_record_on_its_way_ends_the_batch),
		cmocka_unit_test(what_is_discarded_or_does_not_count_is_passed_over),
		cmocka_unit_test(goes_on_past_the_end_and_where_another_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
