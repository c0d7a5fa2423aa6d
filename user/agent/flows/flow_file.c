/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/flow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "util/text.h"

#define FILE_MODE 0640

/* A pipe without a reader is refused, not waited for. */
static int open_path(const char *path)
{
	int fd;

	if (!strcmp(path, FLOW_FILE_STDOUT))
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			  FILE_MODE);
	return fd < 0 ? -errno : fd;
}

int flow_file_open(struct flow_file *f)
{
	_close_ int fd = open_path(f->path);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	flow_file_close(f);
	/* Where others have put standard output, they may write, too. */
	f->is_regular = S_ISREG(st.st_mode) && strcmp(f->path, FLOW_FILE_STDOUT) != 0;
	f->inode = st.st_ino;
	f->size = (uint64_t)st.st_size;
	f->fd = TAKE_FD(fd);
	return 0;
}

void flow_file_close(struct flow_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int flow_file_cut(struct flow_file *f, uint64_t size)
{
	if (ftruncate(f->fd, (off_t)size))
		return -errno;
	f->size = size;
	return 0;
}

/* Whoever rotates by copying cuts it, too: so its size is asked again. */
static int write_whole(struct flow_file *f, const char *s, size_t len)
{
	size_t done = 0;
	struct stat st;
	ssize_t n;
	int err;

	if (fstat(f->fd, &st))
		return -errno;
	f->size = (uint64_t)st.st_size;
	while (done < len) {
		n = write(f->fd, s + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n ? -errno : -ENOSPC;
			flow_file_cut(f, f->size);
			return err;
		}
		done += (size_t)n;
	}
	f->size += len;
	return 0;
}

/* So much a pipe takes at once if it takes anything (pipe(7)). */
static int write_some(const struct flow_file *f, const char *s, size_t len, size_t *done)
{
	size_t at = 0;

	while (at < len) {
		struct pollfd ready = {.fd = f->fd, .events = POLLOUT};
		size_t part = len - at < PIPE_BUF ? len - at : PIPE_BUF;
		ssize_t n;

		if (poll(&ready, 1, 0) != 1)
			return -EAGAIN;
		n = write(f->fd, s + at, part);
		if (n < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		at += (size_t)n;
		*done += (size_t)n;
	}
	return 0;
}

int flow_file_write(struct flow_file *f, const char *s, size_t len, size_t *done)
{
	int err;

	if (f->fd < 0)
		return -EBADF;
	if (!f->is_regular)
		return write_some(f, s, len, done);
	err = write_whole(f, s, len);
	if (!err)
		*done += len;
	return err;
}

bool flow_file_is_full(const struct flow_file *f)
{
	return f->is_regular && f->size_max && f->size >= f->size_max;
}

static void add_name(const struct flow_file *f, uint32_t number, struct text *out)
{
	text_add(out, f->path);
	if (number)
		text_addf(out, ".%u", number);
}

int flow_file_rotate(struct flow_file *f)
{
	if (!f->keep)
		return flow_file_cut(f, 0);
	for (uint32_t i = f->keep; i > 0; i--) {
		_text_ struct text from = TEXT_INIT;
		_text_ struct text to = TEXT_INIT;

		add_name(f, i - 1, &from);
		add_name(f, i, &to);
		if (rename(from.buf, to.buf) && errno != ENOENT)
			return -errno;
	}
	return flow_file_open(f);
}
