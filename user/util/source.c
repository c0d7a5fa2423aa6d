/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define READ_FIRST 65536 /* bytes, where the size isn't known beforehand */
#define MAPPED_MIN 65536 /* bytes; of less, the page at the end is much */

/* At most @size bytes; fewer only at the end of the input. */
static ssize_t read_some(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* One byte more than announced is asked for: a short read is what tells the end. */
static int read_whole(int fd, size_t size, struct source *ret)
{
	_free_ char *text = NULL;
	size_t len = 0;

	for (;; size = size < SOURCE_MAX / 2 ? size * 2 : SOURCE_MAX + 1) {
		ssize_t n;

		text = xrealloc(text, size + 1, 1);
		n = read_some(fd, text + len, size - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > SOURCE_MAX)
			return -EFBIG;
		if (len < size)
			break;
	}
	text[len] = '\0';
	ret->text = TAKE_PTR(text);
	ret->len = len;
	return 0;
}

static int read_fd(int fd, struct source *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return read_whole(fd, READ_FIRST, ret);
	if ((unsigned long)st.st_size > SOURCE_MAX)
		return -EFBIG;
	return read_whole(fd, (size_t)st.st_size + 1, ret);
}

int source_read(const char *path, struct source *ret)
{
	bool is_stdin = !strcmp(path, "-");
	_close_ int opened = -1;
	struct source s = {};
	int err;

	if (!is_stdin) {
		opened = open(path, O_RDONLY | O_CLOEXEC);
		if (opened < 0)
			return -errno;
	}
	err = read_fd(is_stdin ? STDIN_FILENO : opened, &s);
	if (err)
		return err;
	s.name = xstrdup(path);
	*ret = s;
	return 0;
}

struct source source_of(const char *name, const char *text, size_t len)
{
	struct source s = {.name = xstrdup(name), .text = xmalloc(len + 1), .len = len};

	if (len)
		memcpy(s.text, text, len);
	s.text[len] = '\0';
	return s;
}

static bool write_at(int fd, const char *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

/* Behind all that is in the file, where a page begins; -1: nobody knows. */
static off_t next_page(int fd)
{
	const off_t page = sysconf(_SC_PAGESIZE);
	struct stat st;

	return fstat(fd, &st) ? -1 : (st.st_size + page - 1) / page * page;
}

void source_leave(struct source *s, int fd)
{
	const off_t at = next_page(fd);
	const size_t size = s->len + 1;
	char *text;

	if (s->mapped || s->len < MAPPED_MIN || at < 0 || !write_at(fd, s->text, size, at))
		return;
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, at);
	if (text == MAP_FAILED)
		return;
	free(s->text);
	s->text = text;
	s->mapped = size;
	source_rest(s);
}

void source_rest(const struct source *s)
{
	if (s->mapped)
		madvise(s->text, s->mapped, MADV_DONTNEED);
}

static void free_text(const struct source *s)
{
	if (s->mapped)
		munmap(s->text, s->mapped);
	else
		free(s->text);
}

void source_release(struct source *s)
{
	free(s->name);
	free_text(s);
	*s = (struct source){};
}

void source_list_release(source_list *list)
{
	vec_foreach (source, list)
		source_release(source);
	vec_release(list);
}
