/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read without having been looked through is what it is when each character is. */
#include "tests/test.h"

#include <string.h>

#include "policy/load.h"
#include "policy/print.h"
#include "tests/unit/told_places.h"
#include "util/cleanup.h"
#include "util/mem.h"
#include "util/text.h"

#define ROUNDS  4000
#define CHANGES 2

#define ERROR_MARK '\1'

/* The last letter of the first line is replaced by one that has the file read in full. */
static const char policy_text[] =
	"# plain: e \n"
	"apiVersion: bulkhead.dev/v1\n"
	"kind: ZonePolicy\n"
	"spec:\n"
	"  zones:\n"
	"    - {name: z, cidrs: [10.0.0.0/8, 'fd00::/8'], mode: audit}\n"
	"    - {name: y, cidrs: 192.0.2.0/24} # a comment\n"
	"  workloads:\n"
	"    - {name: a, zone: z, addresses: [10.0.0.1, 'fd00::1'], labels: {app: x, b: 'c d'}}\n"
	"    - {name: b, zone: y, addresses: 192.0.2.1, labels: {app: \"y\", '/': d:e}}   # {\n"
	"    - { name: c , addresses: [ fd00::2 , 10.0.0.0/30 ] , labels: { } , mode: off }\n"
	"  services:\n"
	"    - {name: web, ports: [tcp/80, tcp/443-444]}\n"
	"  rules:\n"
	"    - {name: r1, from: a, to: b, services: [web, udp/53]}\n"
	"    - {name: r2, from: {labels: {app: x}}, to: {labels: {'app': y}}, services: tcp/1}\n"
	"    - {name: r3, from: {labels: {app: x}}, to: [a, {cidr: 10.0.0.0/9}], services: web,"
	" log: true}\n"
	"    - {name: r4, from: { zone: z , labels: { b: 'c d' , app: x } }, to: any, services: "
	"any}\n"
	"  never: \n"
	"    - {name: n, from: outside, to: a, services: tcp/22}\n"
	"  failsafe:\n"
	"    - {direction: ingress, from: {cidr: 10.0.0.0/8}, services: tcp/22}\n"
	"  expect:\n"
	"    - {from: b, to: a, services: tcp/22, verdict: deny}\n";

/* Of one that several rules have, nobody says the place. */
static void add_end(const struct selector *s, struct text *out)
{
	if (!s->shared)
		tell_span(&s->at, out);
}

static void add_places(const struct policy *p, struct text *out)
{
	tell_workload_places(p, out);
	vec_foreach (rule, &p->rules) {
		tell_span(&rule->at, out);
		add_end(rule->from, out);
		add_end(rule->to, out);
	}
}

/* All that there is to know of it. */
static char *describe(const char *text, size_t len)
{
	struct source source = source_of("p", text, len);
	_text_ struct text out = TEXT_INIT;
	_diags_ struct diags diags = {};
	_policy_ struct policy *policy = NULL;

	if (!policy_load_sources(&source, 1, &diags, &policy)) {
		policy_print(policy, &out);
		add_places(policy, &out);
	}
	tell_diags(&diags, ERROR_MARK, &out);
	return text_take(&out);
}

static size_t first_line(void)
{
	return (size_t)(strchr(policy_text, '\n') - policy_text) + 1;
}

/* Returns whether there was nothing wrong with it. */
static bool compare(const struct text *t)
{
	size_t at = first_line() - 3;
	_text_ struct text in_full = TEXT_INIT;
	_free_ char *quick = describe(t->buf, t->len);
	_free_ char *full = NULL;

	text_addn(&in_full, t->buf, at);
	text_add(&in_full, "\xc3\xa9");
	text_addn(&in_full, t->buf + at + 2, t->len - at - 2);
	full = describe(in_full.buf, in_full.len);
	if (strcmp(quick, full) != 0)
		fail_msg("%s: read as\n%s\nbut is\n%s", t->buf, quick, full);
	return !strchr(quick, ERROR_MARK);
}

/* An entry at the beginning of the list under this key. */
static void compare_with(const char *list, const char *entry)
{
	const char *at = strstr(policy_text, list) + strlen(list);
	_text_ struct text t = TEXT_INIT;

	text_addn(&t, policy_text, (size_t)(at - policy_text));
	text_addf(&t, "    - %s\n%s", entry, at);
	compare(&t);
}

static uint32_t below(uint32_t *state, size_t bound)
{
	*state = *state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*state * bound >> 32);
}

