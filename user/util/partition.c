/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/partition.h"

#include <string.h>

#include "util/map.h"
#include "util/mem.h"

/* Most keys are that of the element before. */
static void split_by_keys(struct partition *p, const uint64_t *keys)
{
	struct map numbers = {};

	for (uint32_t i = 0; i < p->elements; i++) {
		if (i && keys[i] == keys[i - 1])
			p->part[i] = p->part[i - 1];
		else
			p->part[i] = (uint32_t)*map_put(&numbers, &keys[i], sizeof(keys[i]),
							numbers.count, NULL);
	}
	p->parts = (uint32_t)numbers.count;
	map_release(&numbers);
}

void partition_init(struct partition *p, uint32_t elements, const uint64_t *keys)
{
	memset(p, 0, sizeof(*p));
	p->elements = elements;
	p->part = xcalloc((size_t)elements + 1, sizeof(*p->part));
	p->size = xcalloc((size_t)elements + 1, sizeof(*p->size));
	p->hits = xcalloc((size_t)elements + 1, sizeof(*p->hits));
	p->moved = xcalloc((size_t)elements + 1, sizeof(*p->moved));
	p->parts = 1;
	if (keys)
		split_by_keys(p, keys);
	for (uint32_t i = 0; i < elements; i++)
		p->size[p->part[i]]++;
}

void partition_split(struct partition *p, const uint32_t *members, size_t count)
{
	p->touched.count = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t part = p->part[members[i]];

		if (!p->hits[part]++)
			vec_push(&p->touched, part);
	}
	vec_foreach (part, &p->touched) {
		uint32_t hits = p->hits[*part];

		p->hits[*part] = 0;
		p->moved[*part] = *part;
		if (hits == p->size[*part])
			continue;
		p->size[*part] -= hits;
		p->size[p->parts] = hits;
		p->moved[*part] = p->parts++;
	}
	for (size_t i = 0; i < count; i++)
		p->part[members[i]] = p->moved[p->part[members[i]]];
}

void partition_number(struct partition *p)
{
	uint32_t *numbers = p->moved;
	uint32_t next = 0;

	for (uint32_t i = 0; i < p->parts; i++)
		numbers[i] = UINT32_MAX;
	for (uint32_t i = 0; i < p->elements; i++) {
		uint32_t *number = &numbers[p->part[i]];

		if (*number == UINT32_MAX)
			*number = next++;
		p->part[i] = *number;
	}
	memset(p->size, 0, p->parts * sizeof(*p->size));
	for (uint32_t i = 0; i < p->elements; i++)
		p->size[p->part[i]]++;
}

void partition_release(struct partition *p)
{
	free(p->part);
	free(p->size);
	free(p->hits);
	free(p->moved);
	vec_release(&p->touched);
	memset(p, 0, sizeof(*p));
}
