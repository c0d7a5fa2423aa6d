/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>

#include "cli/check_report.h"
#include "cli/output.h"

static void add_tables(const struct budget *b, bool has_colour, struct text *out)
{
	static const struct column columns[] = {
		LEFT("TABLE"), RIGHT("ENTRIES"), RIGHT("HEADROOM"), RIGHT("FULL"), RIGHT("BYTES"),
	};
	_table_ struct table table = {.columns = columns, .count = COUNT(columns)};

	for (size_t i = 0; i < BUDGET_TABLES; i++) {
		const struct budget_line *line = &b->lines[i];
		unsigned int fill = budget_fill(line);

		table_add(&table, line->name);
		table_addf(&table, "%" PRIu64, line->entries);
		table_addf(&table, "%" PRIu64, line->room - line->entries);
		table_addf(&table, "%u.%u%%", fill / 10, fill % 10);
		table_addf(&table, "%" PRIu64, line->bytes);
	}
	table_format(&table, has_colour, out);
}

static void add_costliest(const struct check *check, struct text *out)
{
	const struct budget *b = &check->budget;
	const struct rule *rule;

	if (b->costliest == POLICY_NONE)
		return;
	rule = &check->policy->rules.items[b->costliest];
	text_addf(out, "most expensive rule: '%s' (%s:%u), ", rule->name, rule->at.source->name,
		  rule->at.line);
	if (b->is_measured)
		text_addf(out, "without which there would be %zu entries fewer\n", b->saved);
	else
		text_addf(out, "which has a part in %zu rows and names %zu prefixes\n",
			  b->costliest_rows, b->prefixes);
}

static void add_budget(const struct check *check, bool has_colour, struct text *out)
{
	const struct budget *b = &check->budget;
	_text_ struct text costliest = TEXT_INIT;

	add_tables(b, has_colour, out);
	text_addf(out,
		  "%zu classes of addresses, %zu of services: %zu rows, %zu distinct blocks for "
		  "%zu places\n",
		  b->classes, b->service_classes, b->rows, b->distinct, b->parts);
	add_costliest(check, &costliest);
	if (!costliest.len)
		return;
	text_add_plain(out, costliest.buf, costliest.len - 1);
	text_addc(out, '\n');
}

static void add_kernel(const struct check_kernel *k, struct text *out)
{
	text_addf(out, "kernel: %zu connections, %zu packets, %zu judged otherwise", k->cases,
		  k->packets, k->wrong);
	if (k->unasked)
		text_addf(out, "; %zu decisions that no packet asks for", k->unasked);
	if (k->left_out)
		text_addf(out, "; %zu decisions left out: too many", k->left_out);
	text_addc(out, '\n');
}

void check_text(const struct check *check, bool has_colour, struct text *out)
{
	const char *result = check_result(check);

	if (check->is_compiled)
		add_budget(check, has_colour, out);
	if (check->kernel.is_done)
		add_kernel(&check->kernel, out);
	text_addf(out,
		  "%zu documents, %zu rules, %zu classes, %zu findings: ", check->policy->documents,
		  check->policy->rules.count, check->budget.classes, check_findings(check));
	text_add_colour(out, has_colour ? colour_of_verdict(result) : COLOUR_NONE, result);
	text_addc(out, '\n');
}
