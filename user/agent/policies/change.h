/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Another policy: what it would do, whether it may, and how it comes into force. */
#ifndef AGENT_POLICIES_CHANGE_H
#define AGENT_POLICIES_CHANGE_H

#include "agent/control/caller.h"
#include "agent/control/cuts.h"
#include "agent/parts.h"
#include "agent/policies/audited.h"

/* What is wanted, by whom. */
struct wish {
	const char *command;      /* for the audit log */
	const struct caller *who; /* NULL: the agent */
	struct policy_input input;
	bool is_dry_run;
	bool is_forced; /* whatever it cuts */
	bool is_strict; /* unless it would drop what was only audited */
	bool is_quiet;  /* nobody is told what it would cut */
	const char *session;
	uint64_t confirm_s; /* 0: it is to stay */
};

/* What came of it. */
struct change {
	struct policy_version *next; /* until it is in force */
	struct text diagnostics;     /* what is wrong with the policy */
	struct text error;           /* why it is not in force */
	struct text diff;            /* JSON: the lines, or null */
	struct text summary;         /* the same for the audit log */
	bool is_promotion;           /* what was audited is denied */
	struct cuts cuts;
	struct audited_drops drops;
};

/* clang-format off */
#define CHANGE_INIT                                                                                \
	{                                                                                          \
		.diagnostics = TEXT_INIT, .error = TEXT_INIT, .diff = TEXT_INIT,                   \
		.summary = TEXT_INIT                                                               \
	}
/* clang-format on */
#define _change_ _cleanup_(change_release)

/* In force, or as good as: 0; else -errno, and everything is as it was.  Told in the audit log. */
int change_make(struct agent *a, const struct wish *wish, struct change *ret);
void change_release(struct change *c);

/* The hash of the policy in force; NULL: there is none. */
const char *policy_hash(const struct agent *a);

/* The policy in force is the newest that can be gone back to; temporary rules that it doesn't have
 * are over. */
void change_settled(struct agent *a, const struct caller *who);

#endif
