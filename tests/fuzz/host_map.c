/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/fuzz/host_map.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/mem.h"
#include "util/vec.h"

#define MAPS_MAX 64

/* An entry of a hash or a trie. */
struct node {
	struct node *next;
	bool is_kept;
	unsigned char *value;
	unsigned char key[];
};

/* Arrays are one piece of memory, of which the kernel gives what is touched. */
struct store {
	struct host_map map;
	size_t stride;
	unsigned char *array;
	struct node *nodes; /* the newest first */
	uint32_t count;
};

/* What was somewhere before a program could write there. */
struct change {
	unsigned char *at;
	size_t len;
	size_t before; /* in `bytes_before` */
};

static struct store stores[HOST_WORLDS][MAPS_MAX];
static struct store *world = stores[0];
static VEC(struct change) changes;
static VEC(unsigned char) bytes_before;
static VEC(struct node *) removed; /* programs may still hold their values */

void host_choose_world(unsigned int number)
{
	assert(number < HOST_WORLDS);
	world = stores[number];
}

static bool is_array(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void make_array(struct store *s)
{
	size_t size = s->stride * s->map.max_entries;

	s->array = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->array == MAP_FAILED)
		abort();
}

static struct store *store_of(const struct host_map *map)
{
	struct store *s = world;

	while (s->map.definition && s->map.definition != map->definition)
		s++;
	assert(s < world + MAPS_MAX - 1);
	if (s->map.definition)
		return s;
	assert(is_array(map->type) || map->type == BPF_MAP_TYPE_HASH ||
	       map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LPM_TRIE);
	s->map = *map;
	s->stride = (map->value_size + 7) & ~(size_t)7;
	if (is_array(map->type))
		make_array(s);
	return s;
}

static void remember(unsigned char *at, size_t len)
{
	struct change change = {at, len, bytes_before.count};

	vec_push(&changes, change);
	vec_append(&bytes_before, at, len);
}

/* --- finding --- */

static unsigned char *array_at(const struct store *s, const void *key)
{
	uint32_t at;

	memcpy(&at, key, sizeof(at));
	return at < s->map.max_entries ? s->array + s->stride * at : NULL;
}

static struct node *find_exact(const struct store *s, const void *key)
{
	struct node *node = s->nodes;

	while (node && memcmp(node->key, key, s->map.key_size) != 0)
		node = node->next;
	return node;
}

static uint32_t prefix_len(const unsigned char *key)
{
	uint32_t len;

	memcpy(&len, key, sizeof(len));
	return len;
}

static bool has_prefix(const unsigned char *key, const unsigned char *prefix)
{
	uint32_t bits = prefix_len(prefix), bytes = bits / 8;
	const unsigned char *a = key + sizeof(bits), *b = prefix + sizeof(bits);

	if (bits > prefix_len(key) || memcmp(a, b, bytes) != 0)
		return false;
	return bits % 8 == 0 || (a[bytes] ^ b[bytes]) >> (8 - bits % 8) == 0;
}

static struct node *find_longest(const struct store *s, const void *key)
{
	struct node *longest = NULL;

	for (struct node *node = s->nodes; node; node = node->next) {
		if (has_prefix(key, node->key) &&
		    (!longest || prefix_len(node->key) > prefix_len(longest->key)))
			longest = node;
	}
	return longest;
}

void *host_map_lookup(const struct host_map *map, const void *key)
{
	const struct store *s = store_of(map);
	unsigned char *value = NULL;
	struct node *node;

	if (is_array(map->type)) {
		value = array_at(s, key);
	} else {
		node = map->type == BPF_MAP_TYPE_LPM_TRIE ? find_longest(s, key)
							  : find_exact(s, key);
		if (node)
			value = node->value;
	}
	if (value)
		remember(value, map->value_size);
	return value;
}

/* --- changing --- */

static void remove_node(struct store *s, struct node *node)
{
	struct node **at = &s->nodes;

	assert(!node->is_kept);
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	s->count--;
	vec_push(&removed, node);
}

static struct node *oldest(const struct store *s)
{
	struct node *node = s->nodes;

	while (node->next)
		node = node->next;
	return node;
}

static int add_node(struct store *s, const void *key, const void *value)
{
	struct node *node;

	if (s->count >= s->map.max_entries) {
		if (s->map.type != BPF_MAP_TYPE_LRU_HASH)
			return -E2BIG;
		remove_node(s, oldest(s));
	}
	node = xmalloc(sizeof(*node) + s->map.key_size);
	*node = (struct node){.next = s->nodes, .value = xmalloc(s->map.value_size)};
	memcpy(node->key, key, s->map.key_size);
	memcpy(node->value, value, s->map.value_size);
	s->nodes = node;
	s->count++;
	return 0;
}

int host_map_update(const struct host_map *map, const void *key, const void *value, uint64_t flags)
{
	struct store *s = store_of(map);
	unsigned char *at;
	struct node *node;

	if (is_array(map->type)) {
		at = array_at(s, key);
		if (!at)
			return -E2BIG;
	} else {
		node = find_exact(s, key);
		if (!node && (flags & BPF_EXIST))
			return -ENOENT;
		if (!node)
			return add_node(s, key, value);
		at = node->value;
	}
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	remember(at, map->value_size);
	memcpy(at, value, map->value_size);
	return 0;
}

int host_map_delete(const struct host_map *map, const void *key)
{
	struct store *s = store_of(map);
	struct node *node;

	if (is_array(map->type))
		return -EINVAL;
	node = find_exact(s, key);
	if (!node)
		return -ENOENT;
	remove_node(s, node);
	return 0;
}

/* --- going back --- */

static void forget_changes(void)
{
	changes.count = 0;
	bytes_before.count = 0;
}

void host_maps_keep(void)
{
	forget_changes();
	for (size_t i = 0; i < (size_t)HOST_WORLDS * MAPS_MAX; i++) {
		for (struct node *node = stores[i / MAPS_MAX][i % MAPS_MAX].nodes; node;
		     node = node->next)
			node->is_kept = true;
	}
}

static void drop_new(struct store *s)
{
	while (s->nodes && !s->nodes->is_kept)
		remove_node(s, s->nodes);
}

void host_maps_reset(void)
{
	for (size_t i = changes.count; i-- > 0;) {
		const struct change *c = &changes.items[i];

		memcpy(c->at, bytes_before.items + c->before, c->len);
	}
	forget_changes();
	for (unsigned int w = 0; w < HOST_WORLDS; w++) {
		for (struct store *s = stores[w]; s->map.definition; s++)
			drop_new(s);
	}
	for (size_t i = 0; i < removed.count; i++) {
		free(removed.items[i]->value);
		free(removed.items[i]);
	}
	removed.count = 0;
}
