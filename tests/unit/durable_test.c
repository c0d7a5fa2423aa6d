/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/durable.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static char directory[] = "/tmp/durable-test-XXXXXX";

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
	assert_int_equal(durable_write(directory, name, &content), 0);
}

static int read_text(const char *name, const char *expected)
{
	_text_ struct text content = TEXT_INIT;
	int err = durable_read(directory, name, &content);

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
	assert_int_equal(durable_write(directory, "file", &content), -EISDIR);
	assert_int_equal(read_text("file", "one"), 0);
	rmdir(new.buf);
	unlink(path.buf);
}

static void removes_a_file_that_is_there_or_not(void **state)
{
	(void)state;
	write_text("file", "one");
	assert_int_equal(durable_remove(directory, "file"), 0);
	assert_int_equal(read_text("file", ""), -ENOENT);
	assert_int_equal(durable_remove(directory, "file"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_a_file_whole_and_for_its_owner_only),
		cmocka_unit_test(refuses_what_others_may_have_written),
		cmocka_unit_test(keeps_the_old_file_if_it_cannot_write),
		cmocka_unit_test(removes_a_file_that_is_there_or_not),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
