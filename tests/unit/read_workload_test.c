/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A workload is what its nodes say, also where none are made of it. */
#include "tests/test.h"

#include <string.h>

#include "policy/load.h"
#include "policy/print.h"
#include "tests/unit/told_places.h"
#include "util/cleanup.h"
#include "util/text.h"

#define HEAD                                                                                       \
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nspec:\n"                                   \
	"  zones: [{name: z, cidrs: [10.0.0.0/8, 'fd00::/8']}, {name: y}]\n"                       \
	"  workloads:\n    - {name: before, zone: z, addresses: [10.9.9.9]}\n    - "

/* All that there is to know of it.  Letters that are not ASCII have the file read in full. */
static char *describe(const char *entry, bool in_full)
{
	_text_ struct text text = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;
	_diags_ struct diags diags = {};
	_policy_ struct policy *policy = NULL;
	struct source source;

	text_addf(&text, HEAD "%s\n%s", entry, in_full ? "# \xc3\xa9\n" : "");
	source = source_of("p", text.buf, text.len);
	if (!policy_load_sources(&source, 1, &diags, &policy))
		policy_print(policy, &out);
	tell_workload_places(policy, &out);
	tell_diags(&diags, '\n', &out);
	return text_take(&out);
}

static void words_mean_what_nodes_do(void **state)
{
	static const char *const entries[] = {
		"{name: w, zone: z, addresses: [10.0.0.1, 'fd00::1'], labels: {a: b, c: 'd e'}}",
		"{name: w, zone: z, addresses: [ \"10.0.0.1\" ,10.0.0.2 ] , labels: { a: b } }",
		"{name: w, addresses: 10.0.0.1}",
		"{name: w, addresses: fd00::1, labels: {}}",
		"{name: w, addresses: [10.0.0.0/24, fd00::/16, ::1], labels: {app/x: it's, b: ''}}",
		"{name: w, zone: y, addresses: [192.0.2.1], mode: audit}",
		"{labels: {a: 'x, y: {z} ]'}, addresses: ['fd00::2'], zone: z, name: w}",
		"{name: w, zone: z, addresses: [10.0.0.1, 10.0.0.1]}",
		"{name: w, zone: z, addresses: [10.0.0.1/8]}",
		"{name: w, zone: z, addresses: [192.0.2.1]}",
		"{name: w, zone: z, addresses: [10.0.0.1], labels: {a: b, a: c}}",
		"{name: w, zone: z, addresses: [10.0.0.1], labels: {a: [b]}}",
		"{name: w, zone: z, addresses: [10.0.0.1], labels: {'a': b, c: {d: e}}}",
		"{name: w, zone: z, addresses: [10.0.0.1], labels: [a]}",
		"{name: w, zone: z, addresses: [[10.0.0.1]]}",
		"{name: w, zone: z, addresses: []}",
		"{name: w, zone: z, addresses: {a: b}}",
		"{name: w, zone: z, addresses: ['', null]}",
		"{name: w, zone: nowhere, addresses: [10.0.0.1]}",
		"{name: w, zone: before, addresses: [10.0.0.1]}",
		"{name: w, zone: z}",
		"{name: W, zone: z, addresses: [10.0.0.1]}",
		"{name: before, zone: z, addresses: [10.0.0.1]}",
		"{zone: z, addresses: [10.0.0.1]}",
		"{name: w, zone: z, zone: z, addresses: [10.0.0.1]}",
		"{name: w, zone: z, adresses: [10.0.0.1]}",
		"{name: w, zone: [z], addresses: [10.0.0.1]}",
		"{name: w, podSelector: {matchLabels: {a: b}}, addresses: [10.0.0.1]}",
		"{name: w, zone: later, addresses: [10.0.0.1]}\n---\n" HEAD
		"{name: x, zone: later, addresses: [10.0.0.2]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		_free_ char *words = describe(entries[i], false);
		_free_ char *nodes = describe(entries[i], true);

		if (strcmp(words, nodes) != 0)
			fail_msg("%s: read as\n%s\nbut is\n%s", entries[i], words, nodes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_mean_what_nodes_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
