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
#include "util/arena.h"
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

/* What the kernel does with an end's traffic while the agent is down. */
enum stance {
	STANCE_UNSET,
	STANCE_KEEP, /* the last policy goes on */
	STANCE_OPEN,
	STANCE_CLOSED,
};

struct placed_prefix {
	struct prefix prefix;
	struct span at;
};
typedef VEC(struct placed_prefix) placed_prefixes;

struct selector;

struct zone {
	char *name;
	struct span at; /* of the name */
	placed_prefixes prefixes;
	struct selector *pods; /* SELECT_PODS: these are in the zone too; NULL: none */
	enum mode mode; /* its own, else the spec.mode of its document; MODE_ENFORCE by default */
	enum stance agent_down; /* its own, else its document's */
	enum zone_role role;
};

struct label {
	char *key;
	char *value;
	struct span at;
};
typedef VEC(struct label) labels; /* if the list is kept elsewhere, so are the texts */

/* Numbers lo..hi of a table; for ICMP type << 8 | code. */
struct service_range {
	enum bh_service_table table;
	uint16_t lo, hi; /* inclusive */
};

/* A Kubernetes namespace; one that no document declares has its name as its only label. */
struct namespace
{
	char *name;
	struct span at;
	labels labels;
	enum mode mode; /* of its pods that are in no zone and no workload; MODE_UNSET: enforce */
};

struct named_port {
	char *name;
	struct service_range number; /* of one number */
};

/* The two ends of a connection, as bits. */
enum side {
	SIDE_SRC = 1, /* egress of who opens it */
	SIDE_DST = 2, /* ingress of who is opened to */
	SIDE_BOTH = SIDE_SRC | SIDE_DST,
};

enum workload_kind {
	WORKLOAD_GROUP, /* of a ZonePolicy */
	WORKLOAD_POD,   /* named namespace/pod */
	WORKLOAD_NODE, /* a Kubernetes node, hostNetwork pods included; of no zone but by address */
};

struct workload {
	enum workload_kind kind;
	bool is_kept; /* the name is in policy.memory */
	char *name;
	struct span at;
	size_t zone; /* index into policy.zones; POLICY_NONE: that of each address's longest zone
			prefix */
	placed_prefixes prefixes;
	labels labels;
	enum mode mode;          /* its own; MODE_UNSET: its zone's */
	enum mode document_mode; /* the spec.mode of its document, for addresses in no zone */

	struct selector *pods; /* of a group: SELECT_PODS, these belong to it; NULL: none */

	/* Of a pod; indices are POLICY_NONE elsewhere. */
	size_t space; /* into policy.namespaces */
	size_t group; /* into policy.workloads: the one whose selector contains it */
	size_t node;  /* into policy.workloads: on which it runs */
	VEC(struct named_port) ports;
	uint8_t isolated; /* SIDE_* in which some NetworkPolicy selects it */
};

/* What a new workload points to: nothing. */
#define WORKLOAD_ALONE                                                                             \
	.zone = POLICY_NONE, .space = POLICY_NONE, .group = POLICY_NONE, .node = POLICY_NONE

/* Another name of a workload: a pod in its node's network is that node. */
struct alias {
	char *name;
	size_t workload;
};

/* Sorted by table and lo, merged: no two ranges touch. */
typedef VEC(struct service_range) services;

struct named_services {
	char *name;
	struct span at;
	services services;
	bool is_used; /* some list names it */
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
	SELECT_WORKLOAD, /* workload; a group's pods too */
	SELECT_LABELS,   /* requirements, all of them; groups and pods only */
	SELECT_PODS,     /* requirements, of the namespace too, and a named port; pods only */
	SELECT_NODES,    /* requirements; Kubernetes nodes only */
	SELECT_CIDR,     /* prefix without except; whoever owns the address */
	SELECT_EXCEPT,   /* all but children[0] */
	SELECT_ALL_OF,   /* every child */
	SELECT_ONE_OF,   /* any child */
};

/* All of them must hold.  If the list is kept elsewhere, so is all that it has. */
typedef VEC(struct requirement) requirements;

struct selector {
	enum selector_kind kind : 8;
	bool is_kept : 1; /* it is in policy.memory, with all that it has */
	uint32_t shared;  /* place in policy.shared, plus 1: selector_free() leaves it there */
	struct span at;
	size_t zone;
	size_t workload;
	requirements requirements;
	size_t space;                    /* SELECT_PODS: of this namespace; POLICY_NONE: of any */
	requirements space_requirements; /* SELECT_PODS: of the namespace's labels */
	char *port_name; /* SELECT_PODS: that call this number so; NULL: whatever they call it */
	struct service_range port;
	struct prefix prefix;
	placed_prefixes except;
	VEC(struct selector *) children;
};

