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

/* Paths, then texts, as one policy; takes the contents of @sources over. */
int policy_load_both(const char *const *paths, size_t path_count, struct source *sources,
		     size_t source_count, struct diags *d, struct policy **ret);

/* Diagnostics from number @from on, with their notes: to the order of the files and their lines. */
void policy_sort_diags(const struct policy *p, struct diags *d, size_t from);

#endif
