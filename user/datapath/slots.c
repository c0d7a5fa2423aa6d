/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "datapath/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mem.h"

#define TIDY_RULES 16384 /* whose counts are cleared at once: what it takes grows with the CPUs */

#define KEEP_MARGIN_NS 100000000 /* before programs go back: by then nobody has yet */

static uint32_t generation_after(uint32_t generation)
{
	/* 0 is no generation, also after four thousand million of them. */
	return generation + 1 ? generation + 1 : 1;
}

uint64_t datapath_revert_at(const struct datapath *dp)
{
	return dp->tables.control->revert_at_ns;
}

/* As programs read it. */
static uint64_t active_word(const struct datapath *dp)
{
	const struct bh_control *control = dp->tables.control;

	if (control->revert_at_ns && clock_monotonic_ns() >= control->revert_at_ns)
		return control->revert_to;
	return control->active;
}

uint32_t datapath_generation(const struct datapath *dp)
{
	return BH_ACTIVE_GENERATION(active_word(dp));
}

uint32_t datapath_slot(const struct datapath *dp)
{
	return BH_ACTIVE_SLOT(active_word(dp));
}

static uint32_t idle_slot(const struct datapath *dp)
{
	return datapath_generation(dp) ? !datapath_slot(dp) : 0;
}

/* What programs may go back to is a generation of its own, and the newest. */
static uint32_t next_generation(const struct datapath *dp)
{
	const struct bh_control *control = dp->tables.control;

	return generation_after(
		BH_ACTIVE_GENERATION(control->revert_at_ns ? control->revert_to : control->active));
}

/* Before programs see that generation: whatever was decided before it is decided again. */
static void void_before(struct datapath *dp, uint32_t generation)
{
	__atomic_store_n(&dp->tables.control->since, generation, __ATOMIC_RELEASE);
}

/*
 * After programs see that generation: `since`, and the epoch whose turn it is, become no older than
 * what may hold at all, which is nothing before `since`, and nothing that lies too far back.  So no
 * verdict changes by it; but within BH_EPOCHS generations each has had its turn, and none ever gets
 * so old that it would look new.
 */
static void renew_epoch(struct datapath *dp, uint32_t generation)
{
	uint32_t *epoch = &dp->tables.epochs->changed[generation % BH_EPOCHS];
	uint32_t *since = &dp->tables.control->since;
	uint32_t least = generation - BH_GENERATIONS_KEPT;

	if ((int32_t)(*since - least) < 0)
		__atomic_store_n(since, least, __ATOMIC_RELAXED);
	if ((int32_t)(*epoch - *since) < 0)
		__atomic_store_n(epoch, *since, __ATOMIC_RELAXED);
}

/* The flip. */
static void set_active(struct datapath *dp, uint64_t active)
{
	__atomic_store_n(&dp->tables.control->active, active, __ATOMIC_RELEASE);
	renew_epoch(dp, BH_ACTIVE_GENERATION(active));
}

/* The same, of what was decided for that address. */
static void void_address(struct datapath *dp, const struct bh_addr *a, uint32_t generation)
{
	uint64_t word[2];

	memcpy(word, a, sizeof(word));
	__atomic_store_n(&dp->tables.epochs->changed[BH_EPOCH_AT(word[0], word[1])], generation,
			 __ATOMIC_RELEASE);
}

static void set_revert(struct datapath *dp, uint64_t at_ns, uint64_t to)
{
	__atomic_store_n(&dp->tables.control->revert_to, to, __ATOMIC_RELEASE);
	__atomic_store_n(&dp->tables.control->revert_at_ns, at_ns, __ATOMIC_RELEASE);
}

int slots_wait(struct datapath *dp)
{
	int err;

	if (!dp->is_grace_due)
		return 0;
	err = grace_wait();
	if (!err)
		dp->is_grace_due = false;
	return err;
}

/* Zeroes the counts of at most @most rules of the idle slot; 1 if there are more. */
static int clear_counts(struct datapath *dp, uint32_t most)
{
	uint32_t slot = idle_slot(dp);
	uint32_t rules = tables_header(&dp->tables, slot)->rules;
	uint32_t left = rules > dp->idle_cleared ? rules - dp->idle_cleared : 0;
	uint32_t count = left < most ? left : most;
	int err = counters_clear_rules(dp, slot, dp->idle_cleared, count);

	if (err)
		return err;
	dp->idle_cleared += count;
	return left > count;
}

int datapath_tidy(struct datapath *dp)
{
	int err;

	if (datapath_revert_at(dp))
		return 0;
	err = slots_wait(dp);
	return err ? err : clear_counts(dp, TIDY_RULES);
}

