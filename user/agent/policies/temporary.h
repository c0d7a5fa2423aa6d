/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules for an hour or so, beside whatever policy is in force; kept across restarts. */
#ifndef AGENT_POLICIES_TEMPORARY_H
#define AGENT_POLICIES_TEMPORARY_H

#include "agent/policies/history.h"

#define TEMPORARY_FILE "temporary.json" /* in the state directory */

struct temporary {
	struct source source; /* a document with the one rule, named as the rule is */
	int64_t expires;      /* seconds since 1970 */
	int64_t until_boot_s; /* since the machine started; 0: not yet known */
};

struct temporaries {
	VEC(struct temporary) list;
};

struct temporary_request {
	const char *from, *to; /* names or addresses */
	const char *service;
	int64_t expires;
};

/* Adds one in memory, under a name that none of them has; the caller saves. */
void temporaries_add(struct temporaries *t, const struct temporary_request *r);

/* Takes the newest back. */
void temporaries_drop(struct temporaries *t);

/*
 * How many have ended by now; they are gone.  A wall clock that is set back makes none last longer
 * than was left of it when it was first seen here.
 */
size_t temporaries_expire(struct temporaries *t, int64_t wall_s, int64_t boot_s);

/* Their documents, to be read after those of a policy. */
void temporaries_texts(const struct temporaries *t, source_list *ret);

/* What was not saved is lost in a restart; a file that can't be read counts as none.  -errno. */
int temporaries_save(const struct temporaries *t, const char *state_dir);
int temporaries_load(struct temporaries *t, const char *state_dir);
void temporaries_release(struct temporaries *t);

#endif
