/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is called what: scopes over all files, duplicates, references, the syntax of a name. */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/diag.h"
#include "util/numbering.h"
#include "util/vec.h"

enum name_kind {
	NAME_ZONE,
	NAME_WORKLOAD,
	NAME_POD,  /* Kubernetes names these: no further demands; the index is a workload's */
	NAME_NODE, /* that, too */
	NAME_SERVICE,
	NAME_RULE,
	NAME_NEVER,
};

/* Zones and workloads share a scope. */
enum name_scope {
	SCOPE_MEMBERS,
	SCOPE_SERVICES,
	SCOPE_RULES,
	SCOPE_NEVERS,
	SCOPE_COUNT
};

struct name {
	const char *text; /* not owned */
	enum name_kind kind;
	size_t index; /* in its list of the policy */
	struct span at;
};

struct scope {
	struct numbering numbers; /* of names, by their texts */
	VEC(struct name) names;
	size_t letters; /* of them all */
};

struct names {
	struct diags *diags;
	struct scope scopes[SCOPE_COUNT];
	size_t effort;      /* that suggestions have cost so far; the first ones help most */
	bool is_incomplete; /* a file couldn't be read: what is unknown may stand in it */
};

void names_init(struct names *n, struct diags *diags);

/* So many more of a scope are to come. */
void names_expect(struct names *n, enum name_scope scope, size_t count);

/* A text of that length will soon be defined, or looked for: memory takes a while. */
void names_prefetch(const struct names *n, enum name_scope scope, const char *text, size_t len);

/* Reports a name that is no name, is reserved or is taken; a good one is known from then on. */
void names_define(struct names *n, const struct name *name);

/* NULL if there is none. */
const struct name *names_find(const struct names *n, enum name_scope scope, const char *text);

/* "unknown <what> '...'", with the name of the scope that was likely meant. */
void names_unknown(struct names *n, enum name_scope scope, const char *what, const char *text,
		   struct span at);

/* "a zone", "a workload", ... */
const char *name_kind_word(enum name_kind kind);

void names_release(struct names *n);

#endif
