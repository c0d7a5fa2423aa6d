/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live connections that a policy would cut, by the rule that lets them through now. */
#ifndef AGENT_CONTROL_CUTS_H
#define AGENT_CONTROL_CUTS_H

#include "agent/parts.h"
#include "util/json.h"

#define CUT_EXAMPLES 3 /* of a rule */

struct cut_rule {
	char *name;
	uint64_t count;
	VEC(char *) examples; /* "app 10.0.16.10:51514 -> db 10.0.32.10:7001 tcp" */
};

struct cuts {
	uint64_t count; /* a connection that two endpoints see is one */
	VEC(struct cut_rule) rules;
	bool has_session; /* the operator's own */
};

/* @session: of the operator, as SSH_CONNECTION has it; NULL: none. */
void cuts_find(struct agent *a, const struct policy_version *next, const char *session,
	       struct cuts *ret);
void cuts_json(const struct cuts *cuts, struct json *j, const char *key);
void cuts_release(struct cuts *cuts);
#define _cuts_ _cleanup_(cuts_release)

/* The ends of "CLIENT PORT SERVER PORT", in that order; false if it is none such. */
bool session_parse(const char *s, struct bh_addr ret_addr[2], uint16_t ret_port[2]);

#endif
