/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/seccomp.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <seccomp.h>

#include "util/cleanup.h"

static const char *const mode_words[] = {
#define X(id, word) [SECCOMP_MODE_##id] = (word),
	SECCOMP_MODES(X)
#undef X
};

int seccomp_mode_parse(const char *word, enum seccomp_mode *ret)
{
	if (!word || !*word)
		word = mode_words[0];
	for (size_t i = 0; i < COUNT(mode_words); i++) {
		if (!strcmp(word, mode_words[i])) {
			*ret = (enum seccomp_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *seccomp_mode_word(enum seccomp_mode mode)
{
	return mode_words[mode];
}

#define CALL(name) SCMP_SYS(name)

/* clang-format off */
static const int allowed[] = {
	/* the data path */
	CALL(bpf),
	/* memory */
	CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise),
	/* descriptors */
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64),
	CALL(lseek), CALL(close), CALL(dup), CALL(dup2), CALL(dup3), CALL(fcntl), CALL(pipe2),
	CALL(flock),
	/* files: policies are read again, the state directory and pins are written */
	CALL(open), CALL(openat), CALL(stat), CALL(fstat), CALL(lstat), CALL(newfstatat),
	CALL(statx), CALL(statfs), CALL(fstatfs), CALL(access), CALL(faccessat),
	CALL(faccessat2), CALL(getdents64), CALL(readlink), CALL(readlinkat), CALL(getcwd),
	CALL(mkdir), CALL(mkdirat), CALL(rmdir), CALL(unlink), CALL(unlinkat), CALL(rename),
	CALL(renameat), CALL(renameat2), CALL(ftruncate), CALL(fallocate), CALL(fsync),
	CALL(fdatasync), CALL(fchmod), CALL(umask), CALL(inotify_init1),
	CALL(inotify_add_watch), CALL(inotify_rm_watch),
	/* sockets; which kinds is said below */
	CALL(bind), CALL(connect), CALL(listen), CALL(accept), CALL(accept4), CALL(shutdown),
	CALL(getsockname), CALL(getpeername), CALL(getsockopt), CALL(setsockopt),
	CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg),
	CALL(recvmmsg),
	/* the loop */
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6),
	CALL(eventfd2), CALL(timerfd_create), CALL(timerfd_settime), CALL(signalfd4),
	/* time */
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(gettimeofday),
	CALL(nanosleep), CALL(time),
	/* signals and the end */
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack),
	CALL(restart_syscall), CALL(tgkill), CALL(exit), CALL(exit_group),
	/* threads of libraries; how they start is said below */
	CALL(futex), CALL(set_robust_list), CALL(rseq), CALL(sched_yield),
	CALL(sched_getaffinity),
	/* questions */
	CALL(getpid), CALL(gettid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid),
	CALL(uname), CALL(sysinfo), CALL(getrandom),
};

static const int families[] = { AF_UNIX, AF_NETLINK, AF_INET, AF_INET6 };

/* Of descriptors, terminals and interfaces. */
static const unsigned int ioctls[] = {
	FIONBIO, FIOCLEX, FIONREAD, TCGETS, SIOCGIFNAME, SIOCGIFINDEX,
	SIOCGIFHWADDR, SIOCGIFFLAGS, SIOCGIFMTU, SIOCETHTOOL,
};
/* clang-format on */

static int allow_arguments(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(families); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1,
				       SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)families[i]));
	for (size_t i = 0; !err && i < COUNT(ioctls); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, ioctls[i]));
	/* A thread, never a process. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* Its arguments can't be looked at; the C library then takes clone. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	return err;
}

/* A library or a kernel that doesn't know one of these goes without it. */
static int set_attributes(scmp_filter_ctx filter)
{
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree in place of a list */
	return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
}

static int fill(scmp_filter_ctx filter)
{
	int err = set_attributes(filter);

	for (size_t i = 0; !err && i < COUNT(allowed); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	return err ? err : allow_arguments(filter);
}

int seccomp_apply(enum seccomp_mode mode)
{
	uint32_t otherwise = mode == SECCOMP_MODE_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx filter;
	int err;

	if (mode == SECCOMP_MODE_OFF)
		return 0;
	filter = seccomp_init(otherwise);
	if (!filter)
		return -ENOMEM;
	err = fill(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
