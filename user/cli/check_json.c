/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/check_report.h"
#include "util/json.h"

static void add_finding(struct json *json, const struct diag *diag)
{
	json_object(json, NULL);
	json_string(json, "file", diag->at.source ? diag->at.source->name : NULL);
	json_number(json, "line", diag->at.line);
	json_number(json, "column", diag->at.column);
	json_string(json, "level", diag_level_word(diag->level));
	json_string(json, "id", diag->id);
	json_string(json, "message", diag->message);
}

/* Notes are within the finding that they belong to. */
static void add_findings(struct json *json, const struct check *check)
{
	const struct diag *diags = check->diags.list.items;

	json_array(json, "findings");
	for (size_t i = 0; i < check->diags.list.count;) {
		size_t end = check_notes_end(check, i);

		add_finding(json, &diags[i]);
		json_string(json, "about", check_group_word(check->groups.items[i]));
		json_array(json, "notes");
		for (i++; i < end; i++) {
			add_finding(json, &diags[i]);
			json_end(json, '}');
		}
		json_end(json, ']');
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void add_line(struct json *json, const struct budget_line *line)
{
	unsigned int fill = budget_fill(line);
	_text_ struct text percent = TEXT_INIT;

	text_addf(&percent, "%u.%u", fill / 10, fill % 10);
	json_object(json, NULL);
	json_string(json, "table", line->name);
	json_string(json, "map", line->map);
	json_number(json, "entries", line->entries);
	json_number(json, "headroom", line->room - line->entries);
	json_raw(json, "percent", percent.buf);
	json_number(json, "bytes", line->bytes);
	json_end(json, '}');
}

static void add_costliest(struct json *json, const struct check *check)
{
	const struct budget *b = &check->budget;
	const struct rule *rule;

	if (b->costliest == POLICY_NONE)
		return;
	rule = &check->policy->rules.items[b->costliest];
	json_object(json, "most_expensive_rule");
	json_string(json, "rule", rule->name);
	json_string(json, "file", rule->at.source->name);
	json_number(json, "line", rule->at.line);
	if (b->is_measured)
		json_number(json, "saves", b->saved);
	json_number(json, "rows", b->costliest_rows);
	json_number(json, "prefixes", b->prefixes);
	json_end(json, '}');
}

static void add_budget(struct json *json, const struct check *check)
{
	const struct budget *b = &check->budget;

	json_object(json, "budget");
	json_array(json, "tables");
	for (size_t i = 0; i < BUDGET_TABLES; i++)
		add_line(json, &b->lines[i]);
	json_end(json, ']');
	json_number(json, "classes", b->classes);
	json_number(json, "service_classes", b->service_classes);
	json_number(json, "rows", b->rows);
	json_number(json, "distinct_blocks", b->distinct);
	json_number(json, "places", b->parts);
	add_costliest(json, check);
	json_end(json, '}');
}

static void add_kernel(struct json *json, const struct check_kernel *k)
{
	json_object(json, "kernel");
	json_number(json, "connections", k->cases);
	json_number(json, "packets", k->packets);
	json_number(json, "wrong", k->wrong);
	json_number(json, "unasked", k->unasked);
	json_number(json, "left_out", k->left_out);
	json_end(json, '}');
}

void check_json(const struct check *check, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_string(&json, "result", check_result(check));
	json_number(&json, "documents", check->policy->documents);
	json_number(&json, "rules", check->policy->rules.count);
	json_number(&json, "classes", check->budget.classes);
	json_number(&json, "errors", check->diags.errors);
	json_number(&json, "warnings", check->diags.warnings);
	add_findings(&json, check);
	if (check->is_compiled)
		add_budget(&json, check);
	if (check->kernel.is_done)
		add_kernel(&json, &check->kernel);
	json_end(&json, '}');
	text_addc(out, '\n');
}
