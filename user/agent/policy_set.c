/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policy_set.h"

#include <errno.h>

#include "policy/address_change.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

void policy_set_release(struct policy_set *set)
{
	policy_version_free(set->current);
	policy_version_free(set->previous);
	rule_stats_release(&set->stats);
	vec_release(&set->host);
	*set = (struct policy_set){};
}

static void diags_to_text(const struct diags *diags, struct text *out)
{
	_free_ char *buf = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&buf, &len);

	if (!stream)
		return;
	diags_print(diags, stream);
	fclose(stream);
	text_addn(out, buf, len);
}

static void keep_host(struct policy_version *v, const struct policy_set *set)
{
	v->host.count = 0;
	vec_foreach (a, &set->host)
		vec_push(&v->host, *a);
}

/* Compiled for the present `host` and the present time. */
static int compile_version(struct policy_set *set, struct loaded_policy *loaded,
			   struct diags *diags, struct policy_version **ret)
{
	struct environment env = {
		.host = set->host.items,
		.host_count = set->host.count,
		.now = clock_wall_s(),
	};
	const struct compiled *old = set->current ? set->current->compiled : NULL;
	_compiled_ struct compiled *compiled = NULL;
	int err = policy_recompile(old, loaded->policy, &env, diags, &compiled);

	if (err)
		return err;
	*ret = policy_version_new(loaded, TAKE_PTR(compiled));
	keep_host(*ret, set);
	return 0;
}

/*
 * An `expect` is a test for its author, offline: one that this machine's addresses turn wrong is no
 * reason to enforce nothing.
 */
static int check_promises(const struct policy_version *v, struct diags *diags)
{
	return promise_check_never(v->compiled, diags) ? -EINVAL : 0;
}

static int read_input(const struct policy_input *input, struct diags *diags, struct policy **ret)
{
	if (input->source_count)
		return policy_load_sources(input->sources, input->source_count, diags, ret);
	return policy_load(input->paths, input->path_count, diags, ret);
}

/* A policy given as texts goes by their names. */
static struct loaded_policy *name_policy(const struct policy_input *input, struct policy *policy)
{
	struct loaded_policy *loaded;
	VEC(const char *) names = {};

	if (!input->source_count)
		return loaded_policy_new(policy, input->paths, input->path_count);
	vec_foreach (source, &policy->sources)
		vec_push(&names, (*source)->name);
	loaded = loaded_policy_new(policy, names.items, names.count);
	vec_release(&names);
	return loaded;
}

int policy_set_prepare(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret)
{
	_loaded_policy_ struct loaded_policy *loaded = NULL;
	_policy_ struct policy *policy = NULL;
	_policy_version_ struct policy_version *v = NULL;
	_diags_ struct diags diags = {};
	int err;

	/* An agent that is busy with a huge policy is not one that is down. */
	err = read_input(input, &diags, &policy);
	datapath_beat(set->dp);
	if (!err) {
		loaded = name_policy(input, TAKE_PTR(policy));
		err = compile_version(set, loaded, &diags, &v);
		datapath_beat(set->dp);
	}
	if (!err)
		err = check_promises(v, &diags);
	datapath_beat(set->dp);
	diags_to_text(&diags, diagnostics);
	if (!err)
		*ret = TAKE_PTR(v);
	return err;
}

static int sample_slot(struct policy_set *set, uint32_t slot)
{
	size_t count = set->stats.list.count;
	_free_ struct bh_count *counts = NULL;
	int err;

	if (!count)
		return 0;
	counts = xcalloc(count, sizeof(*counts));
	err = datapath_read_rules(set->dp, slot, count, counts);
	if (!err)
		rule_stats_sample(&set->stats, counts, count, clock_wall_ns());
	return err;
}

/* What zones' stances decided while there was no agent: the slot that was found has counted it. */
static void take_stances(struct policy_set *set, uint32_t old_slot)
{
	struct bh_count counts[BH_BUILTIN_COUNT] = {};

	if (!datapath_read_rules(set->dp, old_slot, BH_BUILTIN_COUNT, counts))
		rule_stats_add(&set->stats, BH_BUILTIN_DOWN, &counts[BH_BUILTIN_DOWN]);
}

/* The old slot's last counts are final: nobody counts there any more. */
static void move_stats(struct policy_set *set, uint32_t old_slot, const struct policy *to)
{
	const struct policy *from = set->current ? set->current->loaded->policy : NULL;

	if (from && sample_slot(set, old_slot))
		log_warning("msg=\"counts of the policy before are not complete\"");
	rule_stats_move(&set->stats, from, to);
	if (!from && datapath_is_adopted(set->dp))
		take_stances(set, old_slot);
}

int policy_set_swap(struct policy_set *set, struct policy_version *v, struct text *reterr)
{
	_policy_version_ struct policy_version *next = v;
	uint32_t slot = datapath_slot(set->dp);
	struct datapath_swap swap;
	int err;

	if (set->hooks.before)
		set->hooks.before(set->hooks.user);
	err = datapath_swap_policy(set->dp, &next->compiled->image, reterr, &swap);
	if (err)
		return err;

	next->generation = swap.generation;
	move_stats(set, slot, next->loaded->policy);
	policy_version_free(set->previous);
	set->previous = set->current;
	set->current = TAKE_PTR(next);
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

static int move_address(struct policy_set *set, const struct bh_addr *a, bool is_host)
{
	struct policy_version *v = set->current;
	struct address_entry entry;
	int err = address_set_host(v->compiled, a, is_host, &entry);

	if (err)
		return err;
	err = datapath_set_identity(set->dp, a, entry.identity, entry.is_listed);
	if (!err)
		v->moves++;
	return err;
}

/* Without compiling; if it fails half-way, compiling puts all of it right. */
static int move_host(struct policy_set *set)
{
	struct policy_version *v = set->current;
	int err = 0;

	vec_foreach (a, &v->host) {
		if (!err && !has_address(set->host.items, set->host.count, a))
			err = move_address(set, a, false);
	}
	vec_foreach (a, &set->host) {
		if (!err && !has_address(v->host.items, v->host.count, a))
			err = move_address(set, a, true);
	}
	if (!err)
		keep_host(v, set);
	return err;
}

int policy_set_recompile(struct policy_set *set, struct text *reterr)
{
	_policy_version_ struct policy_version *next = NULL;
	_diags_ struct diags diags = {};
	int err;

	if (!move_host(set)) {
		log_info("msg=\"own addresses moved\" generation=%u", datapath_generation(set->dp));
		return 0;
	}
	err = compile_version(set, set->current->loaded, &diags, &next);
	if (!err)
		err = check_promises(next, &diags);
	if (err) {
		diags_to_text(&diags, reterr);
		return err;
	}
	return policy_set_swap(set, TAKE_PTR(next), reterr);
}

/* What was promised with the rule doesn't keep it alive: an expect may have meant just that. */
int policy_set_expire(struct policy_set *set, struct text *reterr)
{
	_policy_version_ struct policy_version *next = NULL;
	_diags_ struct diags diags = {};
	int64_t due;
	int err;

	due = set->current ? set->current->compiled->next_expiry : 0;
	if (!due || clock_wall_s() < due)
		return 0;
	err = compile_version(set, set->current->loaded, &diags, &next);
	if (err) {
		diags_to_text(&diags, reterr);
		return err;
	}
	return policy_set_swap(set, TAKE_PTR(next), reterr);
}

int policy_set_sample(struct policy_set *set)
{
	return sample_slot(set, datapath_slot(set->dp));
}
