/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/control/protocol.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define BACKLOG    16
#define GROUPS_MAX 1024 /* of a client; one in more is refused */
#define MAP_LEN    512  /* of the user ids of a namespace, as far as they are compared */

#define NO_GROUP ((gid_t)-1)

static gid_t control_group(void)
{
	const struct group *group = getgrnam(PROTOCOL_GROUP);

	return group ? group->gr_gid : NO_GROUP;
}

static int fail(const char *what, const char *path, int err, struct text *reterr)
{
	text_addf(reterr, "cannot %s '%s': %s", what, path, strerror(err));
	return -err;
}

/* Nobody else gets as far as the socket. */
static int give_directory(const char *directory, gid_t group, struct text *reterr)
{
	if (group == NO_GROUP ? chmod(directory, 0700)
			      : chown(directory, 0, group) || chmod(directory, 0750))
		return fail("give away directory", directory, errno, reterr);
	return 0;
}

/* One that was there is left as it is, unless the service manager made it for the agent. */
static int make_directory(const char *socket_path, gid_t group, struct text *reterr)
{
	const char *managed = getenv("RUNTIME_DIRECTORY");
	_free_ char *copy = xstrdup(socket_path);
	const char *directory = dirname(copy);

	if (!mkdir(directory, 0700) || (managed && !strcmp(managed, directory)))
		return give_directory(directory, group, reterr);
	return errno == EEXIST ? 0 : fail("make directory", directory, errno, reterr);
}

/* A socket file outlives its agent; one that is answered on doesn't belong to the past. */
static int remove_stale(const struct sockaddr_un *addr, struct text *reterr)
{
	const char *path = addr->sun_path;
	_close_ int fd = -1;
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : fail("look at", path, errno, reterr);
	if (!S_ISSOCK(st.st_mode)) {
		text_addf(reterr, "'%s' is there and no socket; remove it or use another path",
			  path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail("connect to", path, errno, reterr);
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) || errno != ECONNREFUSED) {
		text_addf(reterr, "an agent answers on '%s' already", path);
		return -EADDRINUSE;
	}
	return unlink(path) ? fail("replace", path, errno, reterr) : 0;
}

static int bind_socket(int fd, const struct sockaddr_un *addr, gid_t group, struct text *reterr)
{
	mode_t before = umask(0177); /* nobody else may connect before the mode is set */
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;

	umask(before);
	if (err)
		return fail("bind", addr->sun_path, err, reterr);
	if (group == NO_GROUP)
		return 0;
	if (chown(addr->sun_path, 0, group) || chmod(addr->sun_path, 0660))
		return fail("give away", addr->sun_path, errno, reterr);
	return 0;
}

int control_socket_listen(const char *path, struct text *reterr, int *ret_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	gid_t group = control_group();
	_close_ int fd = -1;
	int err;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		text_addf(reterr, "the socket's path '%s' is longer than %zu bytes", path,
			  sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path));
	err = make_directory(path, group, reterr);
	if (!err)
		err = remove_stale(&addr, reterr);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail("make", path, errno, reterr);
	err = bind_socket(fd, &addr, group, reterr);
	if (err)
		return err;
	if (listen(fd, BACKLOG))
		return fail("listen on", path, errno, reterr);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool is_in_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

static int read_uid_map(pid_t pid, char map[static MAP_LEN])
{
	_text_ struct text path = TEXT_INIT;
	_close_ int fd = -1;
	ssize_t len;

	text_addf(&path, "/proc/%d/uid_map", (int)pid);
	fd = open(path.buf, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, map, MAP_LEN - 1);
	if (len < 0)
		return -errno;
	map[len] = '\0';
	return len ? 0 : -EPERM;
}

/* By what is mapped: which namespace it is by name may be read only of those with less privilege.
 */
static int check_namespace(pid_t pid)
{
	char ours[MAP_LEN], theirs[MAP_LEN];
	int err = pid > 0 ? read_uid_map(getpid(), ours) : -EPERM;

	if (!err)
		err = read_uid_map(pid, theirs);
	if (err == -ENOENT || err == -EACCES)
		return -EPERM;
	return !err && strcmp(ours, theirs) != 0 ? -EPERM : err;
}

int control_socket_admit(int fd)
{
	struct ucred peer = {};
	socklen_t len = sizeof(peer);
	gid_t group;
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	/* No process of ours: we are in a container, and that is the machine's, or another one's.
	 * There is no more to know of it than that it is root, and nobody who says so elsewhere. */
	if (!peer.pid)
		return peer.uid == 0 ? 0 : -EPERM;
	err = check_namespace(peer.pid);
	if (err || peer.uid == 0)
		return err;
	group = control_group();
	return group != NO_GROUP && (peer.gid == group || is_in_group(fd, group)) ? 0 : -EPERM;
}
