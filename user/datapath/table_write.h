/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entries of a table that nobody reads yet, as they are to be. */
#ifndef DATAPATH_TABLE_WRITE_H
#define DATAPATH_TABLE_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct table;

/*
 * Brings entries from @first on to what @from has: reads all of them, and writes what is not there
 * already, in place where the kernel shares the table for writing.  The last entry may be in part:
 * no program reads the rest.  -EIO: what is there afterwards is not that.
 */
int table_write(const struct table *table, uint32_t first, const void *from, size_t size);

#endif