/* A character is replaced, left out, or said twice; not in the first line. */
static void change(struct text *t, uint32_t *state)
{
	static const char odd[] = "   \n\n::-#,,[[]]{{}}''\"\"&*!|>%@?~<.a0/\t\\b1";
	size_t at = first_line() + below(state, t->len - first_line());

	switch (below(state, 3)) {
	case 0:
		t->buf[at] = odd[below(state, sizeof(odd) - 1)];
		return;
	case 1:
		memmove(t->buf + at, t->buf + at + 1, t->len - at);
		t->len--;
		return;
	default:
		text_addc(t, 'x');
		memmove(t->buf + at + 1, t->buf + at, t->len - 1 - at);
		return;
	}
}

static void changed_policies_are_read_alike(void **state)
{
	uint32_t seed = 1, good = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_text_ struct text t = TEXT_INIT;

		text_add(&t, policy_text);
		for (uint32_t n = i ? 1 + below(&seed, CHANGES) : 0; n; n--)
			change(&t, &seed);
		good += compare(&t);
	}
	assert_in_range(good, ROUNDS / 20, ROUNDS);
}

static void odd_entries_are_read_alike(void **state)
{
	static const char *const workloads[] = {
		"{name: w, addresses: [10.0.0.9,]}",
		"{name: w, addresses: [10.0.0.9], }",
		"{name: w, addresses: [,10.0.0.9]}",
		"{name: w, addresses: [10.0.0.9]} x",
		"{name: w, addresses: [10.0.0.9]}# c",
		"{name: w, addresses: [10.0.0.9]} # c",
		"{name: w, addresses: [10.0.0.9]}, {name: v, addresses: [10.0.0.2]}",
		"{name: w, addresses: [10.0.0.9}}",
		"{name: w, addresses: [10.0.0.9]",
		"{name: w, addresses: [10.0.0.9]]",
		"{name: w, addresses: {10.0.0.9}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: b]}",
		"{name: w, addresses: [10.0.0.9], labels: {a: 'b''c'}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: \"b\\x41\"}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: \"b\\\"}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: 'b}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: b: c}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: b:}}",
		"{name: w, addresses: [10.0.0.9], labels: {a:b}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: *b, c: &d e}}",
		"{name: w, addresses: [10.0.0.9], labels: {a: b #c}}",
		"{name: w, addresses: [fd00::, fd01::2]}",
		"{name: w, addresses: [10.0.0.9]}\n      more",
		"{name: w,\n      addresses: [10.0.0.9]}",
	};
	static const char *const rules[] = {
		"{name: r, from: a, to: b, services: [web,]}",
		"{name: r, from: a, to: b, services: [web}}",
		"{name: r, from: {labels: {a: b}, to: b, services: web}",
		"{name: r, from: {labels: {a: b]}, to: b, services: web}",
		"{name: r, from: {labels: {a: b}}} , to: b, services: web}",
		"{name: r, from: a, to: b, services: web}}",
		"{name: r, from: a, to: b, services: web, from: b}",
		"{name: r, from: a, to: b, services: web}: c",
		"{name: r, from: [a, 'b'], to: \"b\", services: ['web', tcp/1]}",
		"{name: r, from: {labels: {a: 'b, }'}}, to: {labels: {a: it's}}, services: web}",
		"{name: r, from: {labels: {a: }}, to: b, services: web}",
		"{name: r, from: , to: b, services: web}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(workloads); i++)
		compare_with("  workloads:\n", workloads[i]);
	for (size_t i = 0; i < COUNT(rules); i++)
		compare_with("  rules:\n", rules[i]);
}

/* Not even what is no policy may hide what isn't well formed. */
static void what_nobody_reads_is_looked_through(void **state)
{
	static const char *const texts[] = {
		"kind: ZonePolicy\nspec:\n  unknown:\n    - {a: b} c\n",
		"kind: ZonePolicy\nmetadata:\n  name:\n    - {a: b} c\n",
		"kind: Other\nspec:\n  rules:\n    - {a: b} c\n",
		"kind: Other\nspec:\n  rules:\n    - {a: b}\n",
		"spec:\n  rules:\n    - {a: {b}\n",
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n  x:\n    - {a: b]}\n",
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n  x:\n    - {a: b}\n",
		"a:\n  b:\n    - {a: b\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		_text_ struct text t = TEXT_INIT;

		text_addn(&t, policy_text, first_line());
		text_add(&t, texts[i]);
		compare(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_entries_are_read_alike),
		cmocka_unit_test(what_nobody_reads_is_looked_through),
		cmocka_unit_test(changed_policies_are_read_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
