/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The body of a spec, as YAML, to a compiled policy: for tests of whatever follows the reader. */
#ifndef UNIT_POLICY_TEXT_H
#define UNIT_POLICY_TEXT_H

#include <stdio.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/load.h"
#include "util/mem.h"

struct compiled_text {
	struct policy *policy;
	struct compiled *compiled;
};

#define POLICY_TEXT_HEAD                                                                           \
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: t}\nspec:\n"

/* Each line of @spec is indented by two spaces already.  @env may be NULL. */
static inline struct compiled_text policy_text(const char *spec, const struct environment *env)
{
	const struct environment nowhere = {};
	struct compiled_text t = {};
	struct text whole = TEXT_INIT;
	struct diags d = {};
	struct source source;
	int err;

	text_add(&whole, POLICY_TEXT_HEAD);
	text_add(&whole, spec);
	source = source_of("t.yaml", whole.buf, whole.len);
	err = policy_load_sources(&source, 1, &d, &t.policy);
	if (!err)
		err = policy_compile(t.policy, env ? env : &nowhere, &d, &t.compiled);
	diags_print(&d, stderr);
	assert_int_equal(err, 0);
	diags_release(&d);
	text_release(&whole);
	return t;
}

static inline void policy_text_release(struct compiled_text *t)
{
	compiled_free(t->compiled);
	policy_free(t->policy);
}

#define _policy_text_ _cleanup_(policy_text_release)

#endif
