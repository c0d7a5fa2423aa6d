/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy as its author wrote it: zones, workloads, services, rules, promises, each with its
 * place. Names are resolved; nothing is compiled.  Everything is owned by struct policy.
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>
#include <bulkhead/verdict.h>

#include "util/address.h"
#include "util/source.h"
#include "util/vec.h"

#define POLICY_MAX_RULES 1000000
#define POLICY_NAME_MAX  100 /* characters in a name */
#define POLICY_NONE      SIZE_MAX

/* Ranges of services that all rules and promises may hold: named services multiply. */
#define POLICY_MAX_RANGES 16000000

enum mode {
	MODE_UNSET,
	MODE_ENFORCE,
	MODE_AUDIT,
	MODE_OFF,
};

/* What a zone is to lint and detection; its name tells if it doesn't say. */
enum zone_role {
	ROLE_UNSET,
	ROLE_INTERNET,
	ROLE_FRONT,
	ROLE_INTERNAL,
	ROLE_DATA,
	ROLE_MANAGEMENT,
};

struct placed_prefix {
	struct prefix prefix;
	struct span at;
};
typedef VEC(struct placed_prefix) placed_prefixes;

struct zone {
	char *name;
	struct span at; /* of the name */
	placed_prefixes prefixes;
	enum mode mode; /* its own, else the spec.mode of its document; MODE_ENFORCE by default */
	enum zone_role role;
};

struct label {
	char *key;
	char *value;
	struct span at;
};
typedef VEC(struct label) labels;

struct workload {
	char *name;
	struct span at;
	size_t zone; /* index into policy.zones; POLICY_NONE: that of each address's longest zone
			prefix */
	placed_prefixes prefixes;
	labels labels;
	enum mode mode;          /* its own; MODE_UNSET: its zone's */
	enum mode document_mode; /* the spec.mode of its document, for addresses in no zone */
};

/* Numbers lo..hi of a table; for ICMP type << 8 | code. */
struct service_range {
	enum bh_service_table table;
	uint16_t lo, hi; /* inclusive */
};

/* Sorted by table and lo, merged: no two ranges touch. */
typedef VEC(struct service_range) services;

struct named_services {
	char *name;
	struct span at;
	services services;
};

enum requirement_kind {
	REQUIRE_IN,
	REQUIRE_NOT_IN, /* holds where the key is absent */
	REQUIRE_EXISTS,
	REQUIRE_NOT_EXISTS,
};

struct requirement {
	enum requirement_kind kind;
	char *key;
	VEC(char *) values;
};

enum selector_kind {
	SELECT_ANY,      /* every address, outside included */
	SELECT_OUTSIDE,  /* addresses in no zone and no workload */
	SELECT_HOST,     /* addresses of this machine */
	SELECT_ZONE,     /* zone */
	SELECT_WORKLOAD, /* workload */
	SELECT_LABELS,   /* requirements, all of them; workloads only */
	SELECT_CIDR,     /* prefix without except; whoever owns the address */
	SELECT_EXCEPT,   /* all but children[0] */
	SELECT_ALL_OF,   /* every child */
	SELECT_ONE_OF,   /* any child */
};

struct selector {
	enum selector_kind kind;
	struct span at;
	size_t zone;
	size_t workload;
	VEC(struct requirement) requirements;
	struct prefix prefix;
	placed_prefixes except;
	VEC(struct selector *) children;
};

enum action {
	ACTION_ALLOW,
	ACTION_DENY,
};

struct rule {
	char *name;
	struct span at;
	struct selector *from;
	struct selector *to;
	services services;
	char *service_text; /* as written, joined with ", ", for people */
	enum action action;
	bool log;
};

/* A promise: no pair and service that it spans may be decided allow. */
struct never {
	char *name;
	struct span at;
	struct selector *from;
	struct selector *to;
	services services; /* everything, if omitted */
};

/* A test: every pair and service that it spans gets this verdict. */
struct expect {
	struct span at;
	struct selector *from;
	struct selector *to;
	services services;
	enum bh_verdict verdict;
};

struct policy {
	VEC(struct source *) sources; /* the texts that spans point into */
	size_t documents;
	VEC(struct zone) zones;
	VEC(struct workload) workloads;
	VEC(struct named_services) services;
	VEC(struct rule) rules; /* in file order, which is the order of naming */
	VEC(struct never) nevers;
	VEC(struct expect) expects;
};

struct policy *policy_new(void);
void policy_free(struct policy *p);
void policy_freep(struct policy **p);
#define _policy_ _cleanup_(policy_freep)

struct selector *selector_new(enum selector_kind kind, struct span at);
void selector_free(struct selector *s);

/* Whether a set of labels satisfies every requirement. */
bool selector_labels_match(const struct selector *s, const labels *own);

const char *mode_word(enum mode mode);      /* NULL for MODE_UNSET */
const char *role_word(enum zone_role role); /* NULL for ROLE_UNSET */

#endif
