/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "util/text.h"

void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_close_ int fd = -1;
	size_t len;

	if (!path || !*path)
		return;
	len = strlen(path);
	if (len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* an abstract name */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warning("msg=\"service manager not told\" error=\"%s\"", strerror(errno));
}

/* WATCHDOG_PID is somebody else where the agent was started by what the manager started. */
static bool is_watched(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t expected;

	if (!getenv("WATCHDOG_USEC"))
		return false;
	return !pid || (text_to_u64(pid, 0, INT32_MAX, &expected) && (pid_t)expected == getpid());
}

void notify_alive(void)
{
	if (is_watched())
		notify_manager("WATCHDOG=1");
}

void notify_ready_fd(int fd)
{
	static const char line[] = "ready\n";

	if (fd >= 0 && write(fd, line, sizeof(line) - 1) < 0)
		log_warning("msg=\"nobody reads ready\" error=\"%s\"", strerror(errno));
}
