/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IN-12: what was written is read again whole, or refused. */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/last_good_text.h"
#include "agent/state_file.h"
#include "util/mem.h"

#define BLOCK 64

static void add_source(struct policy *p, const char *name, const char *text, size_t len)
{
	struct source *source = xmalloc(sizeof(*source));

	*source = source_of(name, text, len);
	vec_push(&p->sources, source);
}

/* Two texts, one with a NUL and a line like those that stand between them. */
static void write_example(struct text *out)
{
	static const char odd[] = "a: \0 b\n5 7\nnoise";
	struct policy *p = policy_new();
	_text_ struct text large = TEXT_INIT;

	for (int i = 0; i < 100; i++)
		text_addf(&large, "line: %d\n", i);
	add_source(p, "dir/odd name.yaml", odd, sizeof(odd) - 1);
	add_source(p, "-", large.buf, large.len);
	last_good_format(p, out);
	policy_free(p);
}

static int parse(const struct text *content)
{
	_policy_texts_ struct policy_texts texts = {};
	_text_ struct text why = TEXT_INIT;
	int err = last_good_parse(content, &why, &texts);

	assert_true(!err == !why.len);
	assert_true(!err || !texts.list.count);
	return err;
}

static void reads_what_was_written(void **state)
{
	_policy_texts_ struct policy_texts texts = {};
	_text_ struct text content = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	(void)state;
	write_example(&content);
	assert_int_equal(last_good_parse(&content, &why, &texts), 0);
	assert_int_equal(texts.list.count, 2);
	assert_string_equal(texts.list.items[0].name, "dir/odd name.yaml");
	assert_int_equal(texts.list.items[0].len, 16);
	assert_memory_equal(texts.list.items[0].text, "a: \0 b\n5 7\nnoise", 16);
	assert_string_equal(texts.list.items[1].name, "-");
	assert_memory_equal(texts.list.items[1].text, "line: 0\n", 8);
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

/* --- the file --- */

static char directory[] = "/tmp/last-good-test-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static void path_of(const char *name, struct text *out)
{
	text_addf(out, "%s/%s", directory, name);
}

static void write_text(const char *name, const char *text)
{
	_text_ struct text content = TEXT_INIT;

	text_add(&content, text);
	assert_int_equal(state_file_write(directory, name, &content), 0);
}

static int read_text(const char *name, const char *expected)
{
	_text_ struct text content = TEXT_INIT;
	int err = state_file_read(directory, name, &content);

	if (!err)
		assert_string_equal(content.buf, expected);
	return err;
}

static void replaces_a_file_whole_and_for_its_owner_only(void **state)
{
	_text_ struct text path = TEXT_INIT;
	_text_ struct text new = TEXT_INIT;
	struct stat st;

	(void)state;
	path_of("file", &path);
	path_of("file.new", &new);
	assert_int_equal(read_text("file", ""), -ENOENT);
	write_text("file", "one");
	write_text("file", "longer");
	write_text("file", "two");
	assert_int_equal(read_text("file", "two"), 0);
	assert_int_equal(stat(path.buf, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(new.buf, F_OK), -1);
	unlink(path.buf);
}

static void refuses_what_others_may_have_written(void **state)
{
	_text_ struct text path = TEXT_INIT;
	_text_ struct text other = TEXT_INIT;

	(void)state;
	path_of("file", &path);
	path_of("other", &other);
	write_text("other", "one");
	assert_int_equal(symlink("other", path.buf), 0);
	assert_int_equal(read_text("file", ""), -EPERM);
	unlink(path.buf);
	assert_int_equal(mkfifo(path.buf, 0600), 0);
	assert_int_equal(read_text("file", ""), -EPERM);
	unlink(path.buf);
	assert_int_equal(chmod(other.buf, 0660), 0);
	assert_int_equal(read_text("other", ""), -EPERM);
	unlink(other.buf);
}

static void keeps_the_old_file_if_it_cannot_write(void **state)
{
	_text_ struct text content = TEXT_INIT;
	_text_ struct text path = TEXT_INIT;
	_text_ struct text new = TEXT_INIT;

	(void)state;
	path_of("file", &path);
	path_of("file.new", &new);
	write_text("file", "one");
	assert_int_equal(mkdir(new.buf, 0700), 0);
	text_add(&content, "two");
	assert_int_equal(state_file_write(directory, "file", &content), -EISDIR);
	assert_int_equal(read_text("file", "one"), 0);
	rmdir(new.buf);
	unlink(path.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(refuses_every_length_but_its_own),
		cmocka_unit_test(refuses_every_byte_that_was_changed),
		cmocka_unit_test(refuses_every_block_that_is_lost),
		cmocka_unit_test(replaces_a_file_whole_and_for_its_owner_only),
		cmocka_unit_test(refuses_what_others_may_have_written),
		cmocka_unit_test(keeps_the_old_file_if_it_cannot_write),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
