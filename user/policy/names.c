/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/names.h"

#include <ctype.h>
#include <string.h>

#include "policy/model.h"
#include "policy/shown.h"
#include "util/map.h"
#include "util/mem.h"
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

/* Of a name's first and last character, and of those between them. */
enum {
	AT_ENDS = 1,
	INSIDE = 2,
};

/* clang-format off */
static const unsigned char kinds[256] = {
	['a' ... 'z'] = AT_ENDS | INSIDE, ['0' ... '9'] = AT_ENDS | INSIDE,
	['-'] = INSIDE, ['.'] = INSIDE,
};
/* clang-format on */

static bool is_kind(char c, unsigned char kind)
{
	return kinds[(unsigned char)c] & kind;
}

/* What is wrong with it as a name, or NULL. */
static const char *name_fault(const char *s, size_t len)
{
	size_t i = 0;

	if (!len)
		return "is empty";
	if (len > POLICY_NAME_MAX)
		return "is longer than 100 characters";
	while (i < len && is_kind(s[i], INSIDE))
		i++;
	if (i < len && isupper((unsigned char)s[i]))
		return "has capital letters; names are lower case";
	if (i < len)
		return "has other characters than a-z, 0-9, '-' and '.'";
	if (!is_kind(s[0], AT_ENDS) || !is_kind(s[len - 1], AT_ENDS))
		return "must start and end with a letter or a digit";
	return NULL;
}

static bool is_reserved(const char *s)
{
	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (s[0] == reserved[i][0] && !strcmp(s, reserved[i]))
			return true;
	}
	return false;
}

void names_init(struct names *n, struct diags *diags)
{
	*n = (struct names){.diags = diags};
}

void names_expect(struct names *n, enum name_scope scope, size_t count)
{
	numbering_reserve(&n->scopes[scope].numbers, count);
	vec_reserve(&n->scopes[scope].names, count);
}

void names_prefetch(const struct names *n, enum name_scope scope, const char *text, size_t len)
{
	const struct numbering *numbers = &n->scopes[scope].numbers;

	if (numbers->size)
		__builtin_prefetch(&numbers->places[hash_key(text, len) & (numbers->size - 1)]);
}

struct wanted {
	const struct scope *scope;
	const char *text;
};

static bool is_wanted(const void *what, uint32_t number)
{
	const struct wanted *wanted = what;

	return !strcmp(wanted->scope->names.items[number].text, wanted->text);
}

void names_define(struct names *n, const struct name *name)
{
	struct scope *scope = &n->scopes[scope_of_kind[name->kind]];
	bool is_ours = name->kind != NAME_POD && name->kind != NAME_NODE;
	size_t len = strlen(name->text);
	const char *fault = is_ours ? name_fault(name->text, len) : NULL;
	struct numbering_place *place;
	const struct name *first;
	char buf[SHOWN_SIZE];

	if (fault) {
		diag_error(n->diags, name->at, "the name '%s' %s", shown(name->text, buf), fault);
		return;
	}
	if (is_ours && is_reserved(name->text)) {
		diag_error(n->diags, name->at, "the name '%s' is reserved; choose another",
			   name->text);
		return;
	}
	place = numbering_find(&scope->numbers, hash_key(name->text, len), is_wanted,
			       &(struct wanted){scope, name->text});
	if (!place->number) {
		vec_push(&scope->names, *name);
		place->number = (uint32_t)scope->names.count;
		scope->letters += len;
		return;
	}
	first = &scope->names.items[place->number - 1];
	diag_error(n->diags, name->at, "the name '%s' is already that of %s; choose another",
		   name->text, name_kind_word(first->kind));
	diag_note(n->diags, first->at, "first defined here");
}

const struct name *names_find(const struct names *n, enum name_scope scope, const char *text)
{
	const struct scope *s = &n->scopes[scope];
	const struct numbering_place *place;

	if (!s->numbers.count)
		return NULL;
	place = numbering_at(&s->numbers, hash_key(text, strlen(text)), is_wanted,
			     &(struct wanted){s, text});
	return place->number ? &s->names.items[place->number - 1] : NULL;
}

/* Of what the scope has, and what is built in. */
static const char *nearest_name(const struct scope *s, bool are_members, const char *text)
{
	static const char *const builtin[] = {"any", "host", "outside", "remote-node"};
	size_t builtins = are_members ? COUNT(builtin) : 1, count = builtins + s->names.count;
	_free_ const char **words = xcalloc(count, sizeof(*words));

	memcpy(words, builtin, builtins * sizeof(*words));
	for (size_t i = 0; i < s->names.count; i++)
		words[builtins + i] = s->names.items[i].text;
	return text_nearest(text, words, count);
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
		nearest = nearest_name(s, scope == SCOPE_MEMBERS, text);
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
		numbering_release(&n->scopes[i].numbers);
		vec_release(&n->scopes[i].names);
	}
}
