/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/policy_set.h"

#include <errno.h>
#include <string.h>

#include "policy/address_change.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define LATE_NS 5000000000 /* of events, at most */

void policy_set_release(struct policy_set *set)
{
	policy_job_free(set->job);
	policy_version_free(set->current);
	policy_version_free(set->previous);
	rule_stats_release(&set->stats);
	vec_release(&set->parked);
	vec_release(&set->host);
	temporaries_release(&set->temporaries);
	*set = (struct policy_set){};
}

static void keep_host(struct policy_version *v, const struct policy_set *set)
{
	v->host.count = 0;
	vec_append(&v->host, set->host.items, set->host.count);
}

/* An agent that is busy with a huge policy is not one that is down; one that starts has none. */
static bool beat(void *user)
{
	const struct policy_set *set = user;

	if (set->dp)
		datapath_beat(set->dp);
	return true;
}

/* Compiled for the present `host` and the present time. */
static void describe(struct policy_set *set, struct preparation *p)
{
	p->objects = set->objects;
	p->old = set->current ? set->current->compiled : NULL;
	vec_append(&p->host, set->host.items, set->host.count);
	p->now = clock_wall_s();
	p->is_audit = set->is_audit;
}

void policy_set_describe(struct policy_set *set, const struct policy_input *input,
			 struct preparation *p)
{
	describe(set, p);
	p->paths = input->paths;
	p->path_count = input->path_count;
	vec_append(&p->texts, input->sources, input->source_count);
	temporaries_texts(&set->temporaries, &p->temporaries);
	p->is_listed = set->is_listed;
}

/* Here and now: the one that is under way begins again, since three at once take too much. */
static int run(struct policy_set *set, struct preparation *p, struct policy_version **ret)
{
	policy_job_stop(set->job);
	p->go_on = beat;
	p->user = set;
	preparation_run(p);
	if (!p->err)
		*ret = TAKE_PTR(p->version);
	return p->err;
}

static int prepare(struct policy_set *set, struct preparation *p, struct text *diagnostics,
		   struct policy_version **ret)
{
	int err = run(set, p, ret);

	text_add(diagnostics, p->diagnostics.buf);
	return err;
}

int policy_set_prepare(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret)
{
	_preparation_ struct preparation p = PREPARATION_INIT;

	policy_set_describe(set, input, &p);
	return prepare(set, &p, diagnostics, ret);
}

int policy_set_prepare_whole(struct policy_set *set, const struct policy_input *input,
			     struct text *diagnostics, struct policy_version **ret)
{
	_preparation_ struct preparation p = PREPARATION_INIT;

	policy_set_describe(set, input, &p);
	p.is_whole = true;
	return prepare(set, &p, diagnostics, ret);
}

/* What the kernel has of so many is read at once. */
#define SAMPLE_RULES 1024

static int read_rules(struct policy_set *set, uint32_t slot, size_t first, size_t count,
		      struct rule_count *ret)
{
	_free_ struct bh_count *decided = xcalloc(count, sizeof(*decided));
	_free_ struct bh_tally *events = xcalloc(count, sizeof(*events));
	int err = datapath_read_rules(set->dp, slot, first, count, decided);

	if (!err)
		err = datapath_read_rule_events(set->dp, slot, first, count, events);
	for (size_t i = 0; !err && i < count; i++)
		ret[i] = (struct rule_count){
			.packets = decided[i].packets,
			.bytes = decided[i].bytes,
			.delivered = events[i].delivered,
			.suppressed = events[i].suppressed,
			.lost = events[i].lost,
		};
	return err;
}

static int sample_slot(struct policy_set *set, uint32_t slot)
{
	struct rule_count counts[SAMPLE_RULES];
	uint64_t now_ns = clock_wall_ns();
	int err = 0;

	for (size_t at = 0; !err && at < set->stats.count; at += SAMPLE_RULES) {
		size_t left = set->stats.count - at;
		size_t count = left < SAMPLE_RULES ? left : SAMPLE_RULES;

		err = read_rules(set, slot, at, count, counts);
		if (!err)
			rule_stats_sample(&set->stats, at, counts, count, now_ns);
	}
	return err;
}

