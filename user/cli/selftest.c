/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/selftest.h"

#include <inttypes.h>
#include <string.h>

#include "agent/control/answer.h"
#include "agent/control/words.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "util/json.h"

struct selftest_values {
	const char *format;
};

/* clang-format off */
static const struct option selftest_options[] = {
	OUTPUT_OPTION(struct selftest_values, format, "text|json", "text"),
};
/* clang-format on */

static const char *yes_or_no(bool is_so)
{
	return is_so ? "yes" : "no";
}

static const char *family_word(bool is_v6)
{
	return is_v6 ? "IPv6" : "IPv4";
}

static const char *fate_word(bool is_passed)
{
	return is_passed ? "pass" : "drop";
}

static const char *result_word(const struct selftest *test)
{
	return selftest_findings(test) ? "failed" : "ok";
}

/* --- text --- */

/* "pass", "drop (policy)"; what should have been told, and what should not. */
static void add_fate(struct text *out, bool is_passed, enum bh_reason reason, bool is_reported)
{
	text_add(out, fate_word(is_passed));
	if (!is_passed && is_reported)
		text_addf(out, " (%s)", reason_word(reason));
	else if (is_passed == is_reported)
		text_addf(out, " %s a report", is_reported ? "with" : "without");
}

static void add_finding(struct text *out, const struct selftest_finding *f)
{
	bool is_due = f->packet->reason == BH_REASON_NONE;

	text_addf(out, "%s (%s), %s: expected ", f->packet->name, family_word(f->is_v6),
		  program_word(f->program));
	add_fate(out, is_due, f->packet->reason, !is_due);
	text_add(out, ", seen ");
	add_fate(out, f->seen.is_passed, f->seen.reason, f->seen.is_reported);
	text_addc(out, '\n');
}

static void add_imbalance(struct text *out, const struct selftest *test)
{
	const struct books books = selftest_books(test);

	text_addf(out,
		  "the books: %" PRIu64 " drops, %" PRIu64 " of them by reason; %" PRIu64
		  " events produced, %" PRIu64 " delivered, %" PRIu64 " suppressed, %" PRIu64
		  " lost\n",
		  test->drops, selftest_drops(test), books.produced, books.delivered,
		  books.suppressed, books.lost);
}

static void add_feature(struct text *out, const char *name, const char *value)
{
	text_addf(out, "%-11s %s\n", name, value);
}

static void write_text(const struct selftest *test, struct text *out)
{
	const struct features *k = &test->kernel;

	text_addf(out, "%-11s %s where the interface's driver can, else %s\n", "xdp",
		  attach_method_word(ATTACH_XDP_NATIVE), attach_method_word(ATTACH_XDP_GENERIC));
	add_feature(out, "xdp frags", yes_or_no(k->has_xdp_frags));
	add_feature(out, "tc", attach_method_word(k->tc));
	add_feature(out, "netfilter", yes_or_no(k->has_netfilter));
	add_feature(out, "btf", yes_or_no(k->has_btf));
	add_feature(out, "ringbuf", yes_or_no(true));
	add_feature(out, "jit", yes_or_no(k->is_jited));
	vec_foreach (finding, &test->findings)
		add_finding(out, finding);
	if (!selftest_is_balanced(test))
		add_imbalance(out, test);
	text_addf(out, "%zu packets, %zu hooks, %zu findings: %s\n", test->packets, test->hooks,
		  selftest_findings(test), result_word(test));
}

/* --- JSON --- */

static void add_json_fate(struct json *j, const char *key, bool is_passed, enum bh_reason reason)
{
	json_object(j, key);
	json_string(j, "verdict", fate_word(is_passed));
	json_string(j, "reason", is_passed ? NULL : reason_word(reason));
	json_end(j, '}');
}

