/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/policy_set.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_texts.h"
#include "policy/address_change.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define LATE_NS 5000000000 /* of events, at most */

void policy_set_release(struct policy_set *set)
{
	policy_version_free(set->current);
	policy_version_free(set->previous);
	rule_stats_release(&set->stats);
	vec_release(&set->parked);
	vec_release(&set->host);
	temporaries_release(&set->temporaries);
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

static struct source copy_of(const struct source *source)
{
	return source_of(source->name, source->text, source->len);
}

/* Of a cluster, what is known now takes the place of what was known when the input was made. */
static void add_texts(const struct policy_set *set, const struct policy_input *input,
		      bool is_copied, source_list *out)
{
	for (size_t i = 0; i < input->source_count; i++) {
		struct source *source = &input->sources[i];

		bool is_replaced = set->is_listed ? is_kube_source(source) : is_pod_source(source);

		if (!is_replaced)
			vec_push(out, is_copied ? copy_of(source) : *source);
		else if (!is_copied)
			source_release(source);
	}
	if (set->is_listed)
		kube_texts(set->objects, out);
}

struct grouping {
	const struct kube_table *objects;
	struct pod_groups *groups; /* that were made */
};

static void add_pods(void *user, struct source *const *texts, size_t count, source_list *out,
		     struct pod_addresses **ret)
{
	struct grouping *g = user;

	g->groups = pod_groups_new(g->objects, texts, count, out);
	*ret = pod_groups_addresses(g->groups);
}

/* With temporary rules, texts are copied: it may be read again without them. */
static int read_input(const struct policy_set *set, const struct policy_input *input,
		      const struct temporaries *temporaries, struct diags *diags,
		      struct policy **ret, struct pod_groups **ret_groups)
{
	struct grouping grouping = {.objects = set->objects};
	const struct load_more more = {add_pods, &grouping,
				       temporaries ? temporaries->list.count : 0};
	source_list texts = {};
	struct load_input load = {
		.paths = input->paths,
		.path_count = input->source_count ? 0 : input->path_count,
		.more = set->objects ? &more : NULL,
	};
	int err;

	add_texts(set, input, temporaries != NULL, &texts);
	if (temporaries)
		temporaries_texts(temporaries, &texts);
	load.sources = texts.items;
	load.source_count = texts.count;
	err = policy_load_input(&load, diags, ret);
	vec_release(&texts);
	if (grouping.groups)
		pod_groups_bind(grouping.groups, *ret);
	*ret_groups = grouping.groups;
	return err;
}

/* A policy given as texts goes by their names, if it isn't called anything else. */
static struct loaded_policy *name_policy(const struct policy_input *input, struct policy *policy,
					 size_t temporary)
{
	struct loaded_policy *loaded;
	VEC(const char *) names = {};

	if (input->path_count)
		return loaded_policy_new(policy, temporary, input->paths, input->path_count);
	for (size_t i = 0; i + temporary < policy->sources.count; i++)
		vec_push(&names, policy->sources.items[i]->name);
	loaded = loaded_policy_new(policy, temporary, names.items, names.count);
	vec_release(&names);
	return loaded;
}

/* An agent that is busy with a huge policy is not one that is down; one that starts has none. */
static void beat(const struct policy_set *set)
{
	if (set->dp)
		datapath_beat(set->dp);
}

static char *line_of(const struct span *at)
{
	const char *line = at->source->text;

	for (unsigned int i = 1; line && i < at->line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? xstrndup(line, strcspn(line, "\n")) : NULL;
}

static void free_fault(const struct policy_fault *fault)
{
	free(fault->source);
	free(fault->line);
	free(fault->message);
}

void policy_faults_release(policy_faults *faults)
{
	vec_foreach (fault, faults)
		free_fault(fault);
	vec_release(faults);
}

static void tell_faults(const struct diags *diags, policy_faults *out)
{
	bool is_told = false; /* the error that notes are of */

	vec_foreach (diag, &diags->list) {
		const struct source *source = diag->at.line ? diag->at.source : NULL;
		bool is_note = diag->level == DIAG_NOTE;

		if (!is_note)
			is_told = diag->level == DIAG_ERROR && source;
		if (!is_told)
			continue;
		vec_push(out,
			 (struct policy_fault){source ? xstrdup(source->name) : NULL,
					       source ? line_of(&diag->at) : NULL, diag->at.column,
					       xstrdup(diag->message), is_note});
	}
}

static int prepare(struct policy_set *set, const struct policy_input *input,
		   const struct temporaries *temporaries, struct text *diagnostics,
		   struct policy_version **ret)
{
	_loaded_policy_ struct loaded_policy *loaded = NULL;
	_policy_ struct policy *policy = NULL;
	_policy_version_ struct policy_version *v = NULL;
	_diags_ struct diags diags = {};
	struct pod_groups *groups = NULL;
	int err;

	err = read_input(set, input, temporaries, &diags, &policy, &groups);
	beat(set);
	if (err) {
		pod_groups_free(groups);
	} else {
		policy->is_audit = set->is_audit;
		loaded = name_policy(input, TAKE_PTR(policy),
				     temporaries ? temporaries->list.count : 0);
		loaded->groups = groups;
		err = compile_version(set, loaded, &diags, &v);
		beat(set);
	}
	if (!err)
		err = check_promises(v, &diags);
	beat(set);
	diags_to_text(&diags, diagnostics);
	if (input->faults)
		tell_faults(&diags, input->faults);
	if (!err)
		*ret = TAKE_PTR(v);
	return err;
}

static void release_texts(const struct policy_input *input)
{
	for (size_t i = 0; i < input->source_count; i++)
		source_release(&input->sources[i]);
}

int policy_set_prepare_whole(struct policy_set *set, const struct policy_input *input,
			     struct text *diagnostics, struct policy_version **ret)
{
	int err = prepare(set, input, &set->temporaries, diagnostics, ret);

	release_texts(input);
	return err;
}

int policy_set_prepare(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret)
{
	_text_ struct text with = TEXT_INIT;
	int err;

	if (!set->temporaries.list.count)
		return prepare(set, input, NULL, diagnostics, ret);
	err = prepare(set, input, &set->temporaries, &with, ret);
	if (!err) {
		release_texts(input);
		text_add(diagnostics, with.buf);
		return 0;
	}
	err = prepare(set, input, NULL, diagnostics, ret);
	if (!err)
		text_addf(diagnostics,
			  "%swarning: temporary rules don't fit this policy, and end "
			  "with it\n",
			  with.buf);
	return err;
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
	return datapath_set_identity_behind(set->dp, a, entry.identity, entry.is_listed);
}

static int move_version(struct policy_set *set, struct policy_version *v)
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
		err = move_version(set, set->previous);
	if (!err)
		err = move_version(set, set->current);
	policy_set_follow(set);
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
	if (datapath_revert_at(set->dp))
		return -EBUSY;
	err = compile_version(set, set->current->loaded, &diags, &next);
	if (!err)
		err = check_promises(next, &diags);
	if (err) {
		set->swaps.failed++;
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
	if (!due || clock_wall_s() < due || datapath_revert_at(set->dp))
		return 0;
	err = compile_version(set, set->current->loaded, &diags, &next);
	if (err) {
		set->swaps.failed++;
		diags_to_text(&diags, reterr);
		return err;
	}
	return policy_set_swap(set, TAKE_PTR(next), reterr);
}

bool policy_set_forget(struct policy_set *set, bool is_memory_short)
{
	if (!set->previous || datapath_revert_at(set->dp) ||
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