static void lap(struct datapath_swap *swap, enum swap_stage stage, uint64_t *start)
{
	uint64_t now = clock_monotonic_ns();

	swap->ns[stage] = now - *start;
	*start = now;
}

/* Before the slot is in force. */
static void note_stance(struct datapath *dp, uint32_t slot, const struct bh_policy *policy)
{
	uint32_t bit = 1u << slot, *slots = &dp->tables.control->down_slots;

	if (policy->flags & BH_POLICY_DOWN)
		__atomic_or_fetch(slots, bit, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(slots, ~bit, __ATOMIC_RELEASE);
}

/* The header stays away until all else is there. */
static int write_slot(struct datapath *dp, const struct tables_content *content,
		      struct datapath_swap *swap, struct text *reterr)
{
	const struct bh_policy at = tables_place(&dp->tables, content, next_generation(dp));
	uint64_t start = clock_monotonic_ns();
	int err = tables_clear_header(&dp->tables, swap->slot);

	if (!err)
		err = tables_forget_known(&dp->tables, swap->slot);
	if (!err)
		err = tables_fill(&dp->tables, content, &at);
	note_stance(dp, swap->slot, &at);
	if (err)
		return explain_error(reterr, err, "slot %u does not hold what is written to it",
				     (unsigned int)swap->slot);
	lap(swap, SWAP_TABLES, &start);
	return 0;
}

static int fill(struct datapath *dp, struct tables_content *content, struct datapath_swap *swap,
		struct text *reterr)
{
	uint64_t start = clock_monotonic_ns();
	int err;

	err = slots_wait(dp);
	if (err)
		return explain_error(reterr, err, "cannot wait until the old policy is unused");
	err = clear_counts(dp, UINT32_MAX);
	if (err)
		return explain_error(reterr, err, "cannot clear 'bh_rule_counts'");
	lap(swap, SWAP_COUNTS, &start);
	err = tables_build(&dp->tables, content, reterr);
	lap(swap, SWAP_PREFIXES, &start);
	return err ? err : write_slot(dp, content, swap, reterr);
}

/* Programs see the whole slot or the old one: everything in it is stored before this word. */
static void flip(struct datapath *dp, uint32_t slot, uint64_t revert_at_ns)
{
	uint32_t generation = next_generation(dp);

	if (revert_at_ns)
		set_revert(dp, revert_at_ns, BH_ACTIVE(generation_after(generation), !slot));
	void_before(dp, generation);
	/* Before the first one programs read no slot at all. */
	dp->is_grace_due |= datapath_generation(dp) != 0;
	set_active(dp, BH_ACTIVE(generation, slot));
	dp->idle_cleared = 0;
}

/* Makes room in a slot that may be in force, where places of addresses that are gone are kept. */
static int forget_gone(struct datapath *dp, const struct bh_prefixes *head,
		       struct bh_prefix_line *lines)
{
	int err;

	dp->is_grace_due = true;
	err = slots_wait(dp);
	if (!err)
		prefix_lines_forget(lines, head);
	return err;
}

static int put_address(struct datapath *dp, const struct bh_prefixes *head,
		       struct bh_prefix_line *lines, const struct bh_prefix *entry)
{
	int err = prefix_lines_put(lines, head, entry);

	if (err != -ENOSPC)
		return err;
	prefix_lines_clear_way(lines, head, entry);
	err = forget_gone(dp, head, lines);
	return err ? err : prefix_lines_put(lines, head, entry);
}

static int set_identity(struct datapath *dp, uint32_t slot, const struct bh_addr *a,
			uint32_t identity, bool is_listed)
{
	const struct bh_prefix entry = prefix_entry_of(a, identity);
	const struct bh_policy *header = tables_header(&dp->tables, slot);
	struct bh_prefix_line *lines;

	if (!datapath_generation(dp) || identity >= header->identities)
		return -EINVAL;
	lines = tables_prefixes(&dp->tables, slot);
	if (!lines)
		return -ENOMEM;
	if (is_listed)
		return put_address(dp, &header->prefixes, lines, &entry);
	prefix_lines_drop(lines, &header->prefixes, &entry);
	return 0;
}

static void raise_to(struct datapath *dp, uint32_t generation)
{
	uint32_t slot = BH_ACTIVE_SLOT(dp->tables.control->active);

	if (datapath_revert_at(dp))
		set_revert(dp, datapath_revert_at(dp),
			   BH_ACTIVE(generation_after(generation), !slot));
	set_active(dp, BH_ACTIVE(generation, slot));
}

void slots_raise(struct datapath *dp)
{
	uint32_t generation = next_generation(dp);

	if (!dp->tables.control->active)
		return;
	void_before(dp, generation);
	raise_to(dp, generation);
}

void slots_raise_for(struct datapath *dp, const struct bh_addr *addrs, size_t count)
{
	uint32_t generation = next_generation(dp);

	if (!dp->tables.control->active || !count)
		return;
	for (size_t i = 0; i < count; i++)
		void_address(dp, &addrs[i], generation);
	raise_to(dp, generation);
}

/* What was decided for a front was decided for all who may get what is sent there. */
static void raise_behind(struct datapath *dp, const struct bh_addr *a)
{
	size_t count;
	const struct backend_place *places = backends_find(dp, a, &count);
	_free_ struct bh_addr *addrs = xcalloc(count + 1, sizeof(*addrs));

	for (size_t i = 0; i < count; i++) {
		if (addr_is_any(&places[i].front)) {
			slots_raise(dp);
			return;
		}
		addrs[i] = places[i].front;
	}
	addrs[count] = *a;
	slots_raise_for(dp, addrs, count + 1);
}

int datapath_set_identity(struct datapath *dp, const struct bh_addr *a, uint32_t identity,
			  bool is_listed)
{
	uint32_t slot = BH_ACTIVE_SLOT(dp->tables.control->active);
	int err = set_identity(dp, slot, a, identity, is_listed);

	/* What was decided by the old identity is decided again. */
	if (!err)
		raise_behind(dp, a);
	return err;
}

int datapath_set_identity_behind(struct datapath *dp, const struct bh_addr *a, uint32_t identity,
				 bool is_listed)
{
	return set_identity(dp, !BH_ACTIVE_SLOT(dp->tables.control->active), a, identity,
			    is_listed);
}

int datapath_keep(struct datapath *dp)
{
	uint64_t at_ns = datapath_revert_at(dp);
	uint32_t generation = next_generation(dp);

	if (!at_ns)
		return -ENOENT;
	if (clock_monotonic_ns() + KEEP_MARGIN_NS >= at_ns)
		return -ETIME;
	set_revert(dp, 0, dp->tables.control->revert_to);
	void_before(dp, generation);
	/* If we were stopped just now and a program has gone back: that was another generation. */
	set_active(dp, BH_ACTIVE(generation, BH_ACTIVE_SLOT(dp->tables.control->active)));
	return 0;
}

int datapath_revert(struct datapath *dp)
{
	if (!datapath_revert_at(dp))
		return -ENOENT;
	void_before(dp, BH_ACTIVE_GENERATION(dp->tables.control->revert_to));
	set_active(dp, dp->tables.control->revert_to);
	set_revert(dp, 0, dp->tables.control->revert_to);
	dp->is_grace_due = true;
	dp->idle_cleared = 0;
	return 0;
}

static int check_swap(const struct datapath *dp, uint64_t revert_at_ns, struct text *reterr)
{
	if (datapath_revert_at(dp))
		return explain_error(reterr, -EBUSY, "a policy waits to be confirmed");
	if (revert_at_ns && !datapath_generation(dp))
		return explain_error(reterr, -ENOENT, "there is no policy to go back to");
	return 0;
}

int datapath_try_policy(struct datapath *dp, const struct image *image, uint64_t revert_at_ns,
			struct text *reterr, struct datapath_swap *ret)
{
	struct datapath_swap swap = {.slot = idle_slot(dp)};
	_tables_content_ struct tables_content content = {.image = image, .slot = swap.slot};
	uint64_t start = clock_monotonic_ns();
	struct table_room room;
	int err = check_swap(dp, revert_at_ns, reterr);

	if (err)
		return err;
	err = tables_check(&dp->tables, &content, reterr);
	lap(&swap, SWAP_CHECK, &start);
	if (!err)
		err = fill(dp, &content, &swap, reterr);
	if (err == -E2BIG && datapath_room(image, &room))
		text_add(reterr, "; a start with this policy makes room");
	if (err)
		return err;
	start = clock_monotonic_ns();
	flip(dp, swap.slot, revert_at_ns);
	/* It is in force; if waiting fails, the next fill waits before it writes. */
	slots_wait(dp);
	tables_leave_prefixes(&dp->tables, !swap.slot);
	lap(&swap, SWAP_FLIP, &start);
	swap.generation = datapath_generation(dp);
	*ret = swap;
	return 0;
}

int datapath_swap_policy(struct datapath *dp, const struct image *image, struct text *reterr,
			 struct datapath_swap *ret)
{
	return datapath_try_policy(dp, image, 0, reterr, ret);
}
