/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who changed what, and when: a file of JSON lines that only ever grows. */
#ifndef AGENT_POLICIES_AUDIT_H
#define AGENT_POLICIES_AUDIT_H

#include "agent/control/caller.h"

#define AUDIT_FILE "audit.jsonl" /* in the state directory */

/* What was asked, or what the agent did by itself.  Anything may be NULL. */
struct audit_entry {
	const struct caller *who; /* NULL: the agent */
	const char *command;      /* "apply", "automatic-rollback" */
	const char *before;       /* hash of the policy in force */
	const char *after;        /* the same, or what was asked for if it was refused */
	const char *diff;         /* a JSON object */
	const char *outcome;      /* "done", "refused" */
	const char *note;         /* a sentence */
};

/* On disk when it returns; what can't be written is logged: a change doesn't wait for disk space.
 */
void audit_add(const char *state_dir, const struct audit_entry *entry);

#endif
