/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Proposes the rules that would allow what was recorded and the policy does not. */
#ifndef POLICY_LEARN_H
#define POLICY_LEARN_H

#include "policy/learn_guard.h"

/* What a rule or a refusal stands for. */
struct support {
	uint64_t events;
	uint64_t connections;
	uint64_t first_ns, last_ns; /* 0: not told */
};

struct learned_rule {
	char *name;
	VEC(struct party) from, to; /* none is within another */
	services services; /* not merged where they touch: a range is one that was widened */
	struct support support;
};

/* Connections that no rule may allow. */
struct refusal {
	struct party from, to;
	struct service_range service;
	struct cause cause;
	struct support support;
};

/* Ports that became a range. */
struct widened_ports {
	struct party to;
	struct service_range range;
	size_t ports; /* distinct ones that were seen */
};

/* More is not proposed, and nobody would read it. */
#define LEARN_TRIPLES_MAX 250000

struct learned {
	VEC(struct learned_rule) rules;
	VEC(struct refusal) refusals;
	VEC(struct widened_ports) widened;
	struct support support; /* of all that was recorded */
	uint64_t left_out;      /* connections past LEARN_TRIPLES_MAX different ones by name */
};

/*
 * Every connection of @r that @c doesn't allow by a rule of its own or by its modes; for a policy
 * without documents every connection there is.  Ends are named by workload, else by zone, else by
 * address, and by address where the wider name would break a promise.  Eight or more addresses
 * outside become their common prefix or `outside`; ten or more ports above 32767 of one
 * destination their range.
 *
 * What is found so are triples (from, to, service), of which none is within another.  Rules are
 * boxes of them, from-list x to-list x service-list, that hold exactly what was found: boxes that
 * differ in one list only are joined until none are left.  Which list is joined first matters, so
 * for each part of the triples that can be joined at all the six orders are tried, and the fewest
 * boxes win.
 */
void learn(const struct compiled *c, const struct recording *r, struct learned *ret);
void learned_release(struct learned *l);
#define _learned_ _cleanup_(learned_release)

/*
 * A ZonePolicy document with the rules only, what supports them and what was refused as comments.
 * Nothing that was recorded is in it but addresses, numbers and times.
 */
void learned_yaml(const struct compiled *c, const struct learned *l, struct text *out);
void learned_json(const struct compiled *c, const struct learned *l, struct text *out);

#endif
