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

static int write_all(int fd, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

void durable_begin(const char *directory, const char *name, struct durable_file *ret)
{
	*ret = (struct durable_file){.fd = -1, .name = TEXT_INIT, .fresh = TEXT_INIT};
	text_add(&ret->name, name);
	text_addf(&ret->fresh, "%s.new", name);
	ret->directory = open_directory(directory);
	if (ret->directory < 0) {
		ret->err = ret->directory;
		return;
	}
	ret->fd = openat(ret->directory, ret->fresh.buf,
			 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ret->fd < 0)
		ret->err = -errno;
}

void durable_put(struct durable_file *f, const char *bytes, size_t len)
{
	f->len += len;
	if (!f->err && f->len > DURABLE_MAX)
		f->err = -EFBIG;
	if (!f->err)
		f->err = write_all(f->fd, bytes, len);
}

void durable_put_at(struct durable_file *f, size_t at, const char *bytes, size_t len)
{
	ssize_t n;

	if (f->err)
		return;
	n = pwrite(f->fd, bytes, len, (off_t)at);
	if (n < 0)
		f->err = -errno;
	else if ((size_t)n < len)
		f->err = -EIO;
}

static int replace(const struct durable_file *f)
{
	if (fsync(f->fd) || renameat(f->directory, f->fresh.buf, f->directory, f->name.buf))
		return -errno;
	return fsync(f->directory) ? -errno : 0;
}

int durable_end(struct durable_file *f)
{
	if (!f->err)
		f->err = replace(f);
	if (f->err && f->fd >= 0)
		unlinkat(f->directory, f->fresh.buf, 0);
	closep(&f->fd);
	closep(&f->directory);
	text_release(&f->name);
	text_release(&f->fresh);
	return f->err;
}

int durable_write(const char *directory, const char *name, const struct text *content)
{
	struct durable_file f;

	durable_begin(directory, name, &f);
	durable_put(&f, content->buf, content->len);
	return durable_end(&f);
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
	err = write_all(fd, line->buf, line->len);
	if (!err && fsync(fd))
		err = -errno;
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

/* How much there is to read. */
static int check_file(int fd, size_t *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	if ((unsigned long)st.st_size > DURABLE_MAX)
		return -EFBIG;
	*ret = (size_t)st.st_size;
	return 0;
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

static int open_file(const char *directory, const char *name, size_t *ret_size)
{
	_close_ int dir = open_directory(directory);
	_close_ int fd = -1;
	int err;

	if (dir < 0)
		return dir;
	/* Opening a pipe must not wait for whoever writes to it. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	err = check_file(fd, ret_size);
	return err ? err : TAKE_FD(fd);
}

int durable_nameless(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

int durable_read(const char *directory, const char *name, struct text *ret)
{
	_text_ struct text content = TEXT_INIT;
	size_t size = 0;
	_close_ int fd = open_file(directory, name, &size);
	int err = fd < 0 ? fd : 0;

	if (!err) {
		text_room(&content, size);
		err = read_all(fd, &content);
	}
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
