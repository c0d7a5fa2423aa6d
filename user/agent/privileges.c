/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/privileges.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#include <cap-ng.h>

#include "util/log.h"

/* Before 5.8, and in containers whose runtime does not know it, there is no CAP_BPF to keep. */
static unsigned int bpf_capability(void)
{
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ? CAP_BPF : CAP_SYS_ADMIN;
}

/* Bounds first: narrowing them takes a capability (CAP_SETPCAP; without it they stay). */
static bool keep_capabilities(void)
{
	const capng_type_t held = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	unsigned int bpf;

	if (capng_get_caps_process())
		return false;
	bpf = bpf_capability();
	capng_clear(CAPNG_SELECT_ALL);
	return !capng_updatev(CAPNG_ADD, held, CAP_NET_ADMIN, bpf, -1) &&
	       !capng_apply(CAPNG_SELECT_BOUNDS) && !capng_apply(CAPNG_SELECT_CAPS) &&
	       !capng_apply(CAPNG_SELECT_AMBIENT);
}

static int fail(const char *what, struct text *reterr)
{
	int err = errno ? errno : EPERM;

	text_addf(reterr, "cannot %s: %s", what, strerror(err));
	return -err;
}

int privileges_drop(enum seccomp_mode mode, struct text *reterr)
{
	int err;

	errno = 0;
	if (!keep_capabilities())
		return fail("give capabilities away", reterr);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail("renounce new privileges", reterr);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail("forbid dumps", reterr);
	err = seccomp_apply(mode);
	if (err)
		log_warning("msg=\"system calls are not filtered\" error=\"%s\"", strerror(-err));
	else
		log_info("msg=\"privileges given away\" seccomp=%s", seccomp_mode_word(mode));
	return 0;
}
