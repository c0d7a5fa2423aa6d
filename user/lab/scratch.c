/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PREFIX "/tmp/bulkhead-lab-"

static int lock_directory(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* A killed lab leaves an empty directory and no lock.  rmdir() spares what is anything else. */
static void remove_stale(void)
{
	glob_t found = {};

	if (!glob(PREFIX "*", GLOB_NOSORT, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++) {
			_close_ int lock = lock_directory(found.gl_pathv[i]);

			if (lock >= 0)
				rmdir(found.gl_pathv[i]);
		}
	globfree(&found);
}

static int make_directory(struct scratch *s)
{
	snprintf(s->path, sizeof(s->path), "%sXXXXXX", PREFIX);
	if (!mkdtemp(s->path)) {
		s->path[0] = '\0';
		return -errno;
	}
	s->lock = lock_directory(s->path);
	return s->lock < 0 ? s->lock : 0;
}

static int mount_all(struct scratch *s)
{
	_text_ struct text bpf = TEXT_INIT;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	s->is_private = true;
	if (mount("bulkhead-lab", s->path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		return -errno;
	if (mkdir(scratch_path(s, "bpf", "", &bpf), 0700) < 0 ||
	    mount("bulkhead-lab", bpf.buf, "bpf", 0, "mode=0700") < 0)
		return -errno;

	if (!mkdir(SCRATCH_NETNS, 0755))
		s->has_made_netns = true;
	if (mount("bulkhead-lab", SCRATCH_NETNS, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		return -errno;
	return 0;
}

int scratch_open(struct scratch *s, struct text *reterr)
{
	int err;

	remove_stale();
	err = make_directory(s);
	if (err) {
		text_addf(reterr, "a directory cannot be made at '" PREFIX "': %s", strerror(-err));
		return err;
	}
	err = mount_all(s);
	if (err)
		text_addf(reterr, "file systems for the lab cannot be mounted: %s%s",
			  strerror(-err), err == -EPERM ? "; a lab needs root" : "");
	return err;
}

void scratch_close(struct scratch *s)
{
	_text_ struct text bpf = TEXT_INIT;

	if (s->is_private) {
		umount2(SCRATCH_NETNS, MNT_DETACH);
		umount2(scratch_path(s, "bpf", "", &bpf), MNT_DETACH);
		umount2(s->path, MNT_DETACH);
	}
	if (s->path[0])
		rmdir(s->path);
	if (s->has_made_netns)
		rmdir(SCRATCH_NETNS);
	closep(&s->lock);
	*s = (struct scratch)SCRATCH_INIT;
}

int scratch_name_netns(const char *name, int netns_fd)
{
	char from[64], to[PATH_MAX];
	_close_ int file = -1;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", netns_fd);
	snprintf(to, sizeof(to), SCRATCH_NETNS "/%s", name);
	file = open(to, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file < 0 || mount(from, to, "none", MS_BIND, NULL) < 0)
		return -errno;
	return 0;
}

const char *scratch_path(const struct scratch *s, const char *name, const char *suffix,
			 struct text *out)
{
	text_reset(out);
	text_addf(out, "%s/%s%s", s->path, name, suffix);
	return out->buf;
}
