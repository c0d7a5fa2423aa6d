/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of a prefix table share (policy/prefix_table.h). */
#ifndef POLICY_PREFIX_HASH_H
#define POLICY_PREFIX_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/tables.h>

static inline bool prefix_entry_is_v4(const struct bh_prefix *p)
{
	return !p->high && p->low >> 32 == 0xffff;
}

/* As in bpf/identify.h. */
static inline uint64_t prefix_hash(const struct bh_prefix_hash *hash, const struct bh_prefix *p)
{
	const uint32_t *key = hash->key;
	uint64_t sum = (uint64_t)((uint32_t)(p->high >> 32) + key[0]) *
			       ((uint32_t)p->high + key[1]) +
		       (uint64_t)((uint32_t)(p->low >> 32) + key[2]) * ((uint32_t)p->low + key[3]) +
		       (uint64_t)(BH_PREFIX_LEN(p->word) + key[4]) * key[5];

	return (sum ^ sum >> 32) * hash->factor;
}

#endif
