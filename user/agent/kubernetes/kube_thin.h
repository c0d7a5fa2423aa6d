/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Takes out of an object's JSON what is not needed, before a parser makes a tree of all of it. */
#ifndef AGENT_KUBERNETES_KUBE_THIN_H
#define AGENT_KUBERNETES_KUBE_THIN_H

#include <stdbool.h>

#include "util/text.h"

/* Keys of an object that are kept, the others go; in a list, of each of its items. */
struct keep {
	const char *key;           /* NULL: no more */
	const struct keep *within; /* NULL: all of it */
};

const struct keep *keep_find(const struct keep *list, const char *key, size_t len);

/*
 * Appends the object @json with what @list and @always keep, the latter however deep.  What goes is
 * not looked at any closer.  False if it is no JSON as far as that can be seen: ask a parser.
 */
bool kube_thin(const char *json, const struct keep *list, const struct keep *always,
	       struct text *out);

#endif
