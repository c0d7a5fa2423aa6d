/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/selector_share.h"

#include <string.h>

void selector_share_release(struct selector_share *share)
{
	map_release(&share->known);
	text_release(&share->key);
}

static void add_number(struct text *key, uint64_t number)
{
	text_addn(key, (const char *)&number, sizeof(number));
}

static void add_string(struct text *key, const char *s)
{
	text_addn(key, s, strlen(s) + 1);
}

static void add_requirements(struct text *key, const requirements *list)
{
	vec_foreach (r, list) {
		add_number(key, r->kind);
		add_string(key, r->key);
		add_number(key, r->values.count);
		vec_foreach (value, &r->values)
			add_string(key, *value);
	}
}

/* False for what is not shared. */
static bool make_key(struct text *key, const struct selector *s)
{
	text_reset(key);
	text_addc(key, (char)s->kind);
	switch (s->kind) {
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
		return true;
	case SELECT_ZONE:
		add_number(key, s->zone);
		return true;
	case SELECT_WORKLOAD:
		add_number(key, s->workload);
		return true;
	case SELECT_LABELS:
		add_requirements(key, &s->requirements);
		return true;
	case SELECT_PODS:
	case SELECT_NODES:
	case SELECT_CIDR:
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
	case SELECT_ONE_OF:
		break;
	}
	return false;
}

struct selector *selector_share(struct selector_share *share, struct selector *s)
{
	struct selector *first;
	bool is_new;

	if (!s || !make_key(&share->key, s))
		return s;
	first = (struct selector *)(uintptr_t)*map_put(&share->known, share->key.buf,
						       share->key.len, (uintptr_t)s, &is_new);
	if (is_new)
		return s;
	selector_free(s);
	first->others++;
	return first;
}
