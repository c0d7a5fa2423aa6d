/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/table_write.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "datapath/entries.h"
#include "datapath/table_view.h"
#include "datapath/tables.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define WINDOW 1048576u /* bytes that are mapped at once: they count as this process's memory */
#define RUN    4096u    /* bytes that are compared at once */

/* Whole entries, but for the last one of a table. */
struct span {
	uint32_t first; /* entry */
	const char *from;
	size_t size; /* bytes */
};

/* Entries that the kernel is to write. */
struct batch {
	uint32_t *keys;
	char *values;
	size_t count;
};

static void batch_release(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void add_entry(const struct table *table, const struct span *span, size_t at,
		      struct batch *out)
{
	size_t entries = (span->size + table->size - 1) / table->size;

	if (!out->keys) {
		out->keys = xcalloc(entries, sizeof(*out->keys));
		out->values = xcalloc(entries, table->size);
	}
	out->keys[out->count] = span->first + (uint32_t)(at / table->size);
	memcpy(out->values + out->count * table->size, span->from + at,
	       least(table->size, span->size - at));
	out->count++;
}

/* Those of a run that are not there. */
static void add_run(const struct table *table, const struct span *span, const char *there,
		    size_t at, struct batch *out)
{
	size_t end = least(at + RUN, span->size);

	for (; at < end; at += table->size) {
		if (memcmp(there + at, span->from + at, least(table->size, end - at)) != 0)
			add_entry(table, span, at, out);
	}
}

static int put_batch(const struct table *table, const struct span *span, const char *there,
		     const struct batch *batch)
{
	const struct entries entries = {batch->keys, sizeof(*batch->keys), batch->values,
					table->size, batch->count};
	int err = entries_put(table->fd, &entries);

	if (!err && memcmp(there, span->from, span->size) != 0)
		err = -EIO;
	return err;
}

static int write_there(const struct table *table, const struct span *span, char *there)
{
	_cleanup_(batch_release)
	struct batch batch = {};

	for (size_t at = 0; at < span->size; at += RUN) {
		size_t size = least(RUN, span->size - at);

		if (!memcmp(there + at, span->from + at, size))
			continue;
		if (table->is_shared)
			memcpy(there + at, span->from + at, size);
		else
			add_run(table, span, there, at, &batch);
	}
	return batch.count ? put_batch(table, span, there, &batch) : 0;
}

static int write_span(const struct table *table, const struct span *span)
{
	_table_view_ struct table_view view = {};
	int err = table->is_shared ? table_view_share(table, span->first, span->size, &view)
				   : table_view_open(table, span->first, span->size, &view);

	return err ? err : write_there(table, span, view.bytes);
}

int table_write(const struct table *table, uint32_t first, const void *from, size_t size)
{
	const size_t each = WINDOW / table->size;
	int err = 0;

	assert(RUN % table->size == 0);
	for (size_t at = 0; !err && at < size; at += each * table->size) {
		const struct span span = {
			.first = first + (uint32_t)(at / table->size),
			.from = (const char *)from + at,
			.size = least(each * table->size, size - at),
		};

		err = write_span(table, &span);
	}
	return err;
}
