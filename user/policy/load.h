/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* YAML files to a policy. */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include "policy/model.h"
#include "util/diag.h"

/*
 * Reads files and directories (their *.yaml and *.yml, sorted) as one policy, in the order given; a
 * file given twice is read once.  Everything wrong goes to @d, all of it.  0 if there was no error,
 * else -EINVAL.  *ret is set in either case and owns the sources that @d points into, so it must
 * outlive @d; with errors it is good for nothing else.
 */
int policy_load(const char *const *paths, size_t count, struct diags *d, struct policy **ret);

/* The same from memory; takes the contents of @sources over. */
int policy_load_sources(struct source *sources, size_t count, struct diags *d, struct policy **ret);

/* Addresses of a pod that a text has without them: one for many that nothing tells apart. */
struct pod_addresses {
	const char *pod; /* "namespace/name" */
	const struct bh_addr *addresses;
	size_t count;
};

/* What depends on the texts that were found: is told of them, and has more. */
struct load_more {
	/* Appends to @out, whose contents are taken over, and *@ret, to be freed, ends without a
	 * pod. */
	void (*fn)(void *user, struct source *const *texts, size_t count, source_list *out,
		   struct pod_addresses **ret);
	void *user;
	size_t last; /* so many of the texts stay the last ones */
};

struct load_input {
	const char *const *paths;
	size_t path_count;
	struct source *sources; /* their contents are taken over */
	size_t source_count;
	const struct load_more *more; /* NULL: there is none */
};

/* Paths, then texts, as one policy. */
int policy_load_input(const struct load_input *input, struct diags *d, struct policy **ret);

/* Diagnostics from number @from on, with their notes: to the order of the files and their lines. */
void policy_sort_diags(const struct policy *p, struct diags *d, size_t from);

#endif
