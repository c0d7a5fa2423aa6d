/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bulkhead/limits.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "policy/explain.h"
#include "policy/promise.h"
#include "policy/services.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"

struct explain_values {
	const char *from;
	const char *to;
	const char *service;
	const char *queries;
	const char *format;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct explain_values, member)
static const struct option explain_options[] = {
	{ "from", 0, OPTION_TEXT, AT(from), "A", "who opens the connection" },
	{ "to", 0, OPTION_TEXT, AT(to), "B", "who it is opened to" },
	{ "service", 0, OPTION_TEXT, AT(service), "S", "what is spoken, such as tcp/5432" },
	{ "queries", 0, OPTION_TEXT, AT(queries), "FILE",
	  "answer one 'FROM TO SERVICE' a line; '-' is stdin" },
	OUTPUT_OPTION(struct explain_values, format, "text|json", "text"),
};
#undef AT

/* clang-format on */

static const char *answer_word(const struct answer *answer)
{
	return answer->is_mixed ? "mixed" : verdict_word(answer->decision.verdict);
}

/* Where the policy's own rule is; NULL for the default and built-ins. */
static const struct span *rule_place(const struct compiled *compiled, uint32_t rule)
{
	return rule < BH_RULE_FIRST ? NULL
				    : &compiled->policy->rules.items[rule - BH_RULE_FIRST].at;
}

static void add_classes(struct json *json, const char *key, const uint32_t *classes, size_t count)
{
	json_array(json, key);
	for (size_t i = 0; i < count; i++)
		json_number(json, NULL, classes[i]);
	json_end(json, ']');
}

static void add_question(struct json *json, const struct question *question)
{
	json_string(json, "from", question->from);
	json_string(json, "to", question->to);
	json_string(json, "service", question->service);
}

static void add_side(struct json *json, const struct compiled *compiled, const char *key,
		     const struct answer_side *side)
{
	/* clang-format off */
	static const char *const causes[] = {
		[CAUSE_FAILSAFE]  = "failsafe",
		[CAUSE_ZONE]      = "zone",
		[CAUSE_ADMIN]     = "admin",
		[CAUSE_NETWORK]   = "network",
		[CAUSE_ISOLATION] = "default",
		[CAUSE_BASELINE]  = "baseline",
		[CAUSE_OPEN]      = "open",
	};
	/* clang-format on */
	const struct rule *rule = NULL;
	_text_ struct text place = TEXT_INIT;

	if (!side->is_known) {
		json_string(json, key, NULL);
		return;
	}
	if (side->view.rule != POLICY_NONE)
		rule = &compiled->policy->rules.items[side->view.rule];
	if (rule)
		text_addf(&place, "%s:%u", rule->at.source->name, rule->at.line);
	json_object(json, key);
	json_string(json, "verdict", side->view.is_allowed ? "allow" : "deny");
	json_string(json, "by", causes[side->view.cause]);
	json_string(json, "rule", rule ? rule->name : NULL);
	json_string(json, "rule_at", rule ? place.buf : NULL);
	json_string(json, "since", side->since);
	json_end(json, '}');
}

static void add_sides(struct json *json, const struct compiled *compiled,
		      const struct question *question, const struct answer *answer)
{
	struct answer_sides sides;

	explain_sides(compiled, question, answer, &sides);
	json_object(json, "sides");
	add_side(json, compiled, "egress", &sides.src);
	add_side(json, compiled, "ingress", &sides.dst);
	json_end(json, '}');
	answer_sides_release(&sides);
}

static void answer_json(const struct compiled *compiled, const struct question *question,
			const struct answer *answer, struct text *out)
{
	const struct span *at = rule_place(compiled, answer->decision.rule);
	_text_ struct text place = TEXT_INIT;
	struct json json = {.out = out};

	if (at)
		text_addf(&place, "%s:%u", at->source->name, at->line);
	json_object(&json, NULL);
	add_question(&json, question);
	json_string(&json, "verdict", answer_word(answer));
	if (!answer->is_mixed) {
		json_string(&json, "rule", compiled_rule_name(compiled, answer->decision.rule));
		json_string(&json, "rule_at", at ? place.buf : NULL);
		json_bool(&json, "log", answer->decision.log);
		if (answer->decision.tls)
			json_string(&json, "require", "tls");
		add_sides(&json, compiled, question, answer);
	}
	add_classes(&json, "from_classes", answer->src_classes.items, answer->src_classes.count);
	add_classes(&json, "to_classes", answer->dst_classes.items, answer->dst_classes.count);
	json_end(&json, '}');
	text_addc(out, '\n');
}

/* One line: "deny default"; "mixed" and "error" have no rule. */
static void answer_line(const struct compiled *compiled, const struct answer *answer,
			struct text *out)
{
	text_add(out, answer_word(answer));
	if (!answer->is_mixed)
		text_addf(out, " %s", compiled_rule_name(compiled, answer->decision.rule));
	text_addc(out, '\n');
}

static enum exit_code explain_one(const struct compiled *compiled,
				  const struct explain_values *values)
{
	const struct question question = {values->from, values->to, values->service};
	_text_ struct text out = TEXT_INIT;
	struct answer answer = {};
	enum exit_code code;

	if (explain_ask(compiled, &question, &answer, &out))
		return cli_error("explain: %s", out.buf);
	if (output_is_json(values->format))
		answer_json(compiled, &question, &answer, &out);
	else
		explain_describe(compiled, &question, &answer, &out);
	fwrite(out.buf, 1, out.len, stdout);
	code = answer.is_mixed || !BH_VERDICT_PASSES(answer.decision.verdict) ? EXIT_FINDING
									      : EXIT_FINE;
	answer_release(&answer);
	return code;
}

