/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define WALK_BATCH 4096

/* Writes of one diff.  They are kept until all are known, so that drops make room for puts. */
struct prefix_writes {
	uint32_t slot;
	VEC(struct bh_prefix_key) drops;
	VEC(struct bh_prefix_key) puts;
	VEC(uint32_t) identities; /* parallel to puts */
};

static int trie_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_prefixes);
}

static struct bh_prefix_key key_of(const struct prefix *prefix, uint32_t slot)
{
	return (struct bh_prefix_key){
		.prefix_len = BH_SLOT_BITS + prefix->len,
		.slot = slot,
		.addr = prefix->addr,
	};
}

static int keep_put(void *user, const struct image_prefix *entry)
{
	struct prefix_writes *writes = user;

	vec_push(&writes->puts, key_of(&entry->prefix, writes->slot));
	vec_push(&writes->identities, entry->identity);
	return 0;
}

static int keep_drop(void *user, const struct prefix *prefix)
{
	struct prefix_writes *writes = user;

	vec_push(&writes->drops, key_of(prefix, writes->slot));
	return 0;
}

static void writes_release(struct prefix_writes *writes)
{
	vec_release(&writes->drops);
	vec_release(&writes->puts);
	vec_release(&writes->identities);
}

static void list_add(prefix_list *list, const struct bh_prefix_key *key, uint32_t identity)
{
	struct image_prefix entry = {
		.prefix = {.addr = key->addr, .len = (uint8_t)(key->prefix_len - BH_SLOT_BITS)},
		.identity = identity,
	};

	vec_push(list, entry);
}

/* For kernels whose tries have no batches. */
static int walk_singly(int fd, uint32_t slot, prefix_list *list)
{
	_keys_ struct keys keys = {};
	int err = keys_read(fd, sizeof(struct bh_prefix_key), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		const struct bh_prefix_key *key = KEY_AT(&keys, i);
		uint32_t identity;

		if (key->slot != slot)
			continue;
		err = bpf_map_lookup_elem(fd, key, &identity);
		if (!err)
			list_add(list, key, identity);
	}
	return err;
}

static int walk_in_batches(int fd, uint32_t slot, prefix_list *list)
{
	_free_ struct bh_prefix_key *keys = xcalloc(WALK_BATCH, sizeof(*keys));
	_free_ uint32_t *identities = xcalloc(WALK_BATCH, sizeof(*identities));
	struct bh_prefix_key last;
	bool is_first = true;
	int err = 0;

	while (!err) {
		__u32 count = WALK_BATCH;

		err = bpf_map_lookup_batch(fd, is_first ? NULL : &last, &last, keys, identities,
					   &count, NULL);
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; i < count; i++) {
			if (keys[i].slot == slot)
				list_add(list, &keys[i], identities[i]);
		}
		is_first = false;
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct image_prefix *left = a, *right = b;

	return prefix_cmp(&left->prefix, &right->prefix);
}

/* What the trie holds for @slot, sorted. */
static int walk(int fd, uint32_t slot, prefix_list *list)
{
	int err;

	list->count = 0;
	err = walk_in_batches(fd, slot, list);
	if (err) {
		list->count = 0;
		err = walk_singly(fd, slot, list);
	}
	if (!err && list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_entries);
	return err;
}

static int write_all(int fd, const struct prefix_writes *writes)
{
	const struct entries drops = {
		.keys = writes->drops.items,
		.key_size = sizeof(*writes->drops.items),
		.count = writes->drops.count,
	};
	const struct entries puts = {
		.keys = writes->puts.items,
		.key_size = sizeof(*writes->puts.items),
		.values = writes->identities.items,
		.value_size = sizeof(*writes->identities.items),
		.count = writes->puts.count,
	};
	int err = entries_drop(fd, &drops);

	return err ? err : entries_put(fd, &puts);
}

static bool is_equal(const struct prefix_table *a, const struct prefix_table *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (prefix_cmp(&a->items[i].prefix, &b->items[i].prefix) ||
		    a->items[i].identity != b->items[i].identity)
			return false;
	}
	return true;
}

/* Until it ends well, nobody knows what the trie holds. */
static int write_and_read(int fd, const struct prefix_writes *writes, struct shadow *shadow,
			  const struct prefix_table *want)
{
	prefix_list *held = &shadow->prefixes;
	struct prefix_table now;
	int err;

	shadow->is_known = false;
	err = write_all(fd, writes);
	if (!err)
		err = walk(fd, writes->slot, held);
	if (err)
		return err;
	now = (struct prefix_table){held->items, held->count};
	if (!is_equal(&now, want))
		return -EIO;
	shadow->is_known = true;
	return 0;
}

/* If there is nothing to write, what was read after the last write is what is there. */
int prefixes_fill(struct datapath *dp, uint32_t slot, const struct image *image)
{
	_cleanup_(writes_release)
	struct prefix_writes writes = {.slot = slot};
	const struct prefix_sink sink = {keep_put, keep_drop, &writes};
	const struct prefix_table want = {image->prefixes.items, image->prefixes.count};
	struct shadow *shadow = &dp->shadows[slot];
	struct prefix_table now;
	int err = 0;

	if (!shadow->is_known)
		err = walk(trie_fd(dp), slot, &shadow->prefixes);
	if (err)
		return err;
	shadow->is_known = true;
	now = (struct prefix_table){shadow->prefixes.items, shadow->prefixes.count};
	prefix_diff(&now, &want, &sink);
	if (!writes.drops.count && !writes.puts.count)
		return 0;
	return write_and_read(trie_fd(dp), &writes, shadow, &want);
}

int prefixes_set(struct datapath *dp, uint32_t slot, const struct image_prefix *entry,
		 bool is_listed)
{
	const struct bh_prefix_key key = key_of(&entry->prefix, slot);
	int err;

	/* The shadow is sorted: cheaper to read the trie before the next fill than to keep it. */
	dp->shadows[slot].is_known = false;
	if (is_listed)
		return bpf_map_update_elem(trie_fd(dp), &key, &entry->identity, BPF_ANY);
	err = bpf_map_delete_elem(trie_fd(dp), &key);
	return err == -ENOENT ? 0 : err;
}
