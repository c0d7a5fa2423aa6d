/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy is made ready: read, compiled, its promises checked.  What that takes is all in here, or
 * in the files that it is told the paths of: preparation_run() looks at nothing else and changes
 * nothing else, so that it may run in a thread of its own (policy_job.h).
 */
#ifndef AGENT_POLICIES_PREPARATION_H
#define AGENT_POLICIES_PREPARATION_H

#include "agent/policies/policy_version.h"

/* An error, or another place of the one before it. */
struct policy_fault {
	char *source; /* a text's name; NULL: it is in none */
	char *line;
	unsigned int column;
	char *message;
	bool is_note;
};

typedef VEC(struct policy_fault) policy_faults;

/* Borrowed is what nobody else changes before it has run. */
struct preparation {
	struct loaded_policy *loaded; /* borrowed: has been read; NULL: it is of what follows */
	const char *const *paths;     /* borrowed: files and directories to read, or names */
	size_t path_count;
	source_list texts;                /* read instead, if there are any */
	bool is_of_texts;                 /* there were, as it began to run */
	source_list temporaries;          /* texts of temporary rules */
	const struct kube_table *objects; /* borrowed: of every kind; NULL: there is no cluster */
	const struct compiled *old;       /* borrowed, as in policy_recompile() */
	VEC(struct bh_addr) host;         /* who `host` is */
	int64_t now;                      /* seconds since 1970 */
	bool is_listed;            /* objects take the place of those of a cluster in the texts */
	bool is_whole;             /* refused if it doesn't fit with the temporary rules */
	bool is_audit;             /* the policy only reports */
	bool is_released;          /* from its promises */
	bool (*go_on)(void *user); /* between its parts; false: nobody wants it any more */
	void *user;

	/* What came of it. */
	int err; /* -EINVAL, -E2BIG: see diagnostics; -ECANCELED: it was not gone on with */
	struct policy_version *version; /* unless it failed */
	struct text diagnostics;        /* all that is wrong */
	policy_faults faults;           /* errors of that, as far as they are kept */
};

/* clang-format off */
#define PREPARATION_INIT {.diagnostics = TEXT_INIT}
/* clang-format on */

/* If temporary rules are what is wrong, it goes without them, and says so. */
void preparation_run(struct preparation *p);

void preparation_release(struct preparation *p);
#define _preparation_ _cleanup_(preparation_release)

#endif