/* A line of the queries, cut at blanks; the words point into it. */
struct query {
	struct question question;
	size_t words;
};

static struct query split_query(char *line)
{
	struct query query = {};
	const char **places[] = {&query.question.from, &query.question.to, &query.question.service};
	char *rest = line, *word;

	while ((word = strsep(&rest, " \t\r"))) {
		if (!*word)
			continue;
		if (query.words < COUNT(places))
			*places[query.words] = word;
		query.words++;
	}
	return query;
}

static void answer_error(const struct question *question, bool is_json, struct text *out)
{
	struct json json = {.out = out};

	if (!is_json) {
		text_add(out, "error\n");
		return;
	}
	json_object(&json, NULL);
	add_question(&json, question);
	json_string(&json, "verdict", "error");
	json_end(&json, '}');
	text_addc(out, '\n');
}

/* The answer to one line goes to @out, what is wrong with it to @reterr. */
static void answer_query(const struct compiled *compiled, char *line, bool is_json,
			 struct text *out, struct text *reterr)
{
	const struct query query = split_query(line);
	struct answer answer = {};

	if (!query.words || *query.question.from == '#')
		return;
	if (query.words != 3)
		text_add(reterr, "a query is three words, FROM TO SERVICE");
	else
		explain_ask(compiled, &query.question, &answer, reterr);
	if (reterr->len)
		answer_error(&query.question, is_json, out);
	else if (is_json)
		answer_json(compiled, &query.question, &answer, out);
	else
		answer_line(compiled, &answer, out);
	answer_release(&answer);
}

static enum exit_code answer_source(const struct compiled *compiled, const struct source *source,
				    bool is_json)
{
	_text_ struct text out = TEXT_INIT;
	_text_ struct text error = TEXT_INIT;
	const char *end = source->text + source->len;
	enum exit_code code = EXIT_FINE;
	unsigned int number = 1;

	for (const char *s = source->text; s < end; number++) {
		size_t len = strcspn(s, "\n");
		_free_ char *line = xstrndup(s, len);

		/* A NUL ends the text for strcspn(), not for us. */
		if (s + len < end && !s[len])
			text_add(&error, "a query holds no NUL");
		else
			answer_query(compiled, line, is_json, &out, &error);
		s += len + 1;
		fwrite(out.buf, 1, out.len, stdout);
		text_reset(&out);
		if (!error.len)
			continue;
		cli_error("%s:%u: %s", source->name, number, error.buf);
		text_reset(&error);
		code = EXIT_USAGE;
	}
	return code;
}

static enum exit_code explain_queries(const struct compiled *compiled,
				      const struct explain_values *values)
{
	struct source source = {};
	int err = source_read(values->queries, &source);
	enum exit_code code;

	if (err)
		return cli_error("explain: '%s' cannot be read: %s", values->queries,
				 strerror(-err));
	code = answer_source(compiled, &source, output_is_json(values->format));
	source_release(&source);
	return code;
}

/* A broken promise is told, and no reason not to answer. */
static void warn_of_promises(const struct compiled *compiled)
{
	struct diags diags = {};
	size_t broken = promise_check_never(compiled, &diags) +
			promise_check_expect(compiled, &diags);

	if (broken)
		fprintf(stderr,
			"bulkhead: warning: %zu of the policy's promises %s broken; "
			"'bulkhead check' shows them\n",
			broken, broken == 1 ? "is" : "are");
	diags_release(&diags);
}

static enum exit_code check_usage(const struct arguments *args)
{
	const struct explain_values *values = args->values;
	bool has_question = values->from || values->to || values->service;

	if (!args->operands.count)
		return cli_error("explain: a file of the policy is due");
	if (values->queries && has_question)
		return cli_error("explain: --queries goes without --from, --to and --service");
	if (!values->queries && !(values->from && values->to && values->service))
		return cli_error("explain: --from, --to and --service are due, or --queries");
	return EXIT_FINE;
}

static enum exit_code run_explain(const struct arguments *args)
{
	const struct explain_values *values = args->values;
	_policy_files_ struct policy_files files = {};
	enum exit_code code = check_usage(args);

	if (code != EXIT_FINE)
		return code;
	if (policy_files_load(&files, args->operands.items, args->operands.count, clock_wall_s()))
		return EXIT_USAGE;
	warn_of_promises(files.compiled);
	return values->queries ? explain_queries(files.compiled, values)
			       : explain_one(files.compiled, values);
}

const struct command explain_command = {
	.name = "explain",
	.arguments = "FILE... --from A --to B --service S | --queries FILE",
	.summary = "Say what the policy decides of one connection, and by which rule",
	.details =
		"A and B are a zone, a workload, a pod (NAMESPACE/POD), a node or an address. "
		"Where\n"
		"Kubernetes' policies take part, egress and ingress are told each for itself.\n\n"
		"With --queries every line gets one line, in order: 'VERDICT RULE' with the "
		"verdicts\n"
		"allow, deny, reject and audit, 'default' where no rule decides; 'mixed' where a\n"
		"name or service spans several classes that get different verdicts; 'error' where "
		"a\n"
		"name or service is unknown. Blank lines and '#' comments are skipped.\n\n"
		"Exit code without --queries: 0 for allow and audit, 1 for deny, reject and "
		"mixed;\n"
		"with them 0, or 2 if one was an error.",
	.examples = "bulkhead explain policies/five-zone.yaml --from api --to postgres --service "
		    "tcp/5432\n"
		    "bulkhead explain policies/five-zone.yaml --from 198.51.100.7 --to edge-lb "
		    "--service tcp/443\n"
		    "bulkhead explain /etc/bulkhead/policy.d --queries questions.txt -o json",
	.options = OPTION_TABLE(explain_options),
	.values_size = sizeof(struct explain_values),
	.run = run_explain,
};
