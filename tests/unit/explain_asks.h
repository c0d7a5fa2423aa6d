/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables of questions to explain, and what it must answer. */
#ifndef UNIT_EXPLAIN_ASKS_H
#define UNIT_EXPLAIN_ASKS_H

#include "policy/explain.h"
#include "tests/test.h"
#include "tests/unit/policy_text.h"

struct ask_case {
	const char *name;
	const char *from, *to, *service;
	const char *answer; /* "VERDICT RULE", "mixed", or the error */
};

struct describe_case {
	const char *name;
	const char *from, *to, *service;
	const char *text;
};

static inline void format_answer(const struct compiled *c, const struct answer *a, struct text *out)
{
	static const char *const words[] = {"deny", "allow", "audit"};

	if (a->is_mixed)
		text_add(out, "mixed");
	else
		text_addf(out, "%s %s", words[a->decision.verdict],
			  compiled_rule_name(c, a->decision.rule));
}

static inline void assert_answers(const struct compiled *c, const struct ask_case *asks,
				  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct question q = {asks[i].from, asks[i].to, asks[i].service};
		_text_ struct text out = TEXT_INIT;
		struct answer a;

		if (!explain_ask(c, &q, &a, &out)) {
			format_answer(c, &a, &out);
			answer_release(&a);
		}
		assert_row_string(asks[i].name, out.buf, asks[i].answer);
	}
}

static inline void assert_descriptions(const struct compiled *c, const struct describe_case *asks,
				       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct question q = {asks[i].from, asks[i].to, asks[i].service};
		_text_ struct text out = TEXT_INIT;
		struct answer a;

		assert_row(asks[i].name, !explain_ask(c, &q, &a, &out));
		explain_describe(c, &q, &a, &out);
		answer_release(&a);
		assert_row_string(asks[i].name, out.buf, asks[i].text);
	}
}

#endif
