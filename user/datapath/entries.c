/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/entries.h"

#include <errno.h>
#include <time.h>

#include <bpf/bpf.h>

#include "util/mem.h"

#define KEYS_FIRST    64
#define NOMEM_TRIES   50
#define NOMEM_WAIT_NS 1000000
#define COUNT_BATCH   1024 /* more than a bucket of a hash ever holds */

void keys_release(struct keys *keys)
{
	free(keys->bytes);
	*keys = (struct keys){};
}

/* The place of the next key; what is there already stays. */
static void *keys_room(struct keys *keys)
{
	if (keys->count == keys->size) {
		keys->size = keys->size ? keys->size * 2 : KEYS_FIRST;
		keys->bytes = xrealloc(keys->bytes, keys->size, keys->key_size);
	}
	return KEY_AT(keys, keys->count);
}

int keys_read(int fd, size_t key_size, struct keys *ret)
{
	_keys_ struct keys keys = {.key_size = key_size};
	int err;

	for (;;) {
		void *next = keys_room(&keys);
		const void *last = keys.count ? KEY_AT(&keys, keys.count - 1) : NULL;

		err = bpf_map_get_next_key(fd, last, next);
		if (err)
			break;
		keys.count++;
	}
	if (err != -ENOENT)
		return err;
	*ret = keys;
	keys.bytes = NULL;
	return 0;
}

/* A trie takes its nodes from a per-CPU reserve that refills a moment later (kernels from 6.13). */
static int put_one(int fd, const void *key, const void *value)
{
	const struct timespec wait = {.tv_nsec = NOMEM_WAIT_NS};
	int err = -ENOMEM;

	for (int i = 0; err == -ENOMEM && i < NOMEM_TRIES; i++) {
		if (i)
			nanosleep(&wait, NULL);
		err = bpf_map_update_elem(fd, key, value, BPF_ANY);
	}
	return err;
}

static const char *key_at(const struct entries *e, size_t i)
{
	return (const char *)e->keys + i * e->key_size;
}

static const char *value_at(const struct entries *e, size_t i)
{
	return (const char *)e->values + i * e->value_size;
}

/*
 * A batch that fails is done again one by one, whatever its error: batches came to some types of
 * map after 5.10, and how far one got is told only for some errors.
 */
int entries_put(int fd, const struct entries *entries)
{
	__u32 done = (__u32)entries->count;
	int err = 0;

	if (!done || !bpf_map_update_batch(fd, entries->keys, entries->values, &done, NULL))
		return 0;
	for (size_t i = 0; !err && i < entries->count; i++)
		err = put_one(fd, key_at(entries, i), value_at(entries, i));
	return err;
}

int entries_drop(int fd, const struct entries *entries)
{
	__u32 done = (__u32)entries->count;

	if (!done || !bpf_map_delete_batch(fd, entries->keys, &done, NULL))
		return 0;
	for (size_t i = 0; i < entries->count; i++) {
		int err = bpf_map_delete_elem(fd, key_at(entries, i));

		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

int entries_zero(int fd, uint32_t count, size_t value_size)
{
	_free_ uint32_t *keys = xcalloc(count, sizeof(*keys));
	_free_ void *values = xcalloc(count, value_size);
	const struct entries entries = {keys, sizeof(*keys), values, value_size, count};

	for (uint32_t i = 0; i < count; i++)
		keys[i] = i;
	return entries_put(fd, &entries);
}
