/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_builtin.h"

#include "util/mem.h"

#define ADDRESSES_MAX                                                                              \
	1024 /* of a class that only pods or a node have: with more it isn't looked at */

/* An address of a class. */
struct owned {
	size_t workload[JOINT_SIDES];
	bool is_v4;
};

struct class_owners {
	VEC(struct owned) addresses;
	bool is_known;
	bool is_wide; /* there are others than nodes and pods */
};

struct work {
	const struct relation *r;
	const struct joint_addresses *a;
	struct class_owners *owners; /* of each joint class */
};

/* False if it isn't owned in both policies. */
static bool add_address(const struct joint_addresses *a, address_number n, struct class_owners *out)
{
	struct bh_addr addr = addr_of_number(n);
	struct owned owned = {.is_v4 = address_number_is_v4(n)};

	for (int side = 0; side < JOINT_SIDES; side++) {
		owned.workload[side] = compiled_workload(a->c[side], &addr);
		if (owned.workload[side] == POLICY_NONE)
			return false;
	}
	vec_push(&out->addresses, owned);
	return true;
}

static bool add_range(const struct joint_addresses *a, const struct address_range *range,
		      struct class_owners *out)
{
	if (range->hi - range->lo >= ADDRESSES_MAX - out->addresses.count)
		return false;
	for (address_number n = range->lo; n <= range->hi; n++) {
		if (!add_address(a, n, out))
			return false;
	}
	return true;
}

static bool add_ranges(const struct joint_addresses *a, uint32_t class, struct class_owners *out)
{
	struct list identities = lists_get(&a->members, class);

	for (size_t i = 0; i < identities.count; i++) {
		struct list ranges = lists_get(&a->ranges_of, identities.items[i]);

		if (!ranges.count) /* the addresses of `host`, which nobody knows */
			return false;
		for (size_t k = 0; k < ranges.count; k++) {
			if (!add_range(a, &a->ranges.items[ranges.items[k]].range, out))
				return false;
		}
	}
	return true;
}

static const struct class_owners *owners_of(struct work *w, uint32_t class)
{
	struct class_owners *owners = &w->owners[class];

	if (!owners->is_known) {
		owners->is_known = true;
		owners->is_wide = !add_ranges(w->a, class, owners);
	}
	return owners;
}

static bool is_builtin(const struct joint_addresses *a, const struct owned *src,
		       const struct owned *dst)
{
	for (int side = 0; side < JOINT_SIDES; side++) {
		if (!compiled_builtin(a->c[side], src->workload[side], dst->workload[side]))
			return false;
	}
	return true;
}

static bool are_classes_builtin(struct work *w, uint32_t src_class, uint32_t dst_class)
{
	const struct class_owners *src = owners_of(w, src_class), *dst = owners_of(w, dst_class);

	if (src->is_wide || dst->is_wide)
		return false;
	vec_foreach (s, &src->addresses) {
		vec_foreach (d, &dst->addresses) {
			if (s->is_v4 == d->is_v4 && !is_builtin(w->a, s, d))
				return false;
		}
	}
	return true;
}

static bool is_cell_builtin(struct work *w, const struct relation_cell *cell)
{
	struct list sources = lists_get(&w->r->src_members, cell->src);
	struct list destinations = lists_get(&w->r->dst_members, cell->dst);

	for (size_t i = 0; i < sources.count; i++) {
		for (size_t k = 0; k < destinations.count; k++) {
			if (!are_classes_builtin(w, sources.items[i], destinations.items[k]))
				return false;
		}
	}
	return true;
}

void relation_drop_builtin(struct relation *r, const struct joint_addresses *a)
{
	struct work w = {.r = r, .a = a};
	size_t kept = 0;

	w.owners = xcalloc(a->classes.count, sizeof(*w.owners));
	vec_foreach (cell, &r->cells) {
		if (!is_cell_builtin(&w, cell))
			r->cells.items[kept++] = *cell;
	}
	r->cells.count = kept;
	for (size_t i = 0; i < a->classes.count; i++)
		vec_release(&w.owners[i].addresses);
	free(w.owners);
}
