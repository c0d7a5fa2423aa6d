/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/clock.h"

uint32_t datapath_generation(const struct datapath *dp)
{
	return BH_ACTIVE_GENERATION(dp->tables.control->active);
}

uint32_t datapath_slot(const struct datapath *dp)
{
	return BH_ACTIVE_SLOT(dp->tables.control->active);
}

static uint32_t idle_slot(const struct datapath *dp)
{
	return datapath_generation(dp) ? !datapath_slot(dp) : 0;
}

/* 0 is no generation, also after four thousand million of them. */
static uint32_t next_generation(const struct datapath *dp)
{
	uint32_t next = datapath_generation(dp) + 1;

	return next ? next : 1;
}

/* A write to a map of maps returns only when no program runs that began before it. */
static int wait_for_programs(struct datapath *dp)
{
	int inner = bpf_map__fd(dp->skel->maps.bh_grace_inner);
	const __u32 key = 0;
	int err;

	if (!dp->is_grace_due)
		return 0;
	err = bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_grace), &key, &inner, BPF_ANY);
	if (!err)
		dp->is_grace_due = false;
	return err;
}

static int fill(struct datapath *dp, const struct image *image, uint32_t slot, struct text *reterr)
{
	struct bh_policy at = tables_place(&dp->tables, image, slot, next_generation(dp));
	int err;

	err = wait_for_programs(dp);
	if (err)
		return explain_error(reterr, err, "cannot wait until the old policy is unused");
	err = counters_clear_rules(dp, slot, tables_header(&dp->tables, slot)->rules);
	if (err)
		return explain_error(reterr, err, "cannot clear 'bh_rule_counts'");
	err = tables_clear_header(&dp->tables, slot);
	if (!err)
		err = prefixes_fill(dp, slot, image);
	if (err)
		return explain_error(reterr, err, "cannot write 'bh_prefixes'");
	err = tables_fill(&dp->tables, image, &at);
	if (err)
		return explain_error(reterr, err, "cannot write the tables of slot %u",
				     (unsigned int)slot);
	if (tables_hold(&dp->tables, image, &at))
		return 0;
	text_addf(reterr, "slot %u does not hold what was written to it", (unsigned int)slot);
	return -EIO;
}

/* Programs see the whole slot or the old one: everything in it is stored before this word. */
static void flip(struct datapath *dp, uint32_t slot)
{
	uint64_t active = BH_ACTIVE(next_generation(dp), slot);

	__atomic_store_n(&dp->tables.control->active, active, __ATOMIC_RELEASE);
	dp->is_grace_due = true;
}

int datapath_set_identity(struct datapath *dp, const struct bh_addr *a, uint32_t identity,
			  bool is_listed)
{
	const struct image_prefix entry = {prefix_of_addr(a), identity};
	uint32_t slot = datapath_slot(dp);
	uint64_t active;
	int err;

	if (!datapath_generation(dp) || identity >= tables_header(&dp->tables, slot)->identities)
		return -EINVAL;
	err = prefixes_set(dp, slot, &entry, is_listed);
	if (err)
		return err;
	/* What was decided by the old identity is decided again; the slot stays as it is. */
	active = BH_ACTIVE(next_generation(dp), slot);
	__atomic_store_n(&dp->tables.control->active, active, __ATOMIC_RELEASE);
	return 0;
}

int datapath_swap_policy(struct datapath *dp, const struct image *image, struct text *reterr,
			 struct datapath_swap *ret)
{
	uint32_t slot = idle_slot(dp);
	uint64_t start = clock_monotonic_ns(), filled;
	int err;

	err = tables_check(&dp->tables, image, reterr);
	if (!err)
		err = fill(dp, image, slot, reterr);
	if (err)
		return err;
	filled = clock_monotonic_ns();
	flip(dp, slot);
	/* It is in force; if waiting fails, the next fill waits before it writes. */
	wait_for_programs(dp);
	*ret = (struct datapath_swap){
		.generation = datapath_generation(dp),
		.slot = slot,
		.fill_ns = filled - start,
		.flip_ns = clock_monotonic_ns() - filled,
	};
	return 0;
}
