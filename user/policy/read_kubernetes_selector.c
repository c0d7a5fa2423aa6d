/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes.h"

#include <string.h>

#include "policy/kube_names.h"
#include "util/mem.h"

enum selector_key {
	SELECTOR_LABELS,
	SELECTOR_EXPRESSIONS,
	SELECTOR_KEYS
};

enum expression_key {
	EXPRESSION_KEY,
	EXPRESSION_OPERATOR,
	EXPRESSION_VALUES,
	EXPRESSION_KEYS
};

/* clang-format off */
static const struct schema_key selector_keys[] = {
	[SELECTOR_LABELS]      = { "matchLabels",      KEY_OPTIONAL, FORM_MAP },
	[SELECTOR_EXPRESSIONS] = { "matchExpressions", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key expression_keys[] = {
	[EXPRESSION_KEY]      = { "key",      KEY_REQUIRED, FORM_TEXT },
	[EXPRESSION_OPERATOR] = { "operator", KEY_REQUIRED, FORM_TEXT },
	[EXPRESSION_VALUES]   = { "values",   KEY_OPTIONAL, FORM_LIST },
};

static const struct schema selector_schema =
	{ "a label selector", selector_keys, COUNT(selector_keys) };
static const struct schema expression_schema =
	{ "a label expression", expression_keys, COUNT(expression_keys) };
/* clang-format on */

static bool check_key(struct reader *r, const struct node *n)
{
	const char *fault = kube_key_fault(n->text);
	char buf[SHOWN_SIZE];

	if (fault)
		diag_error(r->diags, n->at, "the label's key '%s' %s", shown(n->text, buf), fault);
	return !fault;
}

/* What a label's value says, NULL with an error; null is empty, as the API server reads it. */
static const char *value_text(struct reader *r, const struct node *n)
{
	const char *fault;
	char buf[SHOWN_SIZE];

	if (node_is_null(n))
		return "";
	if (!schema_is_text(n, "a label's value", r->diags))
		return NULL;
	fault = kube_value_fault(n->text);
	if (!fault)
		return n->text;
	diag_error(r->diags, n->at, "the label's value '%s' %s", shown(n->text, buf), fault);
	return NULL;
}

void read_object_labels(struct reader *r, const struct node *n, labels *out)
{
	if (!n)
		return;
	node_foreach(key, n)
	{
		const char *value = check_key(r, key) ? value_text(r, key->value) : NULL;

		if (value)
			vec_push(out, (struct label){xstrdup(key->text), xstrdup(value), key->at});
	}
}

static void add_label(struct reader *r, const struct node *key, requirements *out)
{
	struct requirement requirement = {.kind = REQUIRE_IN};
	const char *value = check_key(r, key) ? value_text(r, key->value) : NULL;

	if (!value)
		return;
	requirement.key = xstrdup(key->text);
	vec_push(&requirement.values, xstrdup(value));
	vec_push(out, requirement);
}

static void add_values(struct reader *r, const struct node *n, struct requirement *requirement)
{
	node_foreach(item, n)
	{
		const char *value = value_text(r, item);

		if (value)
			vec_push(&requirement->values, xstrdup(value));
	}
}

/* @is_told: something is wrong with the keys, the values perhaps. */
static bool read_operator_of(struct reader *r, const struct node *const *v, bool is_told,
			     enum requirement_kind *ret)
{
	const struct node *n = v[EXPRESSION_OPERATOR], *values = v[EXPRESSION_VALUES];
	bool has_values = values && values->first, wants_values;

	if (!n || !read_operator(r, n, ret))
		return false;
	wants_values = requirement_wants_values(*ret);
	if (wants_values && !has_values && !is_told)
		diag_error(r->diags, n->at, "'%s' needs values; list at least one",
			   requirement_word(*ret));
	else if (!wants_values && has_values)
		diag_error(r->diags, values->at, "'%s' takes no values; leave them out",
			   requirement_word(*ret));
	return true;
}

static void add_expression(struct reader *r, const struct node *n, requirements *out)
{
	struct requirement requirement = {};
	const struct node *v[EXPRESSION_KEYS];
	size_t errors = r->diags->errors;
	bool is_told;

	if (!schema_read_as(n, &expression_schema, MANNER_NULL, r->diags, v))
		return;
	is_told = r->diags->errors != errors;
	if (!v[EXPRESSION_KEY] || !check_key(r, v[EXPRESSION_KEY]))
		return;
	if (!read_operator_of(r, v, is_told, &requirement.kind))
		return;
	requirement.key = xstrdup(v[EXPRESSION_KEY]->text);
	if (v[EXPRESSION_VALUES])
		add_values(r, v[EXPRESSION_VALUES], &requirement);
	vec_push(out, requirement);
}

void read_requirements(struct reader *r, const struct node *n, requirements *out)
{
	const struct node *v[SELECTOR_KEYS];

	if (!n || !schema_read_as(n, &selector_schema, MANNER_NULL, r->diags, v))
		return;
	if (v[SELECTOR_LABELS]) {
		node_foreach(key, v[SELECTOR_LABELS]) add_label(r, key, out);
	}
	if (v[SELECTOR_EXPRESSIONS]) {
		node_foreach(item, v[SELECTOR_EXPRESSIONS]) add_expression(r, item, out);
	}
}

struct selector *read_pod_selector(struct reader *r, struct span at, size_t space,
				   const struct node *namespaces, const struct node *pods)
{
	struct selector *s = selector_new(SELECT_PODS, at);

	s->space = space;
	read_requirements(r, namespaces, &s->space_requirements);
	read_requirements(r, pods, &s->requirements);
	return s;
}

bool read_masked_cidr(struct reader *r, const struct node *n, struct prefix *ret)
{
	_text_ struct text reason = TEXT_INIT;
	char buf[SHOWN_SIZE], network[ADDRESS_STRLEN];
	const char *wrong;
	bool is_masked;

	if (!schema_is_text(n, "a cidr", r->diags))
		return false;
	if (strchr(n->text, '/'))
		wrong = prefix_parse_masked(n->text, ret, &is_masked, &reason);
	else
		wrong = "a cidr has a prefix length, such as 10.0.0.0/8";
	if (wrong)
		diag_error(r->diags, n->at, "'%s': %s", shown(n->text, buf), wrong);
	else if (is_masked)
		diag_warning(r->diags, n->at, "'%s' has host bits set; it counts as %s",
			     shown(n->text, buf), prefix_format(ret, network));
	return !wrong;
}
