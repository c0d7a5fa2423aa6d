/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/policy_files.h"

#include "policy/load.h"

int policy_files_load(struct policy_files *f, const char *const *paths, size_t count, int64_t now)
{
	const struct environment env = {.now = now};
	int err = policy_load(paths, count, &f->diags, &f->policy);

	if (!err)
		err = policy_compile(f->policy, &env, &f->diags, &f->compiled);
	diags_print(&f->diags, stderr);
	return err;
}

void policy_files_release(struct policy_files *f)
{
	compiled_free(f->compiled);
	diags_release(&f->diags);
	policy_free(f->policy);
}
