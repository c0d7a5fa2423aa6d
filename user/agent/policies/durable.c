/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/mem.h"

#define READ_BYTES 65536

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const struct text *content)
{
	size_t done = 0;

	while (done < content->len) {
		ssize_t n = write(fd, content->buf + done, content->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

static int replace(int dir, const char *fresh, const char *name)
{
	if (renameat(dir, fresh, dir, name))
		return -errno;
	return fsync(dir) ? -errno : 0;
}

int durable_write(const char *directory, const char *name, const struct text *content)
{
	_text_ struct text fresh = TEXT_INIT;
	_close_ int dir = open_directory(directory);
	_close_ int fd = -1;
	int err;

	if (dir < 0)
		return dir;
	if (content->len > DURABLE_MAX)
		return -EFBIG;
	text_addf(&fresh, "%s.new", name);
	fd = openat(dir, fresh.buf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, content);
	if (!err)
		err = replace(dir, fresh.buf, name);
	if (err)
		unlinkat(dir, fresh.buf, 0);
	return err;
}

int durable_append(const char *directory, const char *name, const struct text *line)
{
	_close_ int dir = open_directory(directory);
	_close_ int fd = -1;
	struct stat st;
	int err;

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	err = write_all(fd, line);
	/* On a full disk half a line may be there: the next one would be joined to it. */
	if (err && ftruncate(fd, st.st_size))
		return -errno;
	if (!err && !st.st_size && fsync(dir))
		return -errno;
	return err;
}

int durable_directory(const char *directory, const char *name, struct text *ret_path)
{
	text_addf(ret_path, "%s/%s", directory, name);
	if (mkdir(ret_path->buf, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return (unsigned long)st.st_size > DURABLE_MAX ? -EFBIG : 0;
}

static int read_all(int fd, struct text *out)
{
	_free_ char *buf = xmalloc(READ_BYTES);

	for (;;) {
		ssize_t n = read(fd, buf, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out->len + (size_t)n > DURABLE_MAX)
			return -EFBIG;
		text_addn(out, buf, (size_t)n);
	}
}

int durable_read(const char *directory, const char *name, struct text *ret)
{
	_close_ int dir = open_directory(directory);
	_text_ struct text content = TEXT_INIT;
	_close_ int fd = -1;
	int err;

	if (dir < 0)
		return dir;
	/* Opening a pipe must not wait for whoever writes to it. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	err = check_file(fd);
	if (!err)
		err = read_all(fd, &content);
	if (!err)
		text_addn(ret, content.buf, content.len);
	return err;
}

int durable_remove(const char *directory, const char *name)
{
	_close_ int dir = open_directory(directory);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, 0))
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) ? -errno : 0;
}
