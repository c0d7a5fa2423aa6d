/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/check_kernel.h"

#include <errno.h>
#include <string.h>

#include "datapath/trial.h"
#include "policy/cover.h"
#include "policy/services.h"

#define CASES_MAX  20000 /* connections, each at every program */
#define SPORT_BASE 32768

/* clang-format off */
static const char *const reason_words[] = {
#define X(id, word, help) [BH_REASON_##id] = word,
	BH_REASONS(X)
#undef X
};
/* clang-format on */

static void add_rule(const struct compiled *c, uint32_t rule, struct text *out)
{
	if (rule >= BH_RULE_FIRST + c->policy->rules.count)
		text_add(out, "no rule");
	else if (rule < BH_RULE_FIRST)
		text_add(out, compiled_rule_name(c, rule));
	else
		text_addf(out, "rule '%s'", compiled_rule_name(c, rule));
}

static void add_end(const struct compiled *c, const struct bh_addr *a, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	text_addf(out, "%s (%s)", addr_format(a, buf), compiled_address_name(c, a));
}

/* "10.0.0.10 (web) to 10.0.1.10 (db), tcp/5432: the policy says allow by rule 'r', it deny by …" */
static void describe(const struct compiled *c, const struct cover_case *k,
		     const struct trial_outcome *seen, struct text *out)
{
	struct decision wanted = decision_of_cell(k->cell);

	add_end(c, &k->src, out);
	text_add(out, " to ");
	add_end(c, &k->dst, out);
	text_add(out, ", ");
	service_format(k->service.table, k->service.number, out);
	text_addf(out, ": the policy says %s by ", verdict_word(wanted.verdict));
	add_rule(c, wanted.rule, out);
	if (seen->is_passed)
		text_addf(out, ", the program lets it through %sby ",
			  seen->is_reported ? "with a report " : "");
	else
		text_addf(out, ", the program drops it (%s) by ", reason_words[seen->reason]);
	add_rule(c, seen->rule, out);
}

static struct span place_of(const struct compiled *c, const struct cover_case *k)
{
	uint32_t rule = decision_of_cell(k->cell).rule;

	if (k->expect != POLICY_NONE)
		return c->policy->expects.items[k->expect].at;
	return rule < BH_RULE_FIRST ? (struct span){}
				    : c->policy->rules.items[rule - BH_RULE_FIRST].at;
}

struct attempt {
	const struct compiled *c;
	struct trial *trial;
	struct diags *diags;
	struct check_kernel *result;
};

static int try_at(struct attempt *a, const struct cover_case *k, enum program program)
{
	struct packet_spec packet = packet_to_service(k->service.table, k->service.number);
	struct trial_outcome seen;
	int err;

	packet.is_v6 = k->is_v6;
	packet.src_addr = &k->src;
	packet.dst_addr = &k->dst;
	packet.sport = (uint16_t)(SPORT_BASE + a->result->cases % (UINT16_MAX - SPORT_BASE));
	packet.id = packet.sport;
	err = trial_run(a->trial, program, &packet, decision_of_cell(k->cell).rule, &seen);
	if (err)
		return err;
	a->result->packets++;
	const struct cover_answer answer = {seen.is_passed, seen.is_reported, seen.rule};
	_text_ struct text what = TEXT_INIT;

	if (cover_agrees(k, &answer))
		return 0;
	a->result->wrong++;
	describe(a->c, k, &seen, &what);
	diag_error(a->diags, place_of(a->c, k), "%s disagrees: %s", program_word(program),
		   what.buf);
	return 0;
}

static int try_all(struct attempt *a, const struct cover *cover)
{
	int err = 0;

	vec_foreach (k, &cover->cases) {
		for (enum program program = 0; !err && program < PROGRAMS; program++)
			err = try_at(a, k, program);
		if (err)
			return err;
		a->result->cases++;
	}
	return 0;
}

int check_kernel(const struct compiled *c, const struct image *image, struct diags *d,
		 struct text *reterr, struct check_kernel *ret)
{
	struct check_kernel result = {.is_done = true};
	_cover_ struct cover cover = {};
	_trial_ struct trial *trial = NULL;
	_text_ struct text why = TEXT_INIT;
	struct attempt attempt = {.c = c, .diags = d, .result = &result};
	int err = trial_new(image, &why, &trial);

	if (err)
		return trial_explain(err, &why, reterr);
	cover_make(c, CASES_MAX, &cover);
	attempt.trial = trial;
	err = try_all(&attempt, &cover);
	if (err)
		return trial_explain(err, &why, reterr);
	result.unasked = cover.unasked;
	result.left_out = cover.left_out;
	*ret = result;
	return 0;
}
