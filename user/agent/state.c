/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/cleanup.h"

static int say_busy(int fd, const char *directory, struct text *reterr)
{
	char pid[24] = "";
	ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);

	text_addf(reterr, "another agent runs on state directory '%s'", directory);
	if (len > 0)
		text_addf(reterr, " (pid %.*s)", (int)strcspn(pid, "\n"), pid);
	return -EBUSY;
}

static int say_errno(int err, const char *path, struct text *reterr)
{
	text_addf(reterr, "cannot lock '%s': %s", path, strerror(err));
	return -err;
}

/* Who may write there chooses the policy that is in force after the next boot. */
static bool is_others_too(const char *directory)
{
	struct stat st;

	return stat(directory, &st) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH);
}

int state_lock(const char *directory, struct text *reterr, int *ret_fd)
{
	_text_ struct text path = TEXT_INIT;
	_close_ int fd = -1;

	if (mkdir(directory, 0700) && errno != EEXIST)
		return say_errno(errno, directory, reterr);
	if (is_others_too(directory)) {
		text_addf(reterr,
			  "state directory '%s' may be written by others; its mode is due "
			  "to be 0700, and the agent's user its owner",
			  directory);
		return -EPERM;
	}
	text_addf(&path, "%s/lock", directory);
	fd = open(path.buf, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return say_errno(errno, path.buf, reterr);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return say_busy(fd, directory, reterr);
		return say_errno(errno, path.buf, reterr);
	}
	/* The number only serves the sentence that a second agent prints. */
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return say_errno(errno, path.buf, reterr);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
