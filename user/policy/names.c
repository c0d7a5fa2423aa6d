/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/names.h"

#include <ctype.h>
#include <string.h>

#include "policy/model.h"
#include "policy/shown.h"
#include "util/text.h"

#define SUGGESTION_EFFORT 50000000 /* steps of comparing in a run, then there are none */

static const char *const reserved[] = {"any", "host", "outside", "remote-node", "default"};

static const enum name_scope scope_of_kind[] = {
	[NAME_ZONE] = SCOPE_MEMBERS, [NAME_WORKLOAD] = SCOPE_MEMBERS, [NAME_POD] = SCOPE_MEMBERS,
	[NAME_NODE] = SCOPE_MEMBERS, [NAME_SERVICE] = SCOPE_SERVICES, [NAME_RULE] = SCOPE_RULES,
	[NAME_NEVER] = SCOPE_NEVERS,
};

const char *name_kind_word(enum name_kind kind)
{
	switch (kind) {
	case NAME_ZONE:
		return "a zone";
	case NAME_WORKLOAD:
		return "a workload";
	case NAME_POD:
		return "a pod";
	case NAME_NODE:
		return "a node";
	case NAME_SERVICE:
		return "a service";
	case NAME_RULE:
		return "a rule";
	case NAME_NEVER:
		return "a promise";
	}
	return "";
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* What is wrong with it as a name, or NULL. */
static const char *name_fault(const char *s)
{
	size_t len = strnlen(s, POLICY_NAME_MAX + 1);

	if (!len)
		return "is empty";
	if (len > POLICY_NAME_MAX)
		return "is longer than 100 characters";
	for (size_t i = 0; i < len; i++) {
		if (is_name_char(s[i]) || s[i] == '-' || s[i] == '.')
			continue;
		if (isupper((unsigned char)s[i]))
			return "has capital letters; names are lower case";
		return "has other characters than a-z, 0-9, '-' and '.'";
	}
	if (!is_name_char(s[0]) || !is_name_char(s[len - 1]))
		return "must start and end with a letter or a digit";
	return NULL;
}

static bool is_reserved(const char *s)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (!strcmp(s, reserved[i]))
			return true;
	}
	return false;
}

void names_init(struct names *n, struct diags *diags)
{
	static const char *const builtin[] = {"any", "host", "outside", "remote-node"};

	*n = (struct names){.diags = diags};
	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		vec_push(&n->scopes[SCOPE_MEMBERS].words, builtin[i]);
	vec_push(&n->scopes[SCOPE_SERVICES].words, builtin[0]);
}

void names_expect(struct names *n, enum name_scope scope, size_t count)
{
	map_reserve(&n->scopes[scope].places, count);
	vec_reserve(&n->scopes[scope].names, count);
	vec_reserve(&n->scopes[scope].words, count);
}

void names_define(struct names *n, const struct name *name)
{
	struct scope *scope = &n->scopes[scope_of_kind[name->kind]];
	bool is_ours = name->kind != NAME_POD && name->kind != NAME_NODE;
	const char *fault = is_ours ? name_fault(name->text) : NULL;
	size_t len = strlen(name->text);
	char buf[SHOWN_SIZE];
	uint64_t *place;
	bool is_new;

	if (fault) {
		diag_error(n->diags, name->at, "the name '%s' %s", shown(name->text, buf), fault);
		return;
	}
	if (is_ours && is_reserved(name->text)) {
		diag_error(n->diags, name->at, "the name '%s' is reserved; choose another",
			   name->text);
		return;
	}
	place = map_put(&scope->places, name->text, len, scope->names.count, &is_new);
	if (is_new) {
		vec_push(&scope->names, *name);
		vec_push(&scope->words, name->text);
		scope->letters += len;
		return;
	}
	diag_error(n->diags, name->at, "the name '%s' is already that of %s; choose another",
		   name->text, name_kind_word(scope->names.items[*place].kind));
	diag_note(n->diags, scope->names.items[*place].at, "first defined here");
}

const struct name *names_find(const struct names *n, enum name_scope scope, const char *text)
{
	const struct scope *s = &n->scopes[scope];
	const uint64_t *place = map_get(&s->places, text, strlen(text));

	return place ? &s->names.items[*place] : NULL;
}

void names_unknown(struct names *n, enum name_scope scope, const char *what, const char *text,
		   struct span at)
{
	const struct scope *s = &n->scopes[scope];
	const char *nearest = NULL;
	char buf[SHOWN_SIZE];

	if (n->is_incomplete)
		return;
	if (n->effort < SUGGESTION_EFFORT &&
	    strnlen(text, POLICY_NAME_MAX + 1) <= POLICY_NAME_MAX) {
		nearest = text_nearest(text, s->words.items, s->words.count);
		n->effort += strlen(text) * s->letters;
	}
	if (nearest)
		diag_error(n->diags, at, "unknown %s '%s'; did you mean '%s'?", what,
			   shown(text, buf), nearest);
	else
		diag_error(n->diags, at, "unknown %s '%s'; define it, or use one that is defined",
			   what, shown(text, buf));
}

void names_release(struct names *n)
{
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		map_release(&n->scopes[i].places);
		vec_release(&n->scopes[i].names);
		vec_release(&n->scopes[i].words);
	}
}
