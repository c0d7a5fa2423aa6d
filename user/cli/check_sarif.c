/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SARIF 2.1.0 (OASIS), as code scanners of version control sites read it. */
#include <string.h>

#include "agent/version.h"
#include "cli/check_report.h"
#include "policy/lint_id.h"
#include "util/json.h"
#include "util/lines.h"

#define SCHEMA                                                                                     \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"                      \
	"sarif-schema-2.1.0.json"
#define CONTEXT_MAX  500 /* bytes of a line that is shown whole */
#define BASE_ID      "%SRCROOT%"
#define EXIT_MESSAGE "the policy cannot be read or compiled, or the kernel cannot be asked"

/* clang-format off */
static const struct {
	const char *id, *help, *level;
} rules[] = {
	{ "policy", "what makes a policy unreadable, or too large to compile",                "error" },
	{ "never",  "a promise that is broken: what shall never be allowed is",               "error" },
	{ "expect", "a test that fails: the policy decides otherwise than is expected",       "error" },
	{ "kernel", "a packet that the BPF programs judge otherwise than the policy",         "error" },
#define X(id, help) { #id, help, "warning" },
	LINT_IDS(X)
#undef X
};
/* clang-format on */

struct writer {
	const struct check *check;
	struct json json;
	struct lines lines;
};

/* The kind of finding: an id of lint, or its group. */
static const char *rule_id(const struct check *check, size_t i)
{
	const char *id = check->diags.list.items[i].id;

	return id ? id : check_group_word(check->groups.items[i]);
}

static size_t rule_index(const char *id)
{
	size_t i = 0;

	while (i < COUNT(rules) && strcmp(rules[i].id, id) != 0)
		i++;
	return i;
}

static void add_message(struct json *j, const char *key, const char *text)
{
	json_object(j, key);
	json_string(j, "text", text);
	json_end(j, '}');
}

static void add_rules(struct json *j)
{
	json_array(j, "rules");
	for (size_t i = 0; i < COUNT(rules); i++) {
		json_object(j, NULL);
		json_string(j, "id", rules[i].id);
		add_message(j, "shortDescription", rules[i].help);
		json_object(j, "defaultConfiguration");
		json_string(j, "level", rules[i].level);
		json_end(j, '}');
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void add_tool(struct json *j)
{
	json_object(j, "tool");
	json_object(j, "driver");
	json_string(j, "name", "bulkhead");
	json_string(j, "version", BULKHEAD_VERSION);
	json_string(j, "semanticVersion", BULKHEAD_VERSION);
	add_rules(j);
	json_end(j, '}');
	json_end(j, '}');
}

static void add_invocation(struct json *j, const struct check *check)
{
	bool is_done = check->code != EXIT_USAGE;

	json_array(j, "invocations");
	json_object(j, NULL);
	json_bool(j, "executionSuccessful", is_done);
	json_number(j, "exitCode", check->code);
	if (!is_done)
		json_string(j, "exitCodeDescription", EXIT_MESSAGE);
	json_end(j, '}');
	json_end(j, ']');
}

/* RFC 3986: what needs no escape in a path; ':' would make the first segment a scheme. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-._~/", c);
}

/* A file within the base is relative to it, as version control knows it. */
static void add_artifact(struct writer *w, const char *name)
{
	const char *base = w->check->base;
	size_t len = base ? strlen(base) : 0;
	_text_ struct text uri = TEXT_INIT;

	if (len && !strncmp(name, base, len) && name[len] == '/')
		name += len + 1;
	while (!strncmp(name, "./", 2))
		name += 2;
	if (*name == '/')
		text_add(&uri, "file://");
	for (const char *s = name; *s; s++) {
		if (is_plain(*s))
			text_addc(&uri, *s);
		else
			text_addf(&uri, "%%%02X", (unsigned int)(unsigned char)*s);
	}
	json_object(&w->json, "artifactLocation");
	json_string(&w->json, "uri", uri.buf);
	if (*name != '/')
		json_string(&w->json, "uriBaseId", BASE_ID);
	json_end(&w->json, '}');
}

static void add_snippet(struct json *j, const struct line *part)
{
	_text_ struct text text = TEXT_INIT;

	text_addn(&text, part->start, part->len);
	add_message(j, "snippet", text.buf);
}

static void add_region(struct writer *w, const struct span *at)
{
	struct json *j = &w->json;
	struct line line, part;
	bool is_found = lines_find(&w->lines, at->source, at->line, &line);

	json_object(j, "region");
	json_number(j, "startLine", at->line);
	json_number(j, "startColumn", at->column);
	json_number(j, "endColumn", at->column + at->len);
	if (is_found) {
		part = line_part(&line, at->column, at->column + at->len);
		add_snippet(j, &part);
	}
	json_end(j, '}');
	if (!is_found || line.len > CONTEXT_MAX)
		return;
	json_object(j, "contextRegion");
	json_number(j, "startLine", at->line);
	add_snippet(j, &line);
	json_end(j, '}');
}

/* What is of no file is shown at the policy's first: a finding without a place is shown nowhere. */
static void add_place(struct writer *w, const struct span *at)
{
	const struct policy *p = w->check->policy;
	const struct source *source = at->source;

	if (!source && p->sources.count)
		source = p->sources.items[0];
	if (!source)
		return;
	json_object(&w->json, "physicalLocation");
	add_artifact(w, source->name);
	if (at->source && at->line)
		add_region(w, at);
	json_end(&w->json, '}');
}

static void add_related(struct writer *w, size_t i, size_t end)
{
	json_array(&w->json, "relatedLocations");
	for (uint64_t id = 1; i < end; i++, id++) {
		const struct diag *note = &w->check->diags.list.items[i];

		json_object(&w->json, NULL);
		json_number(&w->json, "id", id);
		add_place(w, &note->at);
		add_message(&w->json, "message", note->message);
		json_end(&w->json, '}');
	}
	json_end(&w->json, ']');
}

static void add_result(struct writer *w, size_t i, size_t end)
{
	const struct diag *diag = &w->check->diags.list.items[i];
	const char *id = rule_id(w->check, i);
	size_t index = rule_index(id);
	struct json *j = &w->json;

	json_object(j, NULL);
	json_string(j, "ruleId", id);
	if (index < COUNT(rules))
		json_number(j, "ruleIndex", index);
	json_string(j, "level", diag_level_word(diag->level));
	add_message(j, "message", diag->message);
	json_array(j, "locations");
	json_object(j, NULL);
	add_place(w, &diag->at);
	json_end(j, '}');
	json_end(j, ']');
	if (i + 1 < end)
		add_related(w, i + 1, end);
	json_end(j, '}');
}

static void add_results(struct writer *w)
{
	json_array(&w->json, "results");
	for (size_t i = 0; i < w->check->diags.list.count;) {
		size_t end = check_notes_end(w->check, i);

		add_result(w, i, end);
		i = end;
	}
	json_end(&w->json, ']');
}

void check_sarif(const struct check *check, struct text *out)
{
	struct writer w = {.check = check, .json = {.out = out}};
	struct json *j = &w.json;

	json_object(j, NULL);
	json_string(j, "$schema", SCHEMA);
	json_string(j, "version", "2.1.0");
	json_array(j, "runs");
	json_object(j, NULL);
	add_tool(j);
	json_string(j, "columnKind", "unicodeCodePoints");
	add_invocation(j, check);
	add_results(&w);
	json_end(j, '}');
	json_end(j, ']');
	json_end(j, '}');
	text_addc(out, '\n');
	lines_release(&w.lines);
}
