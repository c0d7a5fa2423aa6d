/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the policy says beside what the wire says.  Pure. */
#ifndef LAB_TRUTH_H
#define LAB_TRUTH_H

#include "lab/events.h"
#include "lab/plan.h"

/* One (from, to), its services as text: "tcp/80, tcp/443 (internet-to-edge)". */
struct truth_row {
	uint16_t from, to; /* stations */
	char *expected;
	char *seen;
	bool is_ok;
};

/* The events that tell the same of the same pair. */
struct truth_drops {
	const char *from, *to; /* a station's name */
	const char *verdict, *rule, *reason;
	services services;      /* that were dropped */
	services others;        /* that were probed, and not dropped like this */
	VEC(const char *) near; /* each once */
	uint64_t count;
	bool is_surprise; /* dropped although the policy lets it through */
};

struct truth {
	VEC(struct truth_row) rows;
	VEC(struct truth_drops) drops; /* by the stations' names, the most drops first */
	uint64_t foreign;       /* events of packets that were not from one station to another */
	size_t probes;          /* repetitions included */
	size_t allowed, denied; /* of @probes, by what was seen */
	size_t mismatches;
};

/* Counts the events of dropped packets of every probe. */
void truth_count_drops(struct lab_plan *plan, const struct lab_events *events);

/* A denial that no event names is as wrong as a verdict: what is dropped is accounted for. */
bool truth_is_ok(const struct lab_probe *p);

/* Borrows from all three; drops must have been counted. */
void truth_make(const struct compiled *c, const struct lab_plan *plan,
		const struct lab_events *events, size_t repetitions, struct truth *ret);
void truth_release(struct truth *t);
#define _truth_ _cleanup_(truth_release)

#endif
