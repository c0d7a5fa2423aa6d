/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies, random addresses that come and go: what was changed in place and what was
 * compiled anew must decide and be named alike.  SEED=n runs that policy alone.
 */
#include "tests/test.h"

#include <errno.h>

#include "policy/address_change.h"
#include "tests/reference/random_parts.h"
#include "tests/reference/rivals.h"

#define CHANGES   25 /* of each policy */
#define QUESTIONS 40 /* after each change */

#ifdef __SANITIZE_ADDRESS__
#define POLICIES 40
#else
#define POLICIES 250
#endif

enum what {
	ADD,
	REMOVE,
	HOST,
	NO_HOST,
	WHATS
};

struct change {
	enum what what;
	struct bh_addr addr;
	size_t workload;
};

struct tally {
	uint64_t made[WHATS]; /* without compiling */
	uint64_t refused[WHATS];
};

static bool is_prefix_of(const struct placed_prefix *placed, const struct bh_addr *a)
{
	struct prefix p = prefix_of_addr(a);

	return !prefix_cmp(&placed->prefix, &p);
}

static struct placed_prefix *find_claim(placed_prefixes *prefixes, const struct bh_addr *a)
{
	vec_foreach (placed, prefixes) {
		if (is_prefix_of(placed, a))
			return placed;
	}
	return NULL;
}

/* Whose the address is by itself: a workload's prefixes, or NULL. */
static placed_prefixes *find_owner(struct policy *p, const struct bh_addr *a)
{
	vec_foreach (w, &p->workloads) {
		if (find_claim(&w->prefixes, a))
			return &w->prefixes;
	}
	return NULL;
}

static bool is_zone_claim(struct policy *p, const struct bh_addr *a)
{
	vec_foreach (zone, &p->zones) {
		if (find_claim(&zone->prefixes, a))
			return true;
	}
	return false;
}

static void drop_host(struct random_policy *r, const struct bh_addr *a)
{
	size_t kept = 0;

	vec_foreach (host, &r->hosts) {
		if (addr_cmp(host, a) != 0)
			r->hosts.items[kept++] = *host;
	}
	r->hosts.count = kept;
}

/* The change in the policy itself; false if there is nothing to change. */
static bool change_policy(struct random_policy *r, const struct change *change)
{
	const struct bh_addr *a = &change->addr;
	placed_prefixes *owner = find_owner(r->policy, a);

	switch (change->what) {
	case ADD:
		if (owner || is_zone_claim(r->policy, a))
			return false;
		vec_push(&r->policy->workloads.items[change->workload].prefixes,
			 (struct placed_prefix){.prefix = prefix_of_addr(a)});
		return true;
	case REMOVE:
		if (!owner)
			return false;
		vec_remove(owner, (size_t)(find_claim(owner, a) - owner->items));
		return true;
	case HOST:
		vec_push(&r->hosts, *a);
		return true;
	case NO_HOST:
		drop_host(r, a);
		return true;
	case WHATS:
		break;
	}
	return false;
}

static int change_compiled(struct compiled *c, const struct change *change,
			   struct address_entry *ret)
{
	switch (change->what) {
	case ADD:
		return address_add(c, &change->addr, change->workload, ret);
	case REMOVE:
		return address_remove(c, &change->addr, ret);
	case HOST:
	case NO_HOST:
		return address_set_host(c, &change->addr, change->what == HOST, ret);
	case WHATS:
		break;
	}
	return -EINVAL;
}

static void compare_at(const struct compiled *a, const struct compiled *b, struct random_policy *r,
		       const struct bh_addr *addr)
{
	assert_string_equal(compiled_address_name(a, addr), compiled_address_name(b, addr));
	for (int i = 0; i < QUESTIONS; i++) {
		struct bh_addr other = random_address(r);
		struct service_range s = random_service(r);
		bool is_src = random_one_in(r, 2);
		const struct bh_addr *src = is_src ? addr : &other, *dst = is_src ? &other : addr;

		assert_int_equal(image_decide(&a->image, src, dst, s.table, s.lo),
				 image_decide(&b->image, src, dst, s.table, s.lo));
	}
}

/* The entry that the change speaks of is the one that the image has. */
static void check_entry(const struct compiled *c, const struct address_entry *entry)
{
	_image_listing_ struct image_listing listing = image_list(&c->image);
	struct prefix p = prefix_of_addr(&entry->addr);
	bool is_listed = false;

	vec_foreach (listed, &listing)
		is_listed |= !prefix_cmp(&listed->prefix, &p);
	assert_int_equal(is_listed, entry->is_listed);
	assert_int_equal(image_identity(&c->image, &entry->addr), entry->identity);
}

static void change_once(struct compiled *c, struct random_policy *r, struct tally *tally)
{
	struct change change = {.what = (enum what)random_below(r, WHATS)};
	struct compiled *anew;
	struct address_entry entry;
	struct bh_addr other;
	int err;

	change.addr = random_address(r);
	change.workload = random_below(r, (uint32_t)r->policy->workloads.count);
	err = change_compiled(c, &change, &entry);
	if (err)
		tally->refused[change.what]++;
	if (err == -ENOENT)
		return;
	assert_int_equal(change_policy(r, &change), !err);
	if (err)
		return;
	tally->made[change.what]++;
	check_entry(c, &entry);
	anew = rivals_compile(r);
	other = random_address(r);
	compare_at(c, anew, r, &change.addr);
	compare_at(c, anew, r, &other);
	compiled_free(anew);
}

static void change_at_random(uint64_t seed, struct tally *tally)
{
	static const struct random_shape shape = {};
	struct random_policy before, now;
	struct compiled *c;

	random_policy_make(&before, seed, &shape);
	random_policy_make(&now, seed, &shape);
	c = rivals_compile(&before);
	for (int i = 0; i < CHANGES; i++)
		change_once(c, &now, tally);
	compiled_free(c);
	random_policy_release(&before);
	random_policy_release(&now);
}

static void an_address_changed_in_place_decides_as_if_compiled_anew(void **state)
{
	uint64_t seed = rivals_given("SEED", 1);
	uint64_t end = getenv("SEED") ? seed + 1 : seed + POLICIES;
	struct tally tally = {};

	(void)state;
	for (; seed < end; seed++)
		change_at_random(seed, &tally);
	for (int i = 0; i < WHATS; i++) {
		print_message("%d: made %llu, refused %llu\n", i, (unsigned long long)tally.made[i],
			      (unsigned long long)tally.refused[i]);
		assert_true(getenv("SEED") || tally.made[i] > POLICIES / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_changed_in_place_decides_as_if_compiled_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
