/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "util/mem.h"

#define READ_BYTES 65536

static int open_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

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
	return 0;
}

static int write_new(int directory, const char *name, const struct text *content)
{
	_close_ int fd = openat(directory, name,
				O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, content);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

int state_file_write(const char *directory, const char *name, const struct text *content)
{
	_close_ int at = open_directory(directory);
	_text_ struct text new = TEXT_INIT;
	int err;

	if (at < 0)
		return at;
	if (content->len > STATE_FILE_MAX)
		return -EFBIG;
	text_addf(&new, "%s.new", name);
	err = write_new(at, new.buf, content);
	if (!err && renameat(at, new.buf, at, name))
		err = -errno;
	if (err) {
		unlinkat(at, new.buf, 0);
		return err;
	}
	return fsync(at) ? -errno : 0;
}

static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return (unsigned long)st.st_size > STATE_FILE_MAX ? -EFBIG : 0;
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
		if (out->len + (size_t)n > STATE_FILE_MAX)
			return -EFBIG;
		text_addn(out, buf, (size_t)n);
	}
}

int state_file_read(const char *directory, const char *name, struct text *ret)
{
	_close_ int at = open_directory(directory);
	_text_ struct text content = TEXT_INIT;
	_close_ int fd = -1;
	int err;

	if (at < 0)
		return at;
	/* Opening a pipe must not wait for whoever writes to it. */
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	err = check_file(fd);
	if (!err)
		err = read_all(fd, &content);
	if (err)
		return err;
	text_release(ret);
	*ret = content;
	content = (struct text)TEXT_INIT;
	return 0;
}