enum action {
	ACTION_ALLOW,
	ACTION_DENY,
	ACTION_REJECT, /* deny, and answer */
	ACTION_PASS,   /* ClusterNetworkPolicy: leave it to the tiers below the admin's */
};

/*
 * Which rules stand above which.  Each side of a connection asks the tiers in turn, and both must
 * allow it.
 */
enum tier {
	TIER_FAILSAFE, /* spec.failsafe: allows */
	TIER_ZONE,     /* denies of ZonePolicies */
	TIER_ADMIN,    /* the first rule by `order` that matches decides */
	TIER_NETWORK,  /* allows of ZonePolicies and NetworkPolicies; then the default of who is
			  isolated: in a zone or workload, or selected by a NetworkPolicy */
	TIER_BASELINE, /* as TIER_ADMIN, for who isn't isolated; then allow */
};

struct rule {
	char *name; /* unique among ZonePolicies; "namespace/policy:ingress[0]" of Kubernetes' kinds
		     */
	struct span at;
	uint32_t
		order; /* within TIER_ADMIN and TIER_BASELINE: lower is asked first; no two alike */
	enum tier tier : 4;
	enum mode mode : 4; /* MODE_AUDIT on a deny or reject: it only reports */
	enum action action : 4;
	uint8_t sides : 4; /* SIDE_* for which it speaks: both, but of Kubernetes' kinds */
	bool log : 1;
	bool tls : 1; /* allows, over TCP: a connection must begin with a TLS hello of its opener */
	bool is_kept : 1; /* the texts are in policy.memory */
	int64_t expires;  /* seconds since 1970, from when on it decides nothing; 0: never */
	struct selector *from;
	struct selector *to;
	services services;
	char *service_text; /* as written, joined with ", ", for people */
};

_Static_assert(sizeof(struct rule) == 96, "policies have hundreds of thousands of them");

/* A NetworkPolicy as what isolates pods: those that it selects, on its sides. */
struct isolator {
	char *name; /* "namespace/policy" */
	struct span at;
	struct selector *subject;
	uint8_t sides; /* SIDE_* */
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
	VEC(struct namespace) namespaces;
	VEC(struct workload) workloads; /* groups, pods and nodes */
	VEC(struct alias) aliases;
	VEC(struct named_services) services;
	VEC(struct rule) rules;         /* in file order, which is the order of naming */
	VEC(struct isolator) isolators; /* what set workload.isolated, for people */
	VEC(struct never) nevers;
	VEC(struct expect) expects;
	VEC(struct selector *) shared; /* that several rules, nevers and expects have */
	bool is_audit; /* whoever enforces only reports; not of a file, but of who loads it */
	/* Texts and lists of which a large policy has many; who points here doesn't free them. */
	struct arena memory;
};

struct policy *policy_new(void);
/* All but its sources is as in a new one. */
void policy_clear(struct policy *p);
void policy_free(struct policy *p);
void policy_freep(struct policy **p);
#define _policy_ _cleanup_(policy_freep)

struct selector *selector_new(enum selector_kind kind, struct span at);
/* In a policy's memory; it may point to nothing but that. */
struct selector *selector_keep(struct arena *memory, enum selector_kind kind, struct span at);
void selector_free(struct selector *s);
struct selector *selector_copy(const struct selector *s);

/* Whether a set of labels satisfies every requirement. */
bool requirements_match(const requirements *r, const labels *own);

/* Whether it is about the values of its key, not about the key. */
bool requirement_wants_values(enum requirement_kind kind);

/* Whether a pod or node is in a SELECT_PODS or SELECT_NODES, a group or pod in a SELECT_LABELS. */
bool selector_takes(const struct policy *p, const struct selector *s, const struct workload *w);

bool rule_has_expired(const struct rule *rule, int64_t now);

const char *mode_word(enum mode mode);      /* NULL for MODE_UNSET */
const char *role_word(enum zone_role role); /* NULL for ROLE_UNSET */
/* "unknown" for a number that is none: events bring theirs from the kernel. */
const char *verdict_word(unsigned int verdict);
const char *action_word(enum action action);
const char *workload_kind_word(enum workload_kind kind);
const char *requirement_word(enum requirement_kind kind); /* "NotIn" */
const char *stance_word(enum stance stance);              /* NULL for STANCE_UNSET */

/* What the zone says, else what its name tells. */
enum zone_role zone_role(const struct zone *zone);

#endif
