/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines in which programs find most of what is in the tries of own addresses
 * (bulkhead/endpoint.h). */
#ifndef DATAPATH_OWN_LINES_H
#define DATAPATH_OWN_LINES_H

#include <stddef.h>
#include <stdint.h>

#include <bulkhead/endpoint.h>

struct workload_endpoint;

/* Shared memory. */
struct own_lines {
	struct bh_source_line *sources; /* by endpoint */
	struct bh_local_head *head;
	struct bh_local_line *local;
};

/*
 * From the first until the second, programs ask the trie, which changes in between.  If that fails,
 * they go on to: whoever begins again puts it right.
 */
void own_sources_begin(const struct own_lines *lines, uint16_t endpoint);
void own_sources_end(const struct own_lines *lines, const struct workload_endpoint *w);

/* @keys and @flags are all that is in the trie. */
void own_local_begin(const struct own_lines *lines);
void own_local_end(const struct own_lines *lines, const struct bh_local_key *keys,
		   const uint32_t *flags, size_t count);

#endif
