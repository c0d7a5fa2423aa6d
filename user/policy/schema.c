/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/schema.h"

#include <assert.h>
#include <string.h>

#include "util/text.h"

#define KEYS_MAX       32 /* in one schema */
#define NO_BREAK_SPACE "\u00a0"

static bool has_form(const struct node *n, enum key_form form)
{
	switch (form) {
	case FORM_ANY:
		return true;
	case FORM_TEXT:
		return n->kind == NODE_TEXT;
	case FORM_LIST:
		return n->kind == NODE_LIST;
	case FORM_MAP:
		return n->kind == NODE_MAP;
	}
	return false;
}

static const char *form_word(enum key_form form)
{
	switch (form) {
	case FORM_ANY:
		return "a value";
	case FORM_TEXT:
		return "text";
	case FORM_LIST:
		return "a list";
	case FORM_MAP:
		return "a mapping";
	}
	return "";
}

/* "name, from, to and services". */
static void add_words(struct text *out, const char *const *words, size_t count, const char *last)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_add(out, i + 1 == count ? last : ", ");
		text_add(out, words[i]);
	}
}

const struct schema_key *schema_find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->keys[i].name, name))
			return &s->keys[i];
	}
	return NULL;
}

/* The same; most mappings have their keys in the order of the schema, some left out. */
static const struct schema_key *find_after(const struct schema *s, const struct schema_key *last,
					   const char *name)
{
	const struct schema_key *next = last ? last + 1 : s->keys;

	if (next < s->keys + s->count && !strcmp(next->name, name))
		return next;
	return schema_find(s, name);
}

/* The key that was likely meant, or NULL. */
static const struct schema_key *unknown_key(const struct node *key, const struct schema *s,
					    struct diags *d)
{
	_text_ struct text known = TEXT_INIT;
	const char *names[KEYS_MAX] = {};
	const char *nearest;
	char buf[SHOWN_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		names[count++] = s->keys[i].name;
	nearest = text_nearest(key->text, names, count);
	if (nearest) {
		diag_error(
			d, key->at, "unknown key '%s'%s; did you mean '%s'?", shown(key->text, buf),
			strstr(key->text, NO_BREAK_SPACE) ? " with a no-break space" : "", nearest);
		return schema_find(s, nearest);
	}
	add_words(&known, names, count, " and ");
	diag_error(d, key->at, "unknown key '%s'; %s has %s", shown(key->text, buf), s->what,
		   known.buf);
	return NULL;
}

static void take_value(const struct node *key, const struct schema_key *known, struct diags *d,
		       const struct node **ret)
{
	const struct node *value = key->value;

	if (node_is_missing(value))
		diag_error(d, value->at, "'%s' has no value; write one, or leave the key out",
			   known->name);
	else if (!has_form(value, known->form))
		diag_error(d, value->at, "'%s' must be %s, not %s", known->name,
			   form_word(known->form), node_is_null(value) ? "null" : node_word(value));
	else
		*ret = value;
}

struct reading {
	const struct schema *schema;
	enum schema_manner manner;
	struct diags *diags;
};

/* @known: the key that it is, or NULL.  That or the one that it was meant to be, if that is told.
 */
static const struct schema_key *read_key(const struct node *key, const struct schema_key *known,
					 const struct reading *r, const struct node **values)
{
	const struct schema *s = r->schema;
	enum schema_manner manner = r->manner;
	struct diags *d = r->diags;

	if (known && manner != MANNER_STRICT && node_is_null(key->value)) {
		if (known->need == KEY_REQUIRED)
			diag_error(d, key->at,
				   "'%s' has no value, and %s needs it; check the "
				   "indentation of what follows",
				   known->name, s->what);
		return known;
	}
	if (known)
		take_value(key, known, d, &values[known - s->keys]);
	else if (manner != MANNER_OPEN)
		known = unknown_key(key, s, d);
	return known;
}

bool schema_read_as(const struct node *n, const struct schema *s, enum schema_manner manner,
		    struct diags *d, const struct node **values)
{
	const struct reading r = {s, manner, d};
	const struct schema_key *last = NULL;
	uint32_t given = 0; /* a bit a key; what was only misspelled isn't missing too */

