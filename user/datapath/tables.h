/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy's arrays as memory shared with the kernel, and an image's way into one slot of them. */
#ifndef DATAPATH_TABLES_H
#define DATAPATH_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/tables.h>

#include "datapath/table_view.h"
#include "policy/image.h"
#include "util/text.h"

enum table_id {
	TABLE_PREFIXES,
	TABLE_IDENTITIES,
	TABLE_SERVICES,
	TABLE_DIRECTORY,
	TABLE_BLOCKS,
	TABLE_LATER,
	TABLE_POLICIES,
	TABLE_KNOWN,
	TABLE_EVENT_PLACES,
	TABLE_COUNT,
};

struct table {
	int fd;
	uint32_t entries; /* of both slots; slot s has the s-th half */
	uint32_t size;    /* of an entry */
	bool is_shared;   /* for writing, too: or no program may write to it, and the kernel does */
};

struct tables {
	struct bh_control *control; /* written in place: one store switches policies */
	struct bh_epochs *epochs;   /* likewise */
	const struct bh_policy *policies;
	struct table_view prefixes[BH_SLOTS]; /* like the first, while addresses of it change */
	struct table of[TABLE_COUNT];
	struct bh_prefix_hash prefix_hash;
	uint32_t rule_entries;  /* of both slots */
	uint32_t event_entries; /* likewise: places for events */
};

/* Its own tables, but for what programs have in another form: tables_check() and tables_build() add
 * that. */
struct tables_content {
	const struct image *image;
	uint32_t slot; /* that it is for */
	struct grid_fold pairs;
	struct bh_identity *identities;
	struct bh_event_places *event_places;
	struct prefix_table prefixes;
};

void tables_content_release(struct tables_content *content);
#define _tables_content_ _cleanup_(tables_content_release)

/* Directory lines of both grids, as programs have them. */
uint64_t tables_lines(const struct image *image);

/* Prefixes and waypoints that so many lines take without much searching for places. */
uint32_t tables_prefix_room(uint32_t lines);

const struct bh_policy *tables_header(const struct tables *t, uint32_t slot);
/* A header that says that nothing is in @slot. */
int tables_clear_header(const struct tables *t, uint32_t slot);

/* What programs have found in @slot's grids.  Only while none of them reads the slot. */
int tables_forget_known(const struct tables *t, uint32_t slot);

/* -E2BIG: does not fit a slot; -EINVAL: contradicts itself.  @reterr says what and how much. */
int tables_check(const struct tables *t, struct tables_content *content, struct text *reterr);

/* As tables_check(), of the prefixes. */
int tables_build(const struct tables *t, struct tables_content *content, struct text *reterr);

/* Where the content is in its slot. */
struct bh_policy tables_place(const struct tables *t, const struct tables_content *content,
			      uint32_t generation);

/*
 * Brings the arrays to where @at says, as table_write(), the slot's header last.  Nobody reads them
 * before; whoever then finds the slot by a word that is stored with release finds all of it.
 */
int tables_fill(const struct tables *t, const struct tables_content *content,
		const struct bh_policy *at);

/* As table_write(). */
int tables_write(const struct tables *t, enum table_id table, uint32_t first, const void *from,
		 size_t size);

/* The lines of @slot's prefixes, to be changed in place; NULL: they can't be mapped. */
struct bh_prefix_line *tables_prefixes(struct tables *t, uint32_t slot);

/* The same, to be read only, and until the view is closed. */
int tables_view_prefixes(const struct tables *t, uint32_t slot, struct table_view *ret);

/* Nobody looks at them any more: what is mapped counts as this process's memory. */
void tables_leave_prefixes(struct tables *t, uint32_t slot);

#endif
