/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answers of protocol.h, one function an operation.  Each writes whole lines, the last
 * included. */
#ifndef AGENT_CONTROL_ANSWER_H
#define AGENT_CONTROL_ANSWER_H

#include <bulkhead/counters.h>

#include "agent/parts.h"
#include "util/json.h"

void answer_status(struct agent *a, struct text *out);
void answer_apply(struct agent *a, struct request *request, struct text *out);
void answer_reload(struct agent *a, const struct request *request, struct text *out);
void answer_rollback(struct agent *a, const struct request *request, struct text *out);
void answer_confirm(struct agent *a, const struct request *request, struct text *out);
void answer_allow(struct agent *a, const struct request *request, struct text *out);

/* Without the last line if the client follows. */
void answer_observe(struct agent *a, const struct request *request, struct text *out);

/* What became of all events, by verdict, reason and CPU, of one reading: it balances. */
void answer_books(struct agent *a, struct json *j);

void answer_list(struct agent *a, enum list_subject what, struct text *out);
void list_endpoints(struct agent *a, struct text *out);
void list_identities(struct agent *a, struct text *out);
void list_rules(struct agent *a, struct text *out);
void list_connections(struct agent *a, struct text *out);

/* --- what several answers have --- */

/* "{"ok":true", to be closed with json_end() and a newline. */
struct json answer_ok_begin(struct text *out);
void answer_ok(struct text *out);
void answer_count(struct json *j, const char *key, const struct bh_count *count);
void answer_book(struct json *j, const struct books *books);         /* members of an open object */
void answer_time(struct json *j, const char *key, uint64_t wall_ns); /* 0: null */

/* Reads the policy's paths again and puts it in force; what SIGHUP does too. */
int agent_reload(struct agent *a, struct text *diagnostics, struct text *reterr);

#endif
