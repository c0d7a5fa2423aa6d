/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which keys a mapping may have and what their values may be, as tables; and typed values. */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/shown.h"
#include "policy/yaml_parts.h"
#include "util/diag.h"

enum key_need {
	KEY_OPTIONAL,
	KEY_REQUIRED,
};

enum key_form {
	FORM_ANY,
	FORM_TEXT,
	FORM_LIST,
	FORM_MAP,
};

struct schema_key {
	const char *name;
	enum key_need need;
	enum key_form form;
};

struct schema {
	const char *what; /* "a rule" */
	const struct schema_key *keys;
	size_t count;
};

/* What is let pass in a mapping. */
enum schema_manner {
	MANNER_STRICT,
	MANNER_NULL, /* null, which is as good as leaving the key out */
	MANNER_OPEN, /* that, and keys that the schema doesn't know */
};

/*
 * values[i] becomes the value of keys[i], or NULL if it is absent or of no use.  Everything wrong
 * with the keys and the forms of the values is reported.  False if @n is no mapping at all.
 */
bool schema_read_as(const struct node *n, const struct schema *s, enum schema_manner manner,
		    struct diags *d, const struct node **values);

/* In the strict manner. */
bool schema_read(const struct node *n, const struct schema *s, struct diags *d,
		 const struct node **values);

/*
 * The same of a folded mapping, as its values are written, with no text for what is absent.  False,
 * without a word: there is something wrong with it, or it is not that simple.
 */
bool schema_read_words(const struct node *n, const struct schema *s, struct yaml_word *words);

/* NULL if it is none of the keys. */
const struct schema_key *schema_find(const struct schema *s, const char *name);

/*
 * The items of a list, or the value alone: a loop over `next` sees each.  NULL with an error for an
 * empty list.  @n is a value of a mapping.
 */
const struct node *schema_items(const struct node *n, struct diags *d);

/* False with an error if @n isn't text. */
bool schema_is_text(const struct node *n, const char *what, struct diags *d);

/* Only the plain words true and false. */
bool schema_bool(const struct node *n, struct diags *d, bool *ret);

/* A choice of words. */
struct words {
	const char *what; /* "a mode" */
	const char *const *list;
	size_t count;
};

/* False with an error if @n is none of them. */
bool schema_word(const struct node *n, const struct words *words, struct diags *d, size_t *ret);

#endif
