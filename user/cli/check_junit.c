/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* JUnit's XML, in the form that Jenkins' junit-10.xsd describes: passing tests show too. */
#include <inttypes.h>

#include "cli/check_report.h"
#include "policy/ends.h"
#include "policy/services.h"
#include "util/xml.h"

#define NS_PER_S 1000000000

/* A suite while it is written: its cases, and how many of them fail. */
struct suite {
	const struct check *check;
	enum check_group group;
	struct text cases;
	size_t tests, failures;
};

static void add_time(struct text *out, uint64_t ns)
{
	text_addf(out, " time=\"%" PRIu64 ".%06" PRIu64 "\"", ns / NS_PER_S, ns % NS_PER_S / 1000);
}

static void begin_case(struct suite *s, const char *name, uint64_t took_ns)
{
	text_add(&s->cases, "    <testcase");
	xml_attribute(&s->cases, "classname", check_group_word(s->group));
	xml_attribute(&s->cases, "name", name);
	add_time(&s->cases, took_ns);
	text_add(&s->cases, ">\n");
	s->tests++;
}

static void end_case(struct suite *s)
{
	text_add(&s->cases, "    </testcase>\n");
}

static void add_finding_line(const struct diag *diag, struct text *out)
{
	if (diag->at.source)
		text_addf(out, "%s:%u:%u: ", diag->at.source->name, diag->at.line, diag->at.column);
	text_addf(out, "%s: %s\n", diag_level_word(diag->level), diag->message);
}

static void add_lines(struct suite *s, size_t from, size_t to)
{
	_text_ struct text lines = TEXT_INIT;

	for (size_t i = from; i < to; i++)
		add_finding_line(&s->check->diags.list.items[i], &lines);
	text_add_xml(&s->cases, lines.buf);
}

static void add_output(struct suite *s, size_t from, size_t to)
{
	text_add(&s->cases, "      <system-out>");
	add_lines(s, from, to);
	text_add(&s->cases, "</system-out>\n");
}

/* A finding and its notes; none if there were too many to keep. */
static void add_failure(struct suite *s, size_t from, size_t to)
{
	text_add(&s->cases, "      <failure");
	if (from < to) {
		const struct diag *diag = &s->check->diags.list.items[from];

		xml_attribute(&s->cases, "type", diag->id ? diag->id : check_group_word(s->group));
		xml_attribute(&s->cases, "message", diag->message);
	}
	text_addc(&s->cases, '>');
	add_lines(s, from, to);
	text_add(&s->cases, "</failure>\n");
	s->failures++;
}

/* "bad.yaml:9: BH006" */
static void name_finding(const struct diag *diag, struct text *out)
{
	if (diag->at.source)
		text_addf(out, "%s:%u:%u", diag->at.source->name, diag->at.line, diag->at.column);
	else
		text_add(out, "the policy");
	if (diag->id)
		text_addf(out, ": %s", diag->id);
}

/* Each finding of the group is a test that fails; a warning passes unless it counts as an error. */
static void add_findings(struct suite *s)
{
	const struct check *check = s->check;

	for (size_t i = 0; i < check->diags.list.count;) {
		const struct diag *diag = &check->diags.list.items[i];
		size_t end = check_notes_end(check, i);
		_text_ struct text name = TEXT_INIT;

		if (check->groups.items[i] == s->group) {
			name_finding(diag, &name);
			begin_case(s, name.buf, 0);
			if (diag->level == DIAG_ERROR || check->is_strict)
				add_failure(s, i, end);
			else
				add_output(s, i, end);
			end_case(s);
		}
		i = end;
	}
}

static void name_expect(const struct policy *p, size_t i, struct text *out)
{
	const struct expect *expect = &p->expects.items[i];

	text_addf(out, "%zu: ", i + 1);
	selector_describe(p, expect->from, out);
	text_add(out, " to ");
	selector_describe(p, expect->to, out);
	text_add(out, ", ");
	services_format(&expect->services, out);
	text_addf(out, ": %s", verdict_word(expect->verdict));
}

static void add_promises(struct suite *s, const check_promises *promises)
{
	const struct policy *p = s->check->policy;

	for (size_t i = 0; i < promises->count; i++) {
		const struct check_promise *promise = &promises->items[i];
		_text_ struct text name = TEXT_INIT;

		if (s->group == CHECK_NEVER)
			text_add(&name, p->nevers.items[i].name);
		else
			name_expect(p, i, &name);
		begin_case(s, name.buf, promise->took_ns);
		if (!promise->is_kept)
			add_failure(s, promise->finding, promise->finding + promise->findings);
		end_case(s);
	}
}

static bool was_run(const struct check *check, enum check_group group)
{
	if (group == CHECK_KERNEL)
		return check->kernel.is_done;
	return group == CHECK_POLICY || check->is_compiled;
}

static void fill_suite(struct suite *s)
{
	if (s->group == CHECK_NEVER)
		add_promises(s, &s->check->nevers);
	else if (s->group == CHECK_EXPECT)
		add_promises(s, &s->check->expects);
	else
		add_findings(s);
	if (s->tests || !was_run(s->check, s->group))
		return;
	begin_case(s, "nothing to find fault with", s->check->took_ns[s->group]);
	end_case(s);
}

static void add_counts(struct text *out, const struct suite *s)
{
	text_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\"", s->tests, s->failures);
}

static void add_suite(struct suite *s, struct text *out)
{
	text_add(out, "  <testsuite");
	xml_attribute(out, "name", check_group_word(s->group));
	add_counts(out, s);
	add_time(out, s->check->took_ns[s->group]);
	text_addf(out, ">\n%s  </testsuite>\n", s->cases.buf);
}

void check_junit(const struct check *check, struct text *out)
{
	_text_ struct text suites = TEXT_INIT;
	struct suite all = {};
	uint64_t took_ns = 0;

	for (enum check_group group = 0; group < CHECK_GROUPS; group++) {
		struct suite s = {.check = check, .group = group, .cases = TEXT_INIT};

		took_ns += check->took_ns[group];
		fill_suite(&s);
		all.tests += s.tests;
		all.failures += s.failures;
		if (s.tests)
			add_suite(&s, &suites);
		text_release(&s.cases);
	}
	text_add(out,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bulkhead check\"");
	add_counts(out, &all);
	add_time(out, took_ns);
	text_addf(out, ">\n%s</testsuites>\n", suites.buf);
}
