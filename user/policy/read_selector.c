/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#include "policy/read_kubernetes.h"
#include "util/mem.h"

enum selector_key {
	SELECTOR_ZONE,
	SELECTOR_LABELS,
	SELECTOR_EXPRESSIONS,
	SELECTOR_CIDR,
	SELECTOR_EXCEPT,
	SELECTOR_NAMESPACES,
	SELECTOR_PODS,
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
	[SELECTOR_ZONE]        = { "zone",              KEY_OPTIONAL, FORM_TEXT },
	[SELECTOR_LABELS]      = { "labels",            KEY_OPTIONAL, FORM_MAP },
	[SELECTOR_EXPRESSIONS] = { "matchExpressions",  KEY_OPTIONAL, FORM_LIST },
	[SELECTOR_CIDR]        = { "cidr",              KEY_OPTIONAL, FORM_TEXT },
	[SELECTOR_EXCEPT]      = { "except",            KEY_OPTIONAL, FORM_ANY },
	[SELECTOR_NAMESPACES]  = { "namespaceSelector", KEY_OPTIONAL, FORM_MAP },
	[SELECTOR_PODS]        = { "podSelector",       KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key expression_keys[] = {
	[EXPRESSION_KEY]      = { "key",      KEY_REQUIRED, FORM_TEXT },
	[EXPRESSION_OPERATOR] = { "operator", KEY_REQUIRED, FORM_TEXT },
	[EXPRESSION_VALUES]   = { "values",   KEY_OPTIONAL, FORM_ANY },
};

static const struct schema selector_schema =
	{ "a selector", selector_keys, COUNT(selector_keys) };
static const struct schema expression_schema =
	{ "a label expression", expression_keys, COUNT(expression_keys) };
/* clang-format on */

struct builtin {
	const char *name;
	enum selector_kind kind;
};

static const struct builtin builtins[] = {
	{"any", SELECT_ANY},
	{"outside", SELECT_OUTSIDE},
	{"host", SELECT_HOST},
	{"remote-node", SELECT_NODES},
};

/* A name that nobody has: what is likely wrong with it. */
static void unknown_member(struct reader *r, const struct node *n)
{
	struct prefix prefix;

	if (names_find(&r->names, SCOPE_SERVICES, n->text))
		diag_error(r->diags, n->at,
			   "'%s' is a service; a zone or a workload is wanted here", n->text);
	else if (!prefix_parse(n->text, &prefix, NULL))
		diag_error(r->diags, n->at, "'%s' is an address; write {cidr: %s}", n->text,
			   n->text);
	else if (!n->text[0])
		diag_error(r->diags, n->at, "a selector can't be empty; name a zone or a workload");
	else
		names_unknown(&r->names, SCOPE_MEMBERS, "zone or workload", n->text, n->at);
}

static struct selector *read_member(struct reader *r, const struct node *n)
{
	const struct name *name;
	struct selector *s;

	for (size_t i = 0; i < COUNT(builtins); i++) {
		if (!strcmp(n->text, builtins[i].name))
			return selector_new(builtins[i].kind, n->at);
	}
	name = names_find(&r->names, SCOPE_MEMBERS, n->text);
	if (!name) {
		unknown_member(r, n);
		return NULL;
	}
	if (name->kind == NAME_ZONE) {
		s = selector_new(SELECT_ZONE, n->at);
		s->zone = name->index;
	} else {
		s = selector_new(SELECT_WORKLOAD, n->at);
		s->workload = name->index;
	}
	return s;
}

static struct selector *read_one_of(struct reader *r, const struct node *n)
{
	struct selector *s, *child;
	bool is_good = true;

	if (!schema_items(n, r->diags))
		return NULL;
	s = selector_new(SELECT_ONE_OF, n->at);
	node_foreach(item, n)
	{
		child = read_selector(r, item);
		if (child)
			vec_push(&s->children, child);
		is_good = is_good && child;
	}
	if (is_good && s->children.count > 1)
		return s;
	child = is_good ? s->children.items[0] : NULL;
	if (child)
		s->children.count = 0;
	selector_free(s);
	return child;
}

static struct selector *read_except(struct reader *r, const struct node *n)
{
	struct selector *child = read_selector(r, n);
	struct selector *s;

	if (!child)
		return NULL;
	s = selector_new(SELECT_EXCEPT, n->at);
	vec_push(&s->children, child);
	return s;
}

static void check_excepts(struct reader *r, const struct selector *s)
{
	char cidr[ADDRESS_STRLEN], except[ADDRESS_STRLEN];

	prefix_format(&s->prefix, cidr);
	vec_foreach (hole, &s->except) {
		bool is_same_family = prefix_is_v4(&hole->prefix) == prefix_is_v4(&s->prefix);

		prefix_format(&hole->prefix, except);
		if (!is_same_family || !prefix_contains(&s->prefix, &hole->prefix))
			diag_error(r->diags, hole->at, "'%s' is not within '%s'; leave it out",
				   except, cidr);
		else if (!prefix_cmp(&s->prefix, &hole->prefix))
			diag_error(r->diags, hole->at,
				   "'%s' is all of the cidr; an except must be narrower", except);
	}
}

static struct selector *read_cidr(struct reader *r, const struct node **v)
{
	struct selector *s = selector_new(SELECT_CIDR, v[SELECTOR_CIDR]->at);
	size_t errors = r->diags->errors;
	placed_prefixes cidr = {};

	read_prefixes(r, v[SELECTOR_CIDR], &cidr);
	read_prefixes(r, v[SELECTOR_EXCEPT], &s->except);
	if (cidr.count) {
		s->prefix = cidr.items[0].prefix;
		check_excepts(r, s);
	}
	vec_release(&cidr);
	if (r->diags->errors == errors)
		return s;
	selector_free(s);
	return NULL;
}

static void add_label(struct reader *r, const struct node *key, struct selector *s)
{
	struct requirement requirement = {.kind = REQUIRE_IN};

	if (!read_label_key(r, key) || !read_label_value(r, key->value))
		return;
	requirement.key = xstrdup(key->text);
	vec_push(&requirement.values, xstrdup(key->value->text));
	vec_push(&s->requirements, requirement);
}

/* KEY: VALUE, with texts that are kept. */
static void keep_requirement(struct reader *r, requirements *out, char *key, char *value)
{
	char **values = arena_copy(&r->policy->memory, &value, sizeof(value), _Alignof(char *));

	out->items[out->count++] = (struct requirement){
		.kind = REQUIRE_IN,
		.key = key,
		.values = {values, 1, 0},
	};
}

/* The same of all labels, where there is nothing but labels: there may be many such selectors. */
static void keep_labels(struct reader *r, const struct node *n, struct selector *s)
{
	struct arena *memory = &r->policy->memory;
	requirements *out = &s->requirements;

	out->items = arena_take(memory, n->count * sizeof(*out->items),
				_Alignof(struct requirement));
	node_foreach(key, n)
	{
		if (read_label_key(r, key) && read_label_value(r, key->value))
			keep_requirement(r, out, keep_text(r, key), keep_text(r, key->value));
	}
}

static void add_values(struct reader *r, const struct node *n, struct requirement *requirement)
{
	const struct node *item = schema_items(n, r->diags);

	for (; item; item = item->next) {
		if (read_label_value(r, item))
			vec_push(&requirement->values, xstrdup(item->text));
	}
}

static void add_expression(struct reader *r, const struct node *n, struct selector *s)
{
	struct requirement requirement = {};
	const struct node *v[EXPRESSION_KEYS];
	const char *word;
	bool wants_values;

	if (!schema_read(n, &expression_schema, r->diags, v))
		return;
	if (v[EXPRESSION_KEY] && read_label_key(r, v[EXPRESSION_KEY]))
		requirement.key = xstrdup(v[EXPRESSION_KEY]->text);
	if (v[EXPRESSION_OPERATOR] && read_operator(r, v[EXPRESSION_OPERATOR], &requirement.kind)) {
		word = requirement_word(requirement.kind);
		wants_values = requirement_wants_values(requirement.kind);
		if (wants_values && !v[EXPRESSION_VALUES])
			diag_error(r->diags, n->at, "missing key 'values'; %s needs it", word);
		else if (!wants_values && v[EXPRESSION_VALUES])
			diag_error(r->diags, v[EXPRESSION_VALUES]->at,
				   "%s takes no values; leave them out", word);
	}
	if (v[EXPRESSION_VALUES])
		add_values(r, v[EXPRESSION_VALUES], &requirement);
	vec_push(&s->requirements, requirement);
}

static struct selector *read_label_selector(struct reader *r, const struct node **v)
{
	const struct node *labels_given = v[SELECTOR_LABELS];
	const struct node *expressions = v[SELECTOR_EXPRESSIONS];
	struct selector *s = selector_new(SELECT_LABELS,
					  labels_given ? labels_given->at : expressions->at);
	size_t errors = r->diags->errors;

	if (labels_given && !labels_given->first)
		diag_error(r->diags, labels_given->at, "the labels are empty; leave the key out");
	if (labels_given && !expressions)
		keep_labels(r, labels_given, s);
	for (const struct node *key = labels_given && expressions ? labels_given->first : NULL; key;
	     key = key->next)
		add_label(r, key, s);
	for (const struct node *item = expressions ? schema_items(expressions, r->diags) : NULL;
	     item; item = item->next)
		add_expression(r, item, s);
	if (r->diags->errors == errors)
		return s;
	selector_free(s);
	return NULL;
}

static struct selector *read_zone_selector(struct reader *r, const struct node *n)
{
	size_t zone = read_zone_name(r, n->text, n->at);
	struct selector *s;

	if (zone == POLICY_NONE)
		return NULL;
	s = selector_new(SELECT_ZONE, n->at);
	s->zone = zone;
	return s;
}

static struct selector *read_zone_and_labels(struct reader *r, const struct node **v)
{
	struct selector *zone = read_zone_selector(r, v[SELECTOR_ZONE]);
	struct selector *chosen = read_label_selector(r, v);
	struct selector *s;

	if (!zone || !chosen) {
		selector_free(zone);
		selector_free(chosen);
		return NULL;
	}
	s = selector_new(SELECT_ALL_OF, zone->at);
	vec_push(&s->children, zone);
	vec_push(&s->children, chosen);
	return s;
}

/*
 * `cidr` and `except` mean something of their own: nothing is "and"ed to them.  Pods' selectors are
 * "and"ed to each other only.
 */
static bool is_alone(struct reader *r, const struct node **v, const char *what)
{
	static const enum selector_key others[] = {SELECTOR_ZONE, SELECTOR_LABELS,
						   SELECTOR_EXPRESSIONS, SELECTOR_NAMESPACES,
						   SELECTOR_PODS};
	bool are_pods = strstr(what, "Selector");
	bool is_good = true;

	for (size_t i = 0; i < COUNT(others); i++) {
		bool is_own = are_pods && others[i] >= SELECTOR_NAMESPACES;

		if (!v[others[i]] || is_own)
			continue;
		diag_error(r->diags, v[others[i]]->at, "'%s' can't stand beside '%s'",
			   selector_keys[others[i]].name, what);
		is_good = false;
	}
	return is_good;
}

static struct selector *read_pods(struct reader *r, const struct node *n, const struct node **v)
{
	bool has_namespaces = v[SELECTOR_NAMESPACES];
	size_t errors = r->diags->errors;
	struct selector *s;

	if (!is_alone(r, v, has_namespaces ? "namespaceSelector" : "podSelector"))
		return NULL;
	s = read_pod_selector(r, n->at, POLICY_NONE, v[SELECTOR_NAMESPACES], v[SELECTOR_PODS]);
	if (r->diags->errors == errors)
		return s;
	selector_free(s);
	return NULL;
}

static struct selector *read_map(struct reader *r, const struct node *n)
{
	const struct node *v[SELECTOR_KEYS];

	if (!n->first) {
		diag_error(r->diags, n->at, "the selector is empty; write any for every address");
		return NULL;
	}
	schema_read(n, &selector_schema, r->diags, v);
	if (v[SELECTOR_CIDR])
		return is_alone(r, v, "cidr") ? read_cidr(r, v) : NULL;
	if (v[SELECTOR_EXCEPT])
		return is_alone(r, v, "except") ? read_except(r, v[SELECTOR_EXCEPT]) : NULL;
	if (v[SELECTOR_NAMESPACES] || v[SELECTOR_PODS])
		return read_pods(r, n, v);
	if (v[SELECTOR_LABELS] || v[SELECTOR_EXPRESSIONS])
		return v[SELECTOR_ZONE] ? read_zone_and_labels(r, v) : read_label_selector(r, v);
	if (v[SELECTOR_ZONE])
		return read_zone_selector(r, v[SELECTOR_ZONE]);
	return NULL; /* every key was of no use, and that was told */
}

struct selector *read_selector(struct reader *r, const struct node *n)
{
	if (node_is_missing(n)) {
		diag_error(r->diags, n->at, "nothing is here; name a zone or a workload");
		return NULL;
	}
	switch (n->kind) {
	case NODE_TEXT:
		return read_member(r, n);
	case NODE_LIST:
		return read_one_of(r, n);
	case NODE_MAP:
		return read_map(r, n);
	}
	return NULL;
}

/* {labels: {KEY: VALUE}}, of which large policies have many; false for all else. */
static bool take_labels(const struct yaml_word *word, struct yaml_word *at, struct label_words *ret)
{
	struct yaml_part part;

	if (!yaml_word_parts(word, &part, 1) ||
	    !yaml_word_is(&part.key, selector_keys[SELECTOR_LABELS].name))
		return false;
	*at = part.value;
	at->len = 1; /* its bracket */
	return read_label_words(&part.value, ret) && ret->count;
}

static struct selector *keep_label_words(struct reader *r, const struct label_words *words,
					 struct span at)
{
	struct arena *memory = &r->policy->memory;
	struct selector *s = selector_keep(memory, SELECT_LABELS, at);
	requirements *out = &s->requirements;

	out->items = arena_take(memory, words->count * sizeof(*out->items),
				_Alignof(struct requirement));
	for (size_t i = 0; i < words->count; i++) {
		const struct yaml_label *label = &words->items[i];

		keep_requirement(r, out, keep_word(r, &label->key),
				 keep_word(r, &label->value.text));
	}
	return s;
}

struct selector *read_selector_word(struct reader *r, const struct node *entry,
				    const struct yaml_word *word)
{
	struct label_words words;
	struct yaml_word at;

	if (take_labels(word, &at, &words))
		return keep_label_words(r, &words, yaml_word_at(entry, &at));
	return read_selector(r, read_word(r, entry, word));
}
