/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries of a table in memory that is shared with the kernel, while somebody looks at them: what
 * stays mapped counts as this process's memory, all of it.
 */
#ifndef DATAPATH_TABLE_VIEW_H
#define DATAPATH_TABLE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct table;

struct table_view {
	void *bytes; /* the first entry */
	void *pages;
	size_t size; /* of the pages */
};

/* @size bytes from entry @first on.  -errno if there are not so many, or they can't be mapped. */
int table_view_open(const struct table *table, uint32_t first, size_t size, struct table_view *ret);

/* The same, for who writes in place. */
int table_view_share(const struct table *table, uint32_t first, size_t size,
		     struct table_view *ret);
void table_view_close(struct table_view *view);
#define _table_view_ _cleanup_(table_view_close)

#endif
