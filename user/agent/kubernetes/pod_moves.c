/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/pod_moves.h"

#include <errno.h>

#include "policy/address_change.h"

#define OUTSIDE 0 /* identity */

struct move {
	struct policy_version *version;
	const struct bh_addr *addr;
	struct address_entry entry; /* as it is to be in the kernel */
	bool is_changed;
};

static const struct workload *workload_at(const struct policy_version *v, size_t index)
{
	return &v->loaded->policy->workloads.items[index];
}

/* The workload that has just this address; POLICY_NONE: none has. */
static size_t find_holder(const struct policy_version *v, const struct bh_addr *a)
{
	const struct address_node *node = address_owner(v->compiled, a);
	struct prefix alone = prefix_of_addr(a);

	if (!node->is_claimed || node->workload == ADDRESS_NONE ||
	    prefix_cmp(&node->prefix, &alone) != 0)
		return POLICY_NONE;
	return node->workload;
}

/* Who has it together with a pod, or alone. */
static bool is_of_zone(const struct policy *p, const struct bh_addr *a)
{
	struct prefix alone = prefix_of_addr(a);

	vec_foreach (zone, &p->zones) {
		vec_foreach (placed, &zone->prefixes) {
			if (!prefix_cmp(&placed->prefix, &alone))
				return true;
		}
	}
	return false;
}

/* What the next compiler is told of; that of two versions with one policy it is told once. */
static void forget(struct workload *w, const struct bh_addr *a)
{
	struct prefix gone = prefix_of_addr(a);

	for (size_t i = 0; i < w->prefixes.count; i++) {
		if (prefix_cmp(&w->prefixes.items[i].prefix, &gone) != 0)
			continue;
		w->prefixes.items[i] = w->prefixes.items[--w->prefixes.count];
		return;
	}
}

static void note(struct workload *w, const struct bh_addr *a)
{
	forget(w, a);
	vec_push(&w->prefixes, (struct placed_prefix){prefix_of_addr(a), w->at});
}

/* It has no owner, and means what is around it; if nothing does, it is outside until then. */
static int take_away(struct move *m, size_t holder)
{
	struct workload *w = &m->version->loaded->policy->workloads.items[holder];
	int err = address_remove(m->version->compiled, m->addr, &m->entry);

	m->is_changed = true;
	if (err)
		m->entry = (struct address_entry){*m->addr, OUTSIDE, true};
	else
		forget(w, m->addr);
	return err;
}

static int give(struct move *m, size_t workload)
{
	struct workload *w = &m->version->loaded->policy->workloads.items[workload];
	struct address_entry entry;
	int err = address_add(m->version->compiled, m->addr, workload, &entry);

	if (err)
		return err;
	m->entry = entry;
	m->is_changed = true;
	note(w, m->addr);
	return 0;
}

static int find_workload(const struct policy_version *v, const struct kube_entry *owner,
			 size_t *ret)
{
	if (!v->loaded->groups)
		return -ENOENT;
	*ret = POLICY_NONE;
	if (!owner || owner->refusals)
		return 0;
	return pod_groups_find(v->loaded->groups, owner, ret);
}

static int change(struct move *m, size_t holder, size_t wanted)
{
	int err = holder == POLICY_NONE ? 0 : take_away(m, holder);

	if (!err && wanted != POLICY_NONE)
		err = give(m, wanted);
	return err;
}

int pod_move_in(struct policy_version *v, const struct bh_addr *a, const struct kube_entry *owner,
		struct address_entry *ret_entry, bool *ret_is_changed)
{
	struct move m = {.version = v, .addr = a};
	size_t holder = find_holder(v, a), wanted = POLICY_NONE;
	int err = find_workload(v, owner, &wanted), failure;

	*ret_is_changed = false;
	/* Somebody has it who is no pod: that one keeps it. */
	if (holder != POLICY_NONE && workload_at(v, holder)->kind != WORKLOAD_POD)
		return 0;
	if (!err && holder == wanted)
		return 0;
	if (is_of_zone(v->loaded->policy, a))
		return -ENOENT;
	failure = change(&m, holder, wanted);
	*ret_entry = m.entry;
	*ret_is_changed = m.is_changed;
	return err ? err : failure;
}

static int move(struct policy_set *set, struct policy_version *v, const struct bh_addr *a,
		const struct kube_entry *owner)
{
	struct address_entry entry;
	bool is_changed;
	int err = pod_move_in(v, a, owner, &entry, &is_changed), failure = 0;

	if (is_changed && v == set->current)
		failure = datapath_set_identity(set->dp, a, entry.identity, entry.is_listed);
	else if (is_changed)
		failure = datapath_set_identity_behind(set->dp, a, entry.identity, entry.is_listed);
	if (failure)
		set->is_behind = true;
	return err ? err : failure;
}

int pod_move(struct policy_set *set, const struct bh_addr *a, const struct kube_entry *owner)
{
	int err = 0, failure;

	if (datapath_revert_at(set->dp))
		err = move(set, set->previous, a, owner);
	failure = move(set, set->current, a, owner);
	return err ? err : failure;
}

int pod_move_ahead(struct policy_version *v, const struct bh_addr *a,
		   const struct kube_entry *owner)
{
	struct address_entry entry;
	bool is_changed;
	int err = pod_move_in(v, a, owner, &entry, &is_changed);

	/* What could only be taken away is no part of what was compiled. */
	if (err && is_changed)
		image_set_identity(&v->compiled->image, a, entry.identity);
	return err;
}
