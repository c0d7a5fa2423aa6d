/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which system calls the agent may still make once it enforces. */
#ifndef AGENT_SECCOMP_H
#define AGENT_SECCOMP_H

/*
 * What happens to any other call.  It never ends the agent: one that was forgotten here must not
 * leave a machine without it.
 */
#define SECCOMP_MODES(X)                                                                           \
	X(ERRNO, "errno") /* it fails with EPERM, and the kernel's log names it */                 \
	X(LOG, "log")     /* it is made, and the kernel's log names it: to find what is missing */ \
	X(OFF, "off")     /* there is no filter */

enum seccomp_mode {
#define X(id, word) SECCOMP_MODE_##id,
	SECCOMP_MODES(X)
#undef X
};

/* NULL and "" are the first one; -EINVAL. */
int seccomp_mode_parse(const char *word, enum seccomp_mode *ret);
const char *seccomp_mode_word(enum seccomp_mode mode);

/* For all threads, and for good.  -errno, e.g. of a kernel that has no filters. */
int seccomp_apply(enum seccomp_mode mode);

#endif
