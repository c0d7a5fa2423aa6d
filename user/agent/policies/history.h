/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last policies that came into force, as texts, in the state directory. */
#ifndef AGENT_POLICIES_HISTORY_H
#define AGENT_POLICIES_HISTORY_H

#include "agent/control/caller.h"
#include "agent/policies/policy_version.h"
#include "util/source.h"

#define HISTORY_DIRECTORY "history"
#define HISTORY_BACK      10 /* policies before the newest */

/* It is the newest from now on, unless it is that already; the oldest goes.  -errno. */
int history_add(const char *state_dir, const struct loaded_policy *loaded,
		const struct caller *who);

/* The one @back before the newest.  -ENOENT, or another error, with a sentence in @reterr. */
int history_read(const char *state_dir, unsigned int back, source_list *ret, struct text *reterr);

#endif
