/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Many entries of a map at once, in as few calls as the kernel allows. */
#ifndef DATAPATH_ENTRIES_H
#define DATAPATH_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct keys {
	size_t key_size;
	size_t count;
	size_t size; /* keys that there is room for */
	char *bytes;
};

#define KEY_AT(keys, i) ((void *)((keys)->bytes + (i) * (keys)->key_size))

/* Every key of a map that only the agent writes. */
int keys_read(int fd, size_t key_size, struct keys *ret);
void keys_release(struct keys *keys);
#define _keys_ _cleanup_(keys_release)

struct entries {
	const void *keys;
	size_t key_size;
	const void *values; /* not read by entries_drop() */
	size_t value_size;  /* times the possible CPUs if the map is per CPU */
	size_t count;
};

/* Keys that are there already are overwritten. */
int entries_put(int fd, const struct entries *entries);

/* Keys that are not there are no error. */
int entries_drop(int fd, const struct entries *entries);

/* Sets all values of an array to zero; the kernel leaves a lock in them alone. */
int entries_zero(int fd, uint32_t count, size_t value_size);

#endif
