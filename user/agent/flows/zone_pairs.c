/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/zone_pairs.h"

#include <string.h>

#include "policy/model.h"
#include "util/mem.h"

#define KEY_LEN (2 * (4 * POLICY_NAME_MAX + 1)) /* a character may be four bytes */

static size_t put_name(const char *name, char *place)
{
	size_t len = strnlen(name, KEY_LEN / 2 - 1);

	memcpy(place, name, len);
	place[len] = '\0';
	return len + 1;
}

/* Both names with their NULs. */
static size_t make_key(const char *from, const char *to, char key[static KEY_LEN])
{
	size_t len = put_name(from, key);

	return len + put_name(to, key + len);
}

static size_t find(struct zone_pairs *pairs, const char *from, const char *to)
{
	char key[KEY_LEN];
	size_t len = make_key(from, to, key);
	uint64_t *place = map_get(&pairs->places, key, len);

	if (!place && pairs->list.count >= ZONE_PAIRS_MAX) {
		from = to = ZONE_PAIRS_OTHER;
		len = make_key(from, to, key);
		place = map_get(&pairs->places, key, len);
	}
	if (!place) {
		place = map_put(&pairs->places, key, len, pairs->list.count, NULL);
		vec_push(&pairs->list,
			 (struct zone_pair){.from = xstrdup(from), .to = xstrdup(to)});
	}
	return *place;
}

static bool is_pair(const struct zone_pair *pair, const char *from, const char *to)
{
	return !strcmp(pair->from, from) && !strcmp(pair->to, to);
}

void zone_pairs_add(struct zone_pairs *pairs, const char *from, const char *to,
		    unsigned int verdict)
{
	from = from ? from : "";
	to = to ? to : "";
	if (verdict >= BH_VERDICT_COUNT)
		return;
	if (!pairs->list.count || !is_pair(&pairs->list.items[pairs->last], from, to))
		pairs->last = find(pairs, from, to);
	pairs->list.items[pairs->last].events[verdict]++;
}

void zone_pairs_release(struct zone_pairs *pairs)
{
	vec_foreach (pair, &pairs->list) {
		free(pair->from);
		free(pair->to);
	}
	vec_release(&pairs->list);
	map_release(&pairs->places);
}
