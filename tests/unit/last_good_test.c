/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IN-12: what was written is read again whole, or refused. */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "agent/policies/last_good_text.h"

#define BLOCK 64

static void write_odd(const void *user, struct text *out)
{
	static const char odd[] = "a: \0 b\n5 7\nnoise";

	(void)user;
	text_addn(out, odd, sizeof(odd) - 1);
}

/* Two texts, one with a NUL and a line like those that stand between them. */
static void write_example(struct text *out)
{
	const struct made_source first = {"dir/odd name.yaml", write_odd, NULL};
	struct source second;
	_text_ struct text large = TEXT_INIT;
	source_view texts = {};

	for (int i = 0; i < 100; i++)
		text_addf(&large, "line: %d\n", i);
	second = source_of("-", large.buf, large.len);
	vec_push(&texts, &second);
	last_good_format(&texts, &first, out);
	vec_release(&texts);
	source_release(&second);
}

static int parse(const struct text *content)
{
	_source_list_ source_list texts = {};
	_text_ struct text why = TEXT_INIT;
	int err = last_good_parse(content, &why, &texts);

	assert_true(!err == !why.len);
	assert_true(!err || !texts.count);
	return err;
}

static void reads_what_was_written(void **state)
{
	_source_list_ source_list texts = {};
	_text_ struct text content = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	(void)state;
	write_example(&content);
	assert_int_equal(last_good_parse(&content, &why, &texts), 0);
	assert_int_equal(texts.count, 2);
	assert_string_equal(texts.items[0].name, "dir/odd name.yaml");
	assert_int_equal(texts.items[0].len, 16);
	assert_memory_equal(texts.items[0].text, "a: \0 b\n5 7\nnoise", 16);
	assert_string_equal(texts.items[1].name, "-");
	assert_memory_equal(texts.items[1].text, "line: 0\n", 8);
}

static void refuses_every_length_but_its_own(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t len = 0; len < content.len; len++) {
		_text_ struct text cut = TEXT_INIT;

		text_addn(&cut, content.buf, len);
		if (parse(&cut) != -EBADMSG)
			fail_msg("the first %zu bytes are taken for all", len);
	}
	text_addc(&content, '\n');
	assert_int_equal(parse(&content), -EBADMSG);
}

static void refuses_every_byte_that_was_changed(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t i = 0; i < content.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			content.buf[i] ^= (char)(1 << bit);
			if (parse(&content) != -EBADMSG)
				fail_msg("bit %d of byte %zu may be either", bit, i);
			content.buf[i] ^= (char)(1 << bit);
		}
	}
	assert_int_equal(parse(&content), 0);
}

static void refuses_every_block_that_is_lost(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t at = 0; at < content.len; at += BLOCK) {
		size_t len = content.len - at < BLOCK ? content.len - at : BLOCK;
		char kept[BLOCK];

		memcpy(kept, content.buf + at, len);
		memset(content.buf + at, 0, len);
		if (parse(&content) != -EBADMSG)
			fail_msg("the block at %zu may be zeros", at);
		memcpy(content.buf + at, kept, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(refuses_every_length_but_its_own),
		cmocka_unit_test(refuses_every_byte_that_was_changed),
		cmocka_unit_test(refuses_every_block_that_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