	assert(s->count <= KEYS_MAX);
	memset(values, 0, s->count * sizeof(*values));
	if (n->kind != NODE_MAP) {
		diag_error(d, n->at, "%s must be a mapping, not %s", s->what,
			   node_is_missing(n) ? "nothing" : node_word(n));
		return false;
	}
	node_foreach(key, n)
	{
		const struct schema_key *known = find_after(s, last, key->text);

		last = known;
		known = read_key(key, known, &r, values);
		if (known)
			given |= 1u << (known - s->keys);
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->keys[i].need == KEY_REQUIRED && !(given & 1u << i))
			diag_error(d, n->at, "missing key '%s'; %s needs it", s->keys[i].name,
				   s->what);
	}
	return true;
}

bool schema_read(const struct node *n, const struct schema *s, struct diags *d,
		 const struct node **values)
{
	return schema_read_as(n, s, MANNER_STRICT, d, values);
}

static const struct schema_key *find_word(const struct schema *s, const struct schema_key *last,
					  const struct yaml_word *word)
{
	const struct schema_key *end = s->keys + s->count, *next = last ? last + 1 : s->keys;

	if (next < end && yaml_word_is(word, next->name))
		return next;
	for (next = s->keys; next < end; next++) {
		if (yaml_word_is(word, next->name))
			return next;
	}
	return NULL;
}

static bool has_word_form(const struct yaml_word *word, enum key_form form)
{
	switch (form) {
	case FORM_ANY:
		return true;
	case FORM_TEXT:
		return yaml_word_is_text(word);
	case FORM_LIST:
		return *word->text == '[';
	case FORM_MAP:
		return *word->text == '{';
	}
	return false;
}

bool schema_read_words(const struct node *n, const struct schema *s, struct yaml_word *words)
{
	struct yaml_part parts[KEYS_MAX];
	size_t count = yaml_parts(n, parts, s->count);
	const struct schema_key *key = NULL;

	memset(words, 0, s->count * sizeof(*words));
	for (size_t i = 0; i < count; i++) {
		key = find_word(s, key, &parts[i].key);
		if (!key || words[key - s->keys].text || !has_word_form(&parts[i].value, key->form))
			return false;
		words[key - s->keys] = parts[i].value;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->keys[i].need == KEY_REQUIRED && !words[i].text)
			return false;
	}
	return count;
}

const struct node *schema_items(const struct node *n, struct diags *d)
{
	if (n->kind != NODE_LIST)
		return n;
	if (!n->first)
		diag_error(d, n->at, "the list is empty; leave the key out, or name something");
	return n->first;
}

bool schema_is_text(const struct node *n, const char *what, struct diags *d)
{
	if (n->kind == NODE_TEXT && !node_is_missing(n))
		return true;
	diag_error(d, n->at, "%s must be text, not %s", what,
		   node_is_missing(n) ? "nothing" : node_word(n));
	return false;
}

bool schema_bool(const struct node *n, struct diags *d, bool *ret)
{
	char buf[SHOWN_SIZE];
	bool is_true = !strcmp(n->text, "true");

	if (n->is_plain && (is_true || !strcmp(n->text, "false"))) {
		*ret = is_true;
		return true;
	}
	diag_error(d, n->at, "'%s' is not true or false%s", shown(n->text, buf),
		   n->is_plain ? "" : "; leave out the quotes");
	return false;
}

bool schema_word(const struct node *n, const struct words *words, struct diags *d, size_t *ret)
{
	_text_ struct text known = TEXT_INIT;
	char buf[SHOWN_SIZE];
	const char *nearest;

	for (size_t i = 0; i < words->count; i++) {
		if (!strcmp(n->text, words->list[i])) {
			*ret = i;
			return true;
		}
	}
	nearest = text_nearest(n->text, words->list, words->count);
	if (nearest) {
		diag_error(d, n->at, "'%s' is not %s; did you mean '%s'?", shown(n->text, buf),
			   words->what, nearest);
		return false;
	}
	add_words(&known, words->list, words->count, " or ");
	diag_error(d, n->at, "'%s' is not %s; it is %s", shown(n->text, buf), words->what,
		   known.buf);
	return false;
}
