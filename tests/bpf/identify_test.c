/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lookup.skel.h"
#include "policy/image.h"
#include "tests/prefixes.h"
#include "util/mem.h"

#define ROUNDS   10
#define PREFIXES 1000
#define LOOKS    400
#define CHANGES  40
#define ROOM     16384 /* lines */

struct lookups {
	struct lookup_bpf *skel;
	struct bh_prefix_line *lines; /* of bh_prefixes */
};

static int set_up(void **state)
{
	struct lookups *l = xcalloc(1, sizeof(*l));
	struct bpf_map *map;

	l->skel = lookup_bpf__open();
	assert_non_null(l->skel);
	bpf_object__for_each_map(map, l->skel->obj)
	{
		bool is_wanted = map == l->skel->maps.bh_prefixes ||
				 map == l->skel->maps.bh_policies || bpf_map__is_internal(map);

		assert_int_equal(bpf_map__set_autocreate(map, is_wanted), 0);
	}
	assert_int_equal(bpf_map__set_max_entries(l->skel->maps.bh_prefixes, ROOM), 0);
	assert_int_equal(lookup_bpf__load(l->skel), 0);
	l->lines = mmap(NULL, ROOM * sizeof(*l->lines), PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(l->skel->maps.bh_prefixes), 0);
	assert_true(l->lines != MAP_FAILED);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct lookups *l = *state;

	munmap(l->lines, ROOM * sizeof(*l->lines));
	lookup_bpf__destroy(l->skel);
	free(l);
	return 0;
}

/* --- prefixes --- */

/* Of either family; in few enough places that prefixes are nested. */
static struct bh_addr random_addr(void)
{
	struct bh_addr a = {{0, 0, htonl(0xffff), htonl(0x0a000000 | (below(1 << 24) & 0xf0f01f))}};

	if (below(2))
		return a;
	for (unsigned int i = 0; i < 4; i++)
		a.word[i] = htonl(0x20000000 | (below(UINT32_MAX) & 0x0100011f));
	return a;
}

/* Each length often: chains of them, and those that share a run. */
static void random_image(struct image *image, uint32_t identities)
{
	image_init(image);
	for (uint32_t i = 0; i < identities; i++)
		vec_push(&image->identities, (struct image_identity){});
	for (uint32_t i = below(PREFIXES); i; i--) {
		struct bh_addr a = random_addr();
		struct prefix p = cut(&a, below(3) ? below(129) : 120 + below(9));

		vec_push(&image->prefixes, (struct image_prefix){p, below(identities)});
	}
	order(image);
}

/* --- the program --- */

/* In as few lines as can be, so that much is not where it is looked for first. */
static void build_full(const struct image *image, struct prefix_table *ret)
{
	struct bh_prefix_hash hash = {.factor = below(UINT32_MAX) * UINT64_C(0x100000001) | 1};
	size_t room = BH_START_LINES + prefix_table_entries(image) / 6;
	int err;

	for (size_t i = 0; i < COUNT(hash.key); i++)
		hash.key[i] = below(UINT32_MAX);
	do
		err = prefix_table_build(image, &hash, room++, ret);
	while (err == -E2BIG);
	assert_int_equal(err, 0);
}

static void put_table(struct lookups *l, const struct image *image, struct bh_prefixes *ret)
{
	int policies = bpf_map__fd(l->skel->maps.bh_policies);
	_prefix_table_ struct prefix_table t = {};
	struct bh_policy policy = {.generation = 1};
	const __u32 slot = 0;

	build_full(image, &t);
	memcpy(l->lines, t.lines, t.line_count * sizeof(*t.lines));
	policy.prefixes = t.head;
	assert_int_equal(bpf_map_update_elem(policies, &slot, &policy, BPF_ANY), 0);
	*ret = t.head;
}

static uint32_t look_up(struct lookups *l, const struct bh_addr *a)
{
	bool is_v4 = addr_is_v4(a);
	uint8_t packet[ETH_HLEN + sizeof(struct ipv6hdr)] = {};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = packet,
		.data_size_in = sizeof(packet),
		.repeat = 1,
	};
	const struct bpf_program *program = is_v4 ? l->skel->progs.lookup_v4
						  : l->skel->progs.lookup_v6;

	if (is_v4)
		memcpy(packet + ETH_HLEN + offsetof(struct iphdr, saddr), &a->word[3], 4);
	else
		memcpy(packet + ETH_HLEN + offsetof(struct ipv6hdr, saddr), a, sizeof(*a));
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	return *(volatile uint32_t *)&l->skel->bss->identity;
}

static void assert_same(struct lookups *l, const struct image *image, const struct bh_addr *a)
{
	uint32_t got = look_up(l, a), want = naive(image, a);
	char buf[ADDRESS_STRLEN];

	if (got != want)
		fail_msg("%s: %u, not %u", addr_format(a, buf), got, want);
}

static void look_everywhere(struct lookups *l, const struct image *image)
{
	vec_foreach (p, &image->prefixes) {
		struct bh_addr last = prefix_last(&p->prefix);

		assert_same(l, image, &p->prefix.addr);
		assert_same(l, image, &last);
	}
	for (int i = 0; i < LOOKS; i++) {
		struct bh_addr a = random_addr();

		assert_same(l, image, &a);
	}
}

static int put(struct lookups *l, const struct bh_prefixes *head, const struct bh_prefix *entry)
{
	int err = prefix_lines_put(l->lines, head, entry);

	if (err != -ENOSPC)
		return err;
	prefix_lines_clear_way(l->lines, head, entry);
	prefix_lines_forget(l->lines, head);
	return prefix_lines_put(l->lines, head, entry);
}

/* Programs find what is changed in place, too, if it finds a place. */
static void change_some(struct lookups *l, const struct bh_prefixes *head, struct image *image,
			uint32_t identities)
{
	for (int i = 0; i < CHANGES; i++) {
		struct bh_addr a = random_addr();
		uint32_t identity = below(identities);
		const struct bh_prefix entry = prefix_entry_of(&a, identity);

		if (!put(l, head, &entry)) {
			image_set_identity(image, &a, identity);
			assert_int_equal(look_up(l, &a), identity);
		}
		a.word[3] ^= htonl(below(32));
		assert_int_equal(look_up(l, &a), image_identity(image, &a));
	}
}

/* As few identities as an entry of two bytes has room for, or more. */
static void the_program_finds_what_trying_all_finds(void **state)
{
	struct lookups *l = *state;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t identities = round % 4 ? 1000 : 3 * BH_RUN_IDENTITIES;
		struct bh_prefixes head;
		struct image image;

		random_image(&image, identities);
		put_table(l, &image, &head);
		look_everywhere(l, &image);
		change_some(l, &head, &image, identities);
		image_release(&image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_program_finds_what_trying_all_finds, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
