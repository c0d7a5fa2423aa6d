/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs' maps in the memory of a test.  Each of several worlds has all maps to itself. */
#ifndef FUZZ_HOST_MAP_H
#define FUZZ_HOST_MAP_H

#include <stddef.h>
#include <stdint.h>

#define HOST_WORLDS 4

/* What a definition says, and its address, which is the map's name. */
struct host_map {
	const void *definition;
	uint32_t type; /* enum bpf_map_type */
	uint32_t max_entries;
	size_t key_size;
	size_t value_size;
};

/* The same as the helpers for programs, in the world that was chosen last. */
void *host_map_lookup(const struct host_map *map, const void *key);
int host_map_update(const struct host_map *map, const void *key, const void *value, uint64_t flags);
int host_map_delete(const struct host_map *map, const void *key);

void host_choose_world(unsigned int world);

/* All that is in the maps of all worlds now is what host_maps_reset() goes back to. */
void host_maps_keep(void);
void host_maps_reset(void);

#endif
