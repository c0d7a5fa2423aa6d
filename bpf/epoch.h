/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether what was decided in one generation holds in another.  It does if no swap of policies lies
 * between them, and neither end's address has changed since:
 *
 * - A decision carries the generation that its packet had read before it read any table.  If the
 *   tables still had an end as it was before the change of generation g, that packet came before
 *   the store of g, and the decision is of a generation before g.
 * - Who reads g or a later one as the generation in force also sees what was stored before that:
 *   the end's epoch is g, or later.  So the decision is older than the epoch, and is made again.
 * - What holds still in a generation may be said to be of it (quick_renew()): whoever found it so
 *   had read the generation before any epoch, as a decision does before any table.
 * - Who still reads one before g may see the epoch early, and then decides again for nothing.
 * - An epoch is of all addresses that have one hash: others are decided again for nothing.
 * - What programs go back to by themselves (bh_control.revert_to) is another policy, and no word
 *   says since when: there, only decisions of the same generation hold.
 * - A swap stores one word, `since`, before the one that says what is in force: who reads the new
 *   one reads that too, and takes no older decision, whatever the epochs say.
 * - Generations wrap.  A decision that is BH_GENERATIONS_KEPT of them old is made again; the epoch
 *   of a change after a younger one is then never so far off that it would look older.  Epochs of
 *   addresses that don't change are renewed in turn, lest they look new: to a generation before
 *   which nothing holds anyway.
 */
#ifndef BPF_EPOCH_H
#define BPF_EPOCH_H

#include "conn_table.h"

static __always_inline bool is_end_changed(const struct bh_epochs *epochs, __u32 end, __u32 decided)
{
	return (__s32)(READ_NOW(epochs->changed[end & (BH_EPOCHS - 1)]) - decided) > 0;
}

/* Ends are BH_EPOCH_AT(). */
static __always_inline bool are_unchanged(__u32 end, __u32 other_end, __u32 decided,
					  __u32 generation)
{
	const struct bh_control *control = control_here();
	const struct bh_epochs *epochs = epochs_here();

	if (!control || !epochs || generation - decided >= BH_GENERATIONS_KEPT)
		return false;
	keep_order();
	return (__s32)(READ_NOW(control->since) - decided) <= 0 &&
	       !is_end_changed(epochs, end, decided) && !is_end_changed(epochs, other_end, decided);
}

/* Global: verified once. */
__noinline int is_unchanged(__u32 end, __u32 other_end, __u32 decided, __u32 generation)
{
	return are_unchanged(end, other_end, decided, generation);
}

/* @ends: the first four words of a connection's key. */
static __always_inline bool holds_still(const __u64 *ends, __u32 decided, __u32 generation)
{
	return is_unchanged(BH_EPOCH_AT(ends[0], ends[1]), BH_EPOCH_AT(ends[2], ends[3]), decided,
			    generation);
}

/* The same of a key in its parts, in place. */
static __always_inline bool line_holds_still(const struct line_key *key, __u32 decided,
					     __u32 generation)
{
	__u64 first = two_words(key->far[2] >> FIRST_HALF, key->near[0] >> FIRST_HALF);
	__u64 second = two_words(key->far[2] >> SECOND_HALF, key->near[0] >> SECOND_HALF);

	return are_unchanged(BH_EPOCH_AT(key->far[0], first), BH_EPOCH_AT(key->far[1], second),
			     decided, generation);
}

#endif
