/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "tests/reference/random_parts.h"
#include "util/cleanup.h"
#include "util/mem.h"

uint32_t random_below(struct random_policy *r, uint32_t bound)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)((r->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % bound;
}

bool random_one_in(struct random_policy *r, uint32_t n)
{
	return !random_below(r, n);
}

char *random_name(const char *word, size_t n)
{
	struct text t = TEXT_INIT;

	text_addf(&t, "%s%zu", word, n);
	return text_take(&t);
}

static struct prefix cut_to(const struct bh_addr *a, unsigned int len)
{
	struct prefix p = {.addr = *a, .len = (uint8_t)len};
	unsigned char *bytes = (unsigned char *)&p.addr;

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int kept = len > i * 8 ? len - i * 8 : 0;

		bytes[i] &= kept >= 8 ? 0xff : (unsigned char)(0xff00 >> kept);
	}
	return p;
}

struct bh_addr random_any_address(struct random_policy *r)
{
	uint32_t low = random_below(r, 4) << 8 |
		       random_below(r, 256) << (random_one_in(r, 3) ? 8 : 0) | random_below(r, 16);

	if (random_one_in(r, 2))
		return (struct bh_addr){{0, 0, htonl(0xffff), htonl(0x0a000000 | low)}};
	return (struct bh_addr){{htonl(0xfd000000), 0, 0, htonl(low)}};
}

struct prefix random_prefix(struct random_policy *r)
{
	static const uint8_t lens[] = {128, 128, 127, 126, 124, 122, 120, 118, 112, 104};
	struct bh_addr a = random_any_address(r);
	unsigned int len = lens[random_below(r, COUNT(lens))];

	if (random_one_in(r, 12))
		len = addr_is_v4(&a) ? 96 : 0;
	return cut_to(&a, len);
}

void random_note_prefix(struct random_policy *r, struct prefix p)
{
	vec_push(&r->prefixes, p);
}

void random_policy_make(struct random_policy *r, uint64_t seed, const struct random_shape *shape)
{
	/* A few small policies, some that have more classes than a block has columns. */
	static const uint32_t sizes[] = {1, 4, 4, 10, 10, 10, 20, 60};
	uint32_t size;

	memset(r, 0, sizeof(*r));
	r->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	r->policy = policy_new();
	r->is_native = shape->is_native || random_one_in(r, 3);
	r->is_cluster = !r->is_native && random_one_in(r, 2);
	r->now = random_one_in(r, 4) ? 0 : RANDOM_NOW;
	size = sizes[random_below(r, COUNT(sizes))];
	if (shape->workloads && size > shape->workloads)
		size = shape->workloads;
	random_add_members(r, size);
	for (uint32_t i = random_below(r, 3); i > 0; i--)
		vec_push(&r->hosts, random_any_address(r));
	random_add_rules(r, random_below(r, 3 * size + 2));
	random_add_promises(r);
}

void random_policy_release(struct random_policy *r)
{
	policy_free(r->policy);
	vec_release(&r->hosts);
	vec_release(&r->prefixes);
	vec_release(&r->edges);
}
