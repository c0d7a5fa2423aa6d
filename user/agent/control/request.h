/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A request of the control protocol (protocol.h), read strictly. */
#ifndef AGENT_CONTROL_REQUEST_H
#define AGENT_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/control/caller.h"
#include "util/source.h"
#include "util/text.h"
#include "util/vec.h"

#define REQUEST_LAST 20 /* events, if the client doesn't say */

/* clang-format off */
#define REQUEST_OPS(X)          \
	X(STATUS,   "status")   \
	X(LIST,     "list")     \
	X(OBSERVE,  "observe")  \
	X(APPLY,    "apply")    \
	X(RELOAD,   "reload")   \
	X(ROLLBACK, "rollback") \
	X(CONFIRM,  "confirm")  \
	X(ALLOW,    "allow")

#define LIST_SUBJECTS(X)                   \
	X(ENDPOINTS,   "endpoints")        \
	X(IDENTITIES,  "identities")       \
	X(RULES,       "rules")            \
	X(CONNECTIONS, "connections")
/* clang-format on */

enum request_op {
#define X(id, word) REQUEST_##id,
	REQUEST_OPS(X)
#undef X
};

enum list_subject {
#define X(id, word) LIST_##id,
	LIST_SUBJECTS(X)
#undef X
};

struct request {
	enum request_op op;
	enum list_subject what;
	uint64_t last;
	bool follow;
	bool alerts;  /* not events */
	bool packets; /* those of the events, too */
	bool dry_run;
	bool force;         /* even if it cuts the operator's own session */
	bool strict;        /* not if it denies what was only audited */
	uint64_t confirm_s; /* 0: it needs no confirmation */
	uint64_t back;      /* policies */
	uint64_t for_s;
	char *ssh; /* as SSH_CONNECTION; or NULL */
	char *from, *to, *service, *reason;
	VEC(struct source) sources;
	struct caller caller; /* whoever asks; not read from the line */
};

/*
 * One line without its newline.  -EINVAL with a sentence in @reterr; a key that the operation does
 * not have is refused, as it might have asked for less than what would happen.
 */
int request_parse(const char *line, size_t len, struct request *ret, struct text *reterr);
void request_release(struct request *r);

#endif
