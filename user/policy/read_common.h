/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the readers of documents share: one run over all files, in two passes. */
#ifndef POLICY_READ_COMMON_H
#define POLICY_READ_COMMON_H

#include "policy/model.h"
#include "policy/names.h"
#include "policy/read_once.h"
#include "policy/schema.h"
#include "util/text.h"

enum spec_key {
	SPEC_MODE,
	SPEC_ZONES,
	SPEC_WORKLOADS,
	SPEC_SERVICES,
	SPEC_RULES,
	SPEC_NEVER,
	SPEC_EXPECT,
	SPEC_FAILSAFE,
	SPEC_AGENT_DOWN,
	SPEC_KEYS
};

/* A ZonePolicy whose rules and promises are still to be read. */
struct zone_policy {
	const struct node *spec[SPEC_KEYS];
	size_t kubernetes; /* which waiting policy of Kubernetes it is instead; POLICY_NONE: none */
};

/* A workload's zone, which is defined further down, or nowhere. */
struct zone_reference {
	size_t workload;
	const char *name;
	struct span at;
};

#define LABEL_MAX 317 /* bytes; a DNS prefix, a slash and a name, as Kubernetes has them */

struct kubernetes;

struct reader {
	struct policy *policy;
	struct kubernetes *kubernetes;
	struct diags *diags;
	struct names names;
	struct read_once once;
	enum mode mode;         /* spec.mode of the document that is read */
	enum stance agent_down; /* its spec.whenAgentIsDown */
	size_t ranges;          /* of services that rules and promises hold so far */
	bool is_full;           /* a bound is exceeded: nothing more is read */
	VEC(struct zone_policy) documents;
	VEC(struct zone_reference) zones;
	placed_prefixes prefixes;   /* scratch */
	struct yaml_word zone_word; /* of the last workload that was read from its words */
	size_t zone;                /* which that is; POLICY_NONE: it isn't known */
	struct yaml entry;          /* that is read */
	enum yaml_folding folding;
	size_t folded; /* entries that nobody has read yet */
};

void reader_init(struct reader *r, struct policy *p, struct diags *d);
void reader_release(struct reader *r);

/* Whether the document says so. */
bool is_zone_policy(const struct node *root);

/*
 * First pass: what the document defines.  Its nodes outlive the second pass; those of a ZonePolicy
 * may be folded.
 */
void read_document(struct reader *r, const struct node *root);

/* Second pass, with every name known: what refers to it, over all documents. */
void read_references(struct reader *r);

/* What schema_read() says of an entry, which may be folded. */
bool read_entry_keys(struct reader *r, const struct node *n, const struct schema *s,
		     const struct node **values);

/* A word of a folded entry as a node, until the next entry is read. */
const struct node *read_word(struct reader *r, const struct node *entry,
			     const struct yaml_word *word);

/* An entry of spec.workloads. */
void read_workload(struct reader *r, const struct node *n);

/* NULL if neither is given. */
struct selector *read_member_pods(struct reader *r, const struct node *namespaces,
				  const struct node *pods);

/* Entries of spec.failsafe, spec.rules, spec.never and spec.expect. */
void read_failsafe(struct reader *r, const struct node *n);
void read_rule(struct reader *r, const struct node *n);
void read_never(struct reader *r, const struct node *n);
void read_expect(struct reader *r, const struct node *n);

/* NULL if there is an error in it. */
struct selector *read_selector(struct reader *r, const struct node *n);
struct selector *read_selector_word(struct reader *r, const struct node *entry,
				    const struct yaml_word *word);

/* An index into policy.zones, POLICY_NONE if there is an error. */
size_t read_zone_name(struct reader *r, const char *text, struct span at);

/* Services, named ones too; normalised.  @written, if any, gets the list as its author wrote it. */
void read_services(struct reader *r, const struct node *n, services *out, struct text *written);

/* Those of a rule, by a node, which may be NULL, or as they are written in a folded entry. */
struct services_once read_rule_services(struct reader *r, const struct node *n);
struct services_once read_services_word(struct reader *r, const struct node *entry,
					const struct yaml_word *word);

/* Ports alone, without named services; normalised. */
void read_ports(struct reader *r, const struct node *n, services *out);

/* Defines a name; its text is the caller's to free, "" where @n is NULL. */
char *read_name(struct reader *r, enum name_kind kind, size_t index, const struct node *n);

/* The same, with a text that is kept in policy.memory; that of @name has @len bytes, and no NUL. */
char *keep_name(struct reader *r, const struct name *name, size_t len);
char *keep_node_name(struct reader *r, enum name_kind kind, size_t index, const struct node *n);

/* A copy in policy.memory. */
char *keep_text(struct reader *r, const struct node *n);
char *keep_word(struct reader *r, const struct yaml_word *word);

void read_prefixes(struct reader *r, const struct node *n, placed_prefixes *out);

/* Whether it may be a label's key, or its value; false with an error. */
bool read_label_key(struct reader *r, const struct node *n);
bool read_label_value(struct reader *r, const struct node *n);

#define LABEL_WORDS_MAX 16

/* Labels as they are written in a folded entry. */
struct label_words {
	size_t count;
	struct yaml_label items[LABEL_WORDS_MAX];
};

/* Where there are @word's; false for what only nodes can tell whether it is wrong. */
bool read_label_words(const struct yaml_word *word, struct label_words *ret);

/* Whether some character must not reach a terminal. */
bool read_has_controls(const char *s, size_t len);

/* What a label expression's operator says; false with an error. */
bool read_operator(struct reader *r, const struct node *n, enum requirement_kind *ret);

/* NULL @n: no change. */
void read_mode(struct reader *r, const struct node *n, enum mode *ret);

#endif
