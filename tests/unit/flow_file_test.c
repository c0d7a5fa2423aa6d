/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/flow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/test.h"
#include "util/text.h"

static char directory[] = "/tmp/flow-file-test-XXXXXX";
static char path[48], first[64], second[64], third[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/flow.log", directory);
	snprintf(first, sizeof(first), "%s.1", path);
	snprintf(second, sizeof(second), "%s.2", path);
	snprintf(third, sizeof(third), "%s.3", path);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	unlink(first);
	unlink(second);
	return rmdir(directory);
}

static int put(struct flow_file *f, const char *s)
{
	size_t done = 0;
	int err = flow_file_write(f, s, strlen(s), &done);

	assert_int_equal(done, err ? 0 : strlen(s));
	return err;
}

static void assert_content(const char *name, const char *expected)
{
	char content[256] = "";
	_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, content, sizeof(content) - 1) >= 0);
	assert_string_equal(content, expected);
}

static void goes_on_at_the_end(void **state)
{
	struct flow_file f = FLOW_FILE_CLOSED(path);

	(void)state;
	assert_int_equal(put(&f, "x"), -EBADF);
	assert_int_equal(flow_file_open(&f), 0);
	assert_true(f.is_regular);
	assert_int_equal(put(&f, "one\n"), 0);
	flow_file_close(&f);
	assert_int_equal(flow_file_open(&f), 0);
	assert_int_equal(f.size, 4);
	assert_int_equal(put(&f, "two\n"), 0);
	assert_int_equal(f.size, 8);
	assert_content(path, "one\ntwo\n");
	assert_int_equal(flow_file_cut(&f, 4), 0);
	assert_int_equal(put(&f, "three\n"), 0);
	assert_content(path, "one\nthree\n");
	flow_file_close(&f);
	unlink(path);
}

static void full_files_become_old_ones_and_the_oldest_is_gone(void **state)
{
	struct flow_file f = FLOW_FILE_CLOSED(path);
	static const char *const lines[] = {"1234567\n", "a\n", "b\n", "c\n"};

	(void)state;
	f.size_max = 8;
	f.keep = 2;
	assert_int_equal(flow_file_open(&f), 0);
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(put(&f, lines[i]), 0);
		assert_int_equal(flow_file_is_full(&f), i == 0);
		assert_int_equal(flow_file_rotate(&f), 0);
	}
	assert_content(path, "");
	assert_content(first, "c\n");
	assert_content(second, "b\n");
	assert_int_equal(access(third, F_OK), -1);
	flow_file_close(&f);
}

static void with_none_to_keep_it_begins_anew(void **state)
{
	struct flow_file f = FLOW_FILE_CLOSED(path);

	(void)state;
	assert_int_equal(flow_file_open(&f), 0);
	assert_int_equal(put(&f, "old\n"), 0);
	assert_int_equal(flow_file_rotate(&f), 0);
	assert_int_equal(put(&f, "new\n"), 0);
	assert_content(path, "new\n");
	flow_file_close(&f);
	unlink(path);
}

static void what_does_not_fit_is_taken_back_whole(void **state)
{
	struct flow_file f = FLOW_FILE_CLOSED(path);
	struct rlimit old, limit;

	(void)state;
	assert_int_equal(flow_file_open(&f), 0);
	assert_int_equal(put(&f, "1234\n"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 8;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(put(&f, "5678\n"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_content(path, "1234\n");
	assert_int_equal(put(&f, "5678\n"), 0);
	assert_content(path, "1234\n5678\n");
	flow_file_close(&f);
	unlink(path);
}

static void nobody_waits_for_a_pipe(void **state)
{
	static const char block[3 * 65536];
	struct flow_file f = FLOW_FILE_CLOSED(path);
	char buf[65536];
	size_t done = 0;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(flow_file_open(&f), -ENXIO);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(flow_file_open(&f), 0);
	assert_false(f.is_regular);
	assert_int_equal(flow_file_write(&f, block, sizeof(block), &done), -EAGAIN);
	assert_int_equal(done, 65536);
	assert_int_equal(read(fd, buf, sizeof(buf)), 65536);
	assert_int_equal(flow_file_write(&f, block + done, 4096, &done), 0);
	assert_int_equal(done, 65536 + 4096);
	close(fd);
	flow_file_close(&f);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_at_the_end),
		cmocka_unit_test(full_files_become_old_ones_and_the_oldest_is_gone),
		cmocka_unit_test(with_none_to_keep_it_begins_anew),
		cmocka_unit_test(what_does_not_fit_is_taken_back_whole),
		cmocka_unit_test(nobody_waits_for_a_pipe),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
