/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What thousands of rules write alike, their ends and lists of services: it is read once. */
#ifndef POLICY_READ_ONCE_H
#define POLICY_READ_ONCE_H

#include "policy/model.h"
#include "policy/yaml_parts.h"
#include "util/map.h"
#include "util/text.h"

/* A list of services as it was read, without an error. */
struct services_once {
	services services; /* kept in policy.memory, as the text is */
	char *text;        /* as written, joined with ", " */
	size_t ranges;     /* that it counts, before they were joined */
};

struct read_once {
	struct map ends;     /* as written -> struct selector * */
	struct map services; /* as written -> index into lists */
	VEC(struct services_once) lists;
	struct text key; /* scratch */
};

#define READ_ONCE_INIT                                                                             \
	{                                                                                          \
		.key = TEXT_INIT                                                                   \
	}

void read_once_release(struct read_once *o);

/*
 * How a node is written, as a key for what is below, until the next one; false for what is read
 * each time.  What is written in a folded entry is its own key.
 */
bool read_once_end_key(struct read_once *o, const struct node *n, struct yaml_word *ret);
bool read_once_services_key(struct read_once *o, const struct node *n, struct yaml_word *ret);

/* What was noted of an end that is written so; NULL: nothing. */
struct selector *read_once_end(const struct read_once *o, const struct yaml_word *key);

/*
 * Notes what was read, and returns it; NULL is nothing.  The selector becomes one that all have who
 * write it so, and its place is where it was first named: of some kinds that is told, and they are
 * not noted.
 */
struct selector *read_once_note_end(struct read_once *o, const struct yaml_word *key,
				    struct policy *p, struct selector *s);

/* The same of a list of services, or one alone; valid until the next is noted. */
const struct services_once *read_once_services(const struct read_once *o,
					       const struct yaml_word *key);
void read_once_note_services(struct read_once *o, const struct yaml_word *key,
			     const struct services_once *list);

#endif
