/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/pcapng.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

#define BLOCKS_MAX 8

struct block {
	uint32_t type, length;
	const char *body;
};

/* How many there are; fails unless lengths and alignment are right. */
static size_t split(const char *bytes, size_t size, struct block ret[static BLOCKS_MAX])
{
	size_t count = 0, at = 0;

	while (at < size) {
		struct block *b = &ret[count++];
		uint32_t again;

		assert_true(count <= BLOCKS_MAX && size - at >= 12);
		memcpy(&b->type, bytes + at, sizeof(b->type));
		memcpy(&b->length, bytes + at + 4, sizeof(b->length));
		assert_true(b->length % 4 == 0 && b->length >= 12 && b->length <= size - at);
		memcpy(&again, bytes + at + b->length - 4, sizeof(again));
		assert_int_equal(again, b->length);
		b->body = bytes + at + 8;
		at += b->length;
	}
	return count;
}

static void each_packet_has_an_interface_and_a_comment(void **state)
{
	static const char frame[] = "0123456789abc";
	struct pcapng_packet packet = {
		.interface = "eth0",
		.time_us = 0x123456789abcull,
		.bytes = frame,
		.captured = 13,
		.length = 1500,
		.comment = "deny rule=default",
	};
	struct block blocks[BLOCKS_MAX];
	struct pcapng p;
	char *bytes;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);
	uint32_t head[5];

	(void)state;
	pcapng_begin(&p, out);
	pcapng_add(&p, &packet);
	packet.interface = "veth1";
	pcapng_add(&p, &packet);
	packet.interface = "eth0";
	pcapng_add(&p, &packet);
	pcapng_release(&p);
	fclose(out);

	assert_int_equal(split(bytes, size, blocks), 6);
	assert_int_equal(blocks[0].type, 0x0a0d0d0a);
	assert_int_equal(blocks[1].type, 1);
	assert_int_equal(blocks[2].type, 6);
	assert_int_equal(blocks[3].type, 1);
	assert_int_equal(blocks[4].type, 6);
	assert_int_equal(blocks[5].type, 6);
	memcpy(head, blocks[4].body, sizeof(head));
	assert_int_equal(head[0], 1); /* the second interface */
	assert_int_equal(head[1], 0x1234);
	assert_int_equal(head[2], 0x56789abc);
	assert_int_equal(head[3], 13);
	assert_int_equal(head[4], 1500);
	assert_memory_equal(blocks[4].body + sizeof(head), "0123456789abc\0\0\0", 16);
	assert_memory_equal(blocks[4].body + sizeof(head) + 16, "\1\0\21\0deny rule=default", 21);
	memcpy(head, blocks[5].body, sizeof(head));
	assert_int_equal(head[0], 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_has_an_interface_and_a_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