/* What zones' stances decided while there was no agent: the slot that was found has counted it. */
static void take_stances(struct policy_set *set, uint32_t old_slot)
{
	struct rule_count counts[BH_BUILTIN_COUNT] = {};

	if (!read_rules(set, old_slot, 0, BH_BUILTIN_COUNT, counts))
		rule_stats_add(&set->stats, BH_BUILTIN_DOWN, &counts[BH_BUILTIN_DOWN]);
}

/* If that policy comes back, so do its counts, and those were told already. */
static void park_counts(struct policy_set *set)
{
	vec_release(&set->parked);
	for (uint32_t i = 0; i < set->stats.count; i++)
		vec_push(&set->parked, rule_stats_seen(&set->stats, i));
}

/* The old slot's last counts are final: nobody counts there any more. */
static void move_stats(struct policy_set *set, uint32_t old_slot, const struct policy *to)
{
	const struct policy *from = set->current ? set->current->loaded->policy : NULL;

	if (from && sample_slot(set, old_slot))
		log_warning("msg=\"counts of the policy before are not complete\"");
	park_counts(set);
	rule_stats_move(&set->stats, from, to);
	if (!from && datapath_is_adopted(set->dp))
		take_stances(set, old_slot);
}

static void count_swap(struct swap_stats *stats, int err, const struct datapath_swap *swap)
{
	if (err) {
		stats->failed++;
		return;
	}
	stats->done++;
	stats->last_ns = clock_wall_ns();
	stats->last_took_ns = 0;
	for (size_t i = 0; i < SWAP_STAGES; i++)
		stats->last_took_ns += swap->ns[i];
	stats->took_ns += stats->last_took_ns;
}

int policy_set_try(struct policy_set *set, struct policy_version *v, uint64_t revert_at_ns,
		   struct text *reterr)
{
	_policy_version_ struct policy_version *next = v;
	uint32_t slot = datapath_slot(set->dp);
	struct datapath_swap swap;
	int err;

	if (set->hooks.before)
		set->hooks.before(set->hooks.user);
	err = datapath_try_policy(set->dp, &next->compiled->image, revert_at_ns, reterr, &swap);
	count_swap(&set->swaps, err, &swap);
	if (err == -E2BIG)
		set->is_outgrown = datapath_room(&next->compiled->image, &set->room);
	if (err)
		return err;

	set->swapped_ns = clock_monotonic_ns();
	set->is_behind = false;
	next->generation = swap.generation;
	move_stats(set, slot, next->loaded->policy);
	policy_version_free(set->previous);
	set->previous = set->current;
	set->current = TAKE_PTR(next);
	if (set->hooks.after)
		set->hooks.after(set->hooks.user);
	return 0;
}

int policy_set_swap(struct policy_set *set, struct policy_version *v, struct text *reterr)
{
	return policy_set_try(set, v, 0, reterr);
}

void policy_set_follow(struct policy_set *set)
{
	if (set->current)
		set->current->moves = datapath_generation(set->dp) - set->current->generation;
}

int policy_set_keep(struct policy_set *set)
{
	int err = datapath_keep(set->dp);

	if (!err)
		policy_set_follow(set);
	return err;
}

int policy_set_revert(struct policy_set *set)
{
	struct policy_version *back = set->previous;
	uint32_t slot = BH_SLOTS;
	int err;

	if (set->hooks.before)
		set->hooks.before(set->hooks.user);
	err = datapath_revert(set->dp);
	if (err)
		return err;

	slot = !datapath_slot(set->dp);
	if (sample_slot(set, slot))
		log_warning("msg=\"counts of the policy that is left are not complete\"");
	rule_stats_move(&set->stats, set->current->loaded->policy, back->loaded->policy);
	rule_stats_resume(&set->stats, set->parked.items, set->parked.count);
	vec_release(&set->parked);
	set->previous = set->current;
	set->current = back;
	back->generation = datapath_generation(set->dp);
	back->moves = 0;
	set->swapped_ns = clock_monotonic_ns();
	if (set->hooks.after)
		set->hooks.after(set->hooks.user);
	return 0;
}

