/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"
#include "util/mem.h"

#define BIG 200001 /* bytes: several reads */

struct temp {
	char dir[32];
	char file[64];
};

static int make_temp(void **state)
{
	struct temp *t = xcalloc(1, sizeof(*t));

	memcpy(t->dir, "/tmp/bh-source.XXXXXX", sizeof("/tmp/bh-source.XXXXXX"));
	if (!mkdtemp(t->dir))
		return -1;
	snprintf(t->file, sizeof(t->file), "%s/p.yaml", t->dir);
	*state = t;
	return 0;
}

static int remove_temp(void **state)
{
	struct temp *t = *state;

	unlink(t->file);
	rmdir(t->dir);
	free(t);
	return 0;
}

static void fill(int fd, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(write(fd, i % 2 ? "b" : "a", 1), 1);
}

static void assert_filled(const struct source *s, const char *name, size_t len)
{
	assert_string_equal(s->name, name);
	assert_int_equal(s->len, len);
	assert_int_equal(s->text[len], '\0');
	for (size_t i = 0; i < len; i++)
		assert_int_equal(s->text[i], i % 2 ? 'b' : 'a');
}

static void a_file_is_read_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 4096, BIG};
	const struct temp *t = *state;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd = open(t->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct source s = {};

		fill(fd, sizes[i]);
		close(fd);
		assert_int_equal(source_read(t->file, &s), 0);
		assert_filled(&s, t->file, sizes[i]);
		source_release(&s);
	}
}

static struct source filled_source(size_t len)
{
	struct source s = {.name = xstrdup("p"), .text = xmalloc(len + 1), .len = len};

	for (size_t i = 0; i < len; i++)
		s.text[i] = i % 2 ? 'b' : 'a';
	s.text[len] = '\0';
	return s;
}

/* One after the other in the same file, which is gone when the last one goes. */
static void large_texts_may_lie_in_a_file(void **state)
{
	static const struct {
		size_t len;
		bool is_mapped;
	} rows[] = {{BIG, true}, {131072 - 1, true}, {131072, true}, {5000, false}, {BIG, true}};
	const struct temp *t = *state;
	struct source texts[COUNT(rows)];
	int fd = open(t->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (size_t i = 0; i < COUNT(rows); i++) {
		texts[i] = filled_source(rows[i].len);
		source_leave(&texts[i], fd);
	}
	close(fd);
	unlink(t->file);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!texts[i].mapped == rows[i].is_mapped)
			fail_msg("%zu bytes: mapped %zu", rows[i].len, texts[i].mapped);
		assert_filled(&texts[i], "p", rows[i].len);
		source_release(&texts[i]);
	}
}

static void a_text_that_no_file_takes_stays_where_it_is(void **state)
{
	struct source s = filled_source(BIG);
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	(void)state;
	source_leave(&s, fd);
	close(fd);
	source_leave(&s, -1);
	assert_int_equal(s.mapped, 0);
	assert_filled(&s, "p", BIG);
	source_release(&s);
}

static void standard_input_may_be_a_pipe(void **state)
{
	int saved = dup(STDIN_FILENO);
	struct source s = {};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fill(fds[1], 5000);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	assert_int_equal(source_read("-", &s), 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_filled(&s, "-", 5000);
	source_release(&s);
}

static void what_cannot_be_read_is_refused(void **state)
{
	const struct temp *t = *state;
	struct source s = {.len = 77};

	assert_int_equal(source_read(t->dir, &s), -EISDIR);
	assert_int_equal(source_read(t->file, &s), -ENOENT);
	assert_int_equal(close(open(t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(truncate(t->file, SOURCE_MAX + 1), 0);
	assert_int_equal(source_read(t->file, &s), -EFBIG);
	assert_int_equal(source_read("/dev/zero", &s), -EFBIG);
	assert_int_equal(s.len, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_read_whole, make_temp, remove_temp),
		cmocka_unit_test_setup_teardown(large_texts_may_lie_in_a_file, make_temp,
						remove_temp),
		cmocka_unit_test_setup_teardown(a_text_that_no_file_takes_stays_where_it_is,
						make_temp, remove_temp),
		cmocka_unit_test(standard_input_may_be_a_pipe),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_refused, make_temp,
						remove_temp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
