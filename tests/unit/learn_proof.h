/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What must hold of every proposal, for tests and the fuzzer. */
#ifndef UNIT_LEARN_PROOF_H
#define UNIT_LEARN_PROOF_H

#include <string.h>

#include "policy/learn.h"
#include "policy/load.h"
#include "policy/promise.h"

/* How many recorded connections no rule of @c allows; with @is_alone, those that the default does,
 * too. */
static inline uint64_t learn_unallowed(const struct compiled *c, const struct recording *r,
				       bool is_alone)
{
	uint64_t count = 0;

	vec_foreach (k, &r->connections) {
		struct decision d = recorded_decide(c, r, k);

		if (d.verdict != BH_VERDICT_ALLOW || (is_alone && !d.rule))
			count++;
	}
	return count;
}

/*
 * NULL if the proposal @yaml loads together with the policy @text (NULL: none), breaks no promise,
 * and allows all that was recorded but what was refused; else what isn't so.
 */
static inline const char *learn_proof(const char *text, const struct recording *r,
				      const struct learned *learned, const char *yaml)
{
	struct source sources[2];
	size_t count = 0;
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;
	_compiled_ struct compiled *c = NULL;
	uint64_t refused = 0;

	if (text)
		sources[count++] = source_of("t.yaml", text, strlen(text));
	sources[count++] = source_of("learned.yaml", yaml, strlen(yaml));
	if (policy_load_sources(sources, count, &d, &p))
		return "it does not load";
	if (policy_compile(p, &(struct environment){}, &d, &c))
		return "it does not compile";
	if (promise_check_never(c, &d) + promise_check_expect(c, &d))
		return "it breaks a promise";
	vec_foreach (refusal, &learned->refusals)
		refused += refusal->support.connections;
	if (learn_unallowed(c, r, !text) != refused + learned->left_out)
		return "it does not allow all that was recorded and not refused";
	return NULL;
}

#endif
