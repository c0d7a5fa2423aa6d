/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each case runs in a child of its own: a filter can't be taken off. */
#include "agent/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"
#include "util/cleanup.h"

/* Of a system call: 0, or what it failed with. */
static int result_of(long returned)
{
	return returned < 0 ? errno : 0;
}

static int try_file(void)
{
	return result_of(open("/proc/self/status", O_RDONLY));
}

static int try_unix(void)
{
	return result_of(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int try_netlink(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int try_packet(void)
{
	return result_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_exec(void)
{
	char *const argv[] = {"/bin/true", NULL};

	return result_of(execv(argv[0], argv));
}

static int try_fork(void)
{
	return result_of(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static void *do_nothing(void *user)
{
	return user;
}

static int try_thread(void)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, do_nothing, NULL);

	return err ? err : pthread_join(thread, NULL);
}

static int try_trace(void)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_namespace(void)
{
	return result_of(unshare(CLONE_NEWNS));
}

static int try_push_input(void)
{
	char c = 'x';

	return result_of(ioctl(0, TIOCSTI, &c));
}

/* What @attempt fails with in a child under the filter. */
static int in_child(enum seccomp_mode mode, int (*attempt)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(seccomp_apply(mode) ? 255 : attempt());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_the_agent_is_known_to_do_it_may_do_and_nothing_else(void **state)
{
	/* clang-format off */
	const struct {
		const char *name;
		int (*attempt)(void);
		int expected;
	} rows[] = {
		{ "open a file",              try_file,       0     },
		{ "a unix socket",            try_unix,       0     },
		{ "a netlink socket",         try_netlink,    0     },
		{ "a thread",                 try_thread,     0     },
		{ "a packet socket",          try_packet,     EPERM },
		{ "execute",                  try_exec,       EPERM },
		{ "fork",                     try_fork,       EPERM },
		{ "be traced",                try_trace,      EPERM },
		{ "another namespace",        try_namespace,  EPERM },
		{ "push terminal input",      try_push_input, EPERM },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int got = in_child(SECCOMP_MODE_ERRNO, rows[i].attempt);

		assert_row(rows[i].name, got == rows[i].expected);
	}
}

static void what_is_only_logged_or_not_filtered_works(void **state)
{
	(void)state;
	assert_int_equal(in_child(SECCOMP_MODE_LOG, try_trace), 0);
	assert_int_equal(in_child(SECCOMP_MODE_OFF, try_trace), 0);
}

static void modes_have_words(void **state)
{
	enum seccomp_mode mode;

	(void)state;
	assert_int_equal(seccomp_mode_parse(NULL, &mode), 0);
	assert_int_equal(mode, SECCOMP_MODE_ERRNO);
	assert_int_equal(seccomp_mode_parse("log", &mode), 0);
	assert_int_equal(mode, SECCOMP_MODE_LOG);
	assert_int_equal(seccomp_mode_parse("off", &mode), 0);
	assert_int_equal(mode, SECCOMP_MODE_OFF);
	assert_string_equal(seccomp_mode_word(mode), "off");
	assert_int_equal(seccomp_mode_parse("kill", &mode), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_agent_is_known_to_do_it_may_do_and_nothing_else),
		cmocka_unit_test(what_is_only_logged_or_not_filtered_works),
		cmocka_unit_test(modes_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