void policy_set_host(struct policy_set *set, const struct bh_addr *addrs, size_t count)
{
	vec_release(&set->host);
	for (size_t i = 0; i < count; i++)
		vec_push(&set->host, addrs[i]);
}

static bool has_address(const struct bh_addr *list, size_t count, const struct bh_addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (!addr_cmp(&list[i], a))
			return true;
	}
	return false;
}

static int move_address(struct policy_set *set, struct policy_version *v, const struct bh_addr *a,
			bool is_host)
{
	struct address_entry entry;
	int err = address_set_host(v->compiled, a, is_host, &entry);

	if (err)
		return err;
	if (v == set->current)
		return datapath_set_identity(set->dp, a, entry.identity, entry.is_listed);
	if (v == set->previous)
		return datapath_set_identity_behind(set->dp, a, entry.identity, entry.is_listed);
	return 0;
}

int policy_set_move_host(struct policy_set *set, struct policy_version *v)
{
	int err = 0;

	vec_foreach (a, &v->host) {
		if (!err && !has_address(set->host.items, set->host.count, a))
			err = move_address(set, v, a, false);
	}
	vec_foreach (a, &set->host) {
		if (!err && !has_address(v->host.items, v->host.count, a))
			err = move_address(set, v, a, true);
	}
	if (!err)
		keep_host(v, set);
	return err;
}

/*
 * Without compiling; if it fails half-way, compiling puts all of it right.  A policy that may come
 * back any moment moves along.
 */
static int move_host(struct policy_set *set)
{
	int err = 0;

	if (datapath_revert_at(set->dp))
		err = policy_set_move_host(set, set->previous);
	if (!err)
		err = policy_set_move_host(set, set->current);
	policy_set_follow(set);
	return err;
}

/* What was read, for another time or other own addresses. */
static int compile_again(struct policy_set *set, bool is_released, struct text *reterr)
{
	_preparation_ struct preparation p = PREPARATION_INIT;
	struct policy_version *next;
	int err;

	describe(set, &p);
	p.loaded = set->current->loaded;
	p.is_released = is_released;
	err = run(set, &p, &next);
	if (err) {
		set->swaps.failed++;
		text_add(reterr, p.diagnostics.buf);
		return err;
	}
	return policy_set_swap(set, next, reterr);
}

int policy_set_recompile(struct policy_set *set, struct text *reterr)
{
	if (!move_host(set)) {
		log_info("msg=\"own addresses moved\" generation=%u", datapath_generation(set->dp));
		return 0;
	}
	if (datapath_revert_at(set->dp))
		return -EBUSY;
	return compile_again(set, false, reterr);
}

/* What was promised with the rule doesn't keep it alive: an expect may have meant just that. */
int policy_set_expire(struct policy_set *set, struct text *reterr)
{
	int64_t due = set->current ? set->current->compiled->next_expiry : 0;

	if (!due || clock_wall_s() < due || datapath_revert_at(set->dp))
		return 0;
	return compile_again(set, true, reterr);
}

bool policy_set_forget(struct policy_set *set, bool is_memory_short)
{
	if (!set->previous || set->job || datapath_revert_at(set->dp) ||
	    (!is_memory_short && clock_monotonic_ns() - set->swapped_ns < LATE_NS))
		return false;
	policy_version_free(TAKE_PTR(set->previous));
	vec_release(&set->parked);
	return true;
}

int policy_set_sample(struct policy_set *set)
{
	return sample_slot(set, datapath_slot(set->dp));
}
