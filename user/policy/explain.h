/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Answers "what happens to a connection from A to B, and why". */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/sides.h"
#include "util/text.h"

struct question {
	const char *from; /* a zone, a workload, or an address */
	const char *to;
	const char *service;
};

struct answer {
	bool is_mixed; /* the names span several classes that get different verdicts */
	struct decision decision;
	VEC(uint32_t) src_classes; /* that the names span, of one family or both */
	VEC(uint32_t) dst_classes;
	services services;
};

/* 0; -EINVAL with a sentence in @reterr when a name or the service is unknown or families are
 * mixed. */
int explain_ask(const struct compiled *c, const struct question *q, struct answer *ret,
		struct text *reterr);
void answer_release(struct answer *a);

/* What one side says, if it says the same of all that is asked, and no built-in answers. */
struct answer_side {
	bool is_known;
	struct side_view view;
	char *since; /* of a denial by default: "it is in zone data" */
};

struct answer_sides {
	struct answer_side src, dst;
};

void explain_sides(const struct compiled *c, const struct question *q, const struct answer *a,
		   struct answer_sides *ret);
void answer_sides_release(struct answer_sides *s);

/*
 * The answer for people, several lines: verdict and rule with FILE:LINE, what each side says where
 * no one rule can serve both, both ends (zone, workload, mode), for a denial by default the nearest
 * rule ("'api-to-db' matches except port: 5433, allows 5432"), and why some others with an end in
 * common don't decide.
 */
void explain_describe(const struct compiled *c, const struct question *q, const struct answer *a,
		      struct text *out);

/*
 * The rule that came nearest to allowing (source class, destination class, service), for a denial
 * by default: its number, or 0 if none has both ends or one end and the service.  @out gets the
 * difference: "port 5433, allows 5432".
 */
uint32_t explain_nearest(const struct compiled *c, uint32_t src_class, uint32_t dst_class,
			 enum bh_service_table table, uint16_t number, struct text *out);

#endif
