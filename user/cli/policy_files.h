/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy of files, read and compiled without an agent, for the commands that ask it something. */
#ifndef CLI_POLICY_FILES_H
#define CLI_POLICY_FILES_H

#include "policy/compile.h"
#include "util/cleanup.h"

struct policy_files {
	struct policy *policy;
	struct compiled *compiled;
	struct diags diags; /* points into the policy */
};

/* As of @now (seconds since 1970).  0, or a negative error; what was found is on stderr then. */
int policy_files_load(struct policy_files *f, const char *const *paths, size_t count, int64_t now);
void policy_files_release(struct policy_files *f);
#define _policy_files_ _cleanup_(policy_files_release)

#endif
