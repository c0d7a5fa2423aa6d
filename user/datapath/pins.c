/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>

#include "datapath/internal.h"
#include "util/mem.h"

#define DIR_MODE 0700

static const char *const kind_dirs[PIN_KINDS] = {
	[PIN_MAP] = "maps",
	[PIN_LINK] = "links",
	[PIN_REST] = "rest",
};

static char *path_of(const struct pins *pins, enum pin_kind kind, const char *name)
{
	struct text path = TEXT_INIT;

	text_addf(&path, "%s/%s", pins->dir, kind_dirs[kind]);
	if (name)
		text_addf(&path, "/%s", name);
	return text_take(&path);
}

static int make_dir(const char *path, struct text *reterr)
{
	if (mkdir(path, DIR_MODE) && errno != EEXIST)
		return explain_error(reterr, -errno, "cannot make directory '%s'", path);
	return 0;
}

/* Asked of the parent too, so that no directory is left on the wrong filesystem. */
static bool is_on_bpffs(const char *dir)
{
	_free_ char *parent = xstrdup(dir);
	struct statfs fs;
	char *slash;

	if (!statfs(dir, &fs))
		return fs.f_type == BPF_FS_MAGIC;
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return false;
	*slash = '\0';
	return !statfs(parent, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* Without slashes at its end: the parent is what stands before the last one. */
static char *copy_dir(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return xstrndup(dir, len);
}

int pins_init(struct pins *pins, const char *dir, struct text *reterr)
{
	int err;

	*pins = (struct pins){};
	if (!dir)
		return 0;
	pins->dir = copy_dir(dir);
	if (!is_on_bpffs(pins->dir)) {
		text_addf(reterr, "'%s' is not on a bpf filesystem; mount -t bpf bpf /sys/fs/bpf",
			  dir);
		return -ENODEV;
	}
	err = make_dir(pins->dir, reterr);
	for (int kind = 0; !err && kind < PIN_KINDS; kind++) {
		_free_ char *path = path_of(pins, kind, NULL);

		err = make_dir(path, reterr);
	}
	return err;
}

static void held_release(struct held_pin *held)
{
	close(held->fd);
	free(held->name);
}

void pins_release(struct pins *pins)
{
	vec_foreach (held, &pins->held)
		held_release(held);
	vec_release(&pins->held);
	free(pins->dir);
	pins->dir = NULL;
}

static struct held_pin *find_held(const struct pins *pins, enum pin_kind kind, const char *name)
{
	vec_foreach (held, &pins->held) {
		if (held->kind == kind && !strcmp(held->name, name))
			return held;
	}
	return NULL;
}

/* bpffs has no overwriting pin, but it has rename. */
static int replace_pin(int fd, const char *path)
{
	_text_ struct text fresh = TEXT_INIT;
	int err;

	text_addf(&fresh, "%s-new", path);
	unlink(fresh.buf);
	err = bpf_obj_pin(fd, fresh.buf);
	if (err)
		return err;
	if (rename(fresh.buf, path)) {
		err = -errno;
		unlink(fresh.buf);
	}
	return err;
}

int pins_put(struct pins *pins, enum pin_kind kind, const char *name, int fd)
{
	_close_ int ours = fd;
	_free_ char *path = NULL;
	int err;

	if (!pins->dir) {
		pins_drop(pins, kind, name);
		vec_push(&pins->held, (struct held_pin){kind, xstrdup(name), TAKE_FD(ours)});
		return 0;
	}
	path = path_of(pins, kind, name);
	err = bpf_obj_pin(ours, path);
	return err == -EEXIST ? replace_pin(ours, path) : err;
}

int pins_get(const struct pins *pins, enum pin_kind kind, const char *name)
{
	const struct held_pin *held = find_held(pins, kind, name);
	_free_ char *path = NULL;
	int fd;

	if (held) {
		fd = fcntl(held->fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? -errno : fd;
	}
	if (!pins->dir)
		return -ENOENT;
	path = path_of(pins, kind, name);
	return bpf_obj_get(path);
}

void pins_drop(struct pins *pins, enum pin_kind kind, const char *name)
{
	struct held_pin *held = find_held(pins, kind, name);
	_free_ char *path = NULL;

	if (held) {
		held_release(held);
		*held = pins->held.items[--pins->held.count];
	}
	if (!pins->dir)
		return;
	path = path_of(pins, kind, name);
	unlink(path);
}

int pins_rename(const struct pins *pins, enum pin_kind kind, const char *from, const char *to)
{
	_free_ char *old = NULL, *new = NULL;

	if (!pins->dir)
		return -ENOENT;
	old = path_of(pins, kind, from);
	new = path_of(pins, kind, to);
	return rename(old, new) ? -errno : 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

void pins_list(const struct pins *pins, enum pin_kind kind, pin_names *ret)
{
	_free_ char *path = pins->dir ? path_of(pins, kind, NULL) : NULL;
	_cleanup_(closedirp)
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *entry;

	*ret = (pin_names){};
	vec_foreach (held, &pins->held) {
		if (held->kind == kind)
			vec_push(ret, xstrdup(held->name));
	}
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			vec_push(ret, xstrdup(entry->d_name));
	}
}

void pin_names_release(pin_names *names)
{
	vec_foreach (name, names)
		free(*name);
	vec_release(names);
}

bool pins_are_there(const struct pins *pins, enum pin_kind kind)
{
	_free_ char *path = pins->dir ? path_of(pins, kind, NULL) : NULL;

	return !path || !access(path, F_OK);
}

int pins_rmdir(const struct pins *pins)
{
	for (int kind = 0; kind < PIN_KINDS; kind++) {
		_free_ char *path = path_of(pins, kind, NULL);

		if (rmdir(path) && errno != ENOENT)
			return -errno;
	}
	return rmdir(pins->dir) && errno != ENOENT ? -errno : 0;
}