static void add_json_findings(struct json *j, const struct selftest *test)
{
	json_array(j, "findings");
	vec_foreach (f, &test->findings) {
		json_object(j, NULL);
		json_string(j, "packet", f->packet->name);
		json_string(j, "family", family_word(f->is_v6));
		json_string(j, "hook", program_word(f->program));
		add_json_fate(j, "expected", f->packet->reason == BH_REASON_NONE,
			      f->packet->reason);
		add_json_fate(j, "seen", f->seen.is_passed, f->seen.reason);
		json_bool(j, "reported", f->seen.is_reported);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void add_json_books(struct json *j, const struct selftest *test)
{
	const struct books books = selftest_books(test);

	json_object(j, "books");
	json_bool(j, "balanced", selftest_is_balanced(test));
	answer_book(j, &books);
	json_end(j, '}');
	json_object(j, "drops");
	for (unsigned int i = 0; i < BH_REASON_COUNT; i++) {
		if (test->books.drops[i].packets)
			json_number(j, reason_word(i), test->books.drops[i].packets);
	}
	json_end(j, '}');
}

static void add_json_kernel(struct json *j, const struct features *k)
{
	json_object(j, "kernel");
	json_bool(j, "xdp", true); /* the programs would not have loaded without it */
	json_bool(j, "xdp_frags", k->has_xdp_frags);
	json_string(j, "tc", attach_method_word(k->tc));
	json_bool(j, "netfilter", k->has_netfilter);
	json_bool(j, "btf", k->has_btf);
	json_bool(j, "ringbuf", true);
	json_bool(j, "jit", k->is_jited);
	json_end(j, '}');
}

static void write_json(const struct selftest *test, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_string(&json, "result", result_word(test));
	json_number(&json, "packets", test->packets);
	json_number(&json, "hooks", test->hooks);
	json_number(&json, "runs", test->runs);
	json_number(&json, "dropped", test->drops);
	add_json_findings(&json, test);
	add_json_books(&json, test);
	add_json_kernel(&json, &test->kernel);
	json_end(&json, '}');
	text_addc(out, '\n');
}

/* The kernel's verdict on programs that it refuses has lines of its own. */
static enum exit_code explain(const struct text *why)
{
	size_t len = strcspn(why->buf, "\n");

	cli_error("selftest: the programs cannot be tried: %.*s", (int)len, why->buf);
	for (const char *s = why->buf + len; *s; s += len) {
		s++;
		len = strcspn(s, "\n");
		put_plain(s, len, stderr);
		fputc('\n', stderr);
	}
	return EXIT_USAGE;
}

static enum exit_code run_selftest(const struct arguments *args)
{
	const struct selftest_values *values = args->values;
	_selftest_ struct selftest test = {};
	_text_ struct text why = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;

	if (args->operands.count)
		return cli_error("selftest: takes no '%s'", args->operands.items[0]);
	if (selftest_run(selftest_corpus, selftest_corpus_count, selftest_policy, &why, &test))
		return explain(&why);
	if (output_is_json(values->format))
		write_json(&test, &out);
	else
		write_text(&test, &out);
	fwrite(out.buf, 1, out.len, stdout);
	return selftest_findings(&test) ? EXIT_FINDING : EXIT_FINE;
}

const struct command selftest_command = {
	.name = "selftest",
	.arguments = "[-o text|json]",
	.summary = "Send hostile packets through the BPF programs of this build, on this kernel",
	.details =
		"Loads the programs beside any that run, with maps and a small policy of their\n"
		"own, and sends a built-in corpus through all of them (XDP and tc, of this\n"
		"machine and of workloads): headers cut short or that lie, IP options, fragments,\n"
		"chains of IPv6, tags in tags, spoofed sources, ICMP errors about nothing; and\n"
		"some that must pass. No interface is touched, nor a running agent.\n\n"
		"Says which features of the kernel are in use, then what came to another end than\n"
		"is due, one packet a line; the last line is\n\n"
		"  N packets, N hooks, N findings: ok|failed\n\n"
		"Every drop must have its reason and its event, too: books that do not balance "
		"are\n"
		"a finding.\n\n"
		"Exit code 1: there is a finding; 2: the programs cannot be loaded here. Needs\n"
		"root.",
	.examples = "bulkhead selftest\n"
		    "bulkhead selftest -o json",
	.options = OPTION_TABLE(selftest_options),
	.values_size = sizeof(struct selftest_values),
	.run = run_selftest,
};
