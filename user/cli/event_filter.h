/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which events `observe` shows: terms of one field are or-ed, fields are and-ed, `--not` negates a
 * term. */
#ifndef CLI_EVENT_FILTER_H
#define CLI_EVENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/options.h"
#include "util/address.h"

struct event_field;

struct event_term {
	const struct event_field *field;
	const char *value; /* borrowed */
	bool is_negated;
	bool is_prefix; /* the value is an address or prefix: this one */
	struct prefix prefix;
};

/* A zeroed one lets everything through. */
struct event_filter {
	VEC(struct event_term) terms;
	uint64_t since_ns; /* 0: any time */
	uint64_t until_ns;
};

/*
 * Adds the term of an option of `observe`: type, verdict, from, to, ip, port, protocol, reason,
 * rule, interface, namespace.  -EINVAL with a sentence in @reterr for a value that no event can
 * have.
 */
int event_filter_add(struct event_filter *f, const char *field, const char *value, bool is_negated,
		     struct text *reterr);

/* The terms among the options given, with "not" before what it negates; others are passed over. */
int event_filter_read(struct event_filter *f, const struct arguments *args, struct text *reterr);

bool event_filter_matches(const struct event_filter *f, const cJSON *event);
/* Whether the field may have this value by a term, and whether it may have no other. */
bool event_filter_names(const struct event_filter *f, const char *field, const char *value);
bool event_filter_wants_only(const struct event_filter *f, const char *field, const char *value);
bool event_filter_is_empty(const struct event_filter *f);
void event_filter_release(struct event_filter *f);
#define _event_filter_ _cleanup_(event_filter_release)

#endif
