/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/layout.h"

#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define FNV_PRIME 16777619u
#define DEPTH_MAX 16 /* structs in structs */

static uint32_t add_bytes(uint32_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * FNV_PRIME;
	return hash;
}

static uint32_t add_number(uint32_t hash, uint32_t number)
{
	return add_bytes(hash, &number, sizeof(number));
}

/* With the byte that ends it, so that two words are not one. */
static uint32_t add_word(uint32_t hash, const char *word)
{
	return add_bytes(hash, word, strlen(word) + 1);
}

static uint32_t add_type(uint32_t hash, const struct btf *btf, uint32_t id, int depth);

static uint32_t add_members(uint32_t hash, const struct btf *btf, const struct btf_type *type,
			    int depth)
{
	const struct btf_member *member = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		hash = add_word(hash, btf__name_by_offset(btf, member[i].name_off));
		hash = add_number(hash, member[i].offset);
		hash = add_type(hash, btf, member[i].type, depth + 1);
	}
	return hash;
}

static const struct btf_type *skip_names(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* Of an enum only the size: what its values mean is the version's to say. */
static uint32_t add_type(uint32_t hash, const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *type = skip_names(btf, id);

	if (!type || depth > DEPTH_MAX)
		return add_number(hash, 0);
	hash = add_number(hash, btf_kind(type));
	if (btf_is_array(type)) {
		hash = add_number(hash, btf_array(type)->nelems);
		return add_type(hash, btf, btf_array(type)->type, depth + 1);
	}
	hash = add_number(hash, type->size);
	if (btf_is_int(type))
		hash = add_number(hash, btf_int_encoding(type));
	return btf_is_composite(type) ? add_members(hash, btf, type, depth) : hash;
}

uint32_t layout_add(uint32_t hash, const struct btf *btf, const struct bpf_map *map)
{
	hash = add_word(hash, bpf_map__name(map));
	hash = add_type(hash, btf, bpf_map__btf_key_type_id(map), 0);
	return add_type(hash, btf, bpf_map__btf_value_type_id(map), 0);
}
