/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_blame.h"

#include <string.h>

#include "agent/kubernetes/kube_texts.h"
#include "util/log.h"
#include "util/mem.h"

static bool has_stand_in(const struct kube_table *table, enum kube_kind kind,
			 const struct kube_entry *entry)
{
	_free_ char *other = kube_entry_stand_in(table, entry, kind, entry->refusals + 1);

	return other != NULL;
}

static bool can_be_refused(const struct kube_table *table, const struct kube_blamed *who)
{
	const struct kube_zones *zones = table->zones;

	if (who->kind != KUBE_ZONE_POLICY)
		return has_stand_in(table, who->kind, who->entry);
	if (zones->is_held || who->entry->refusals || kube_zones_has(zones, who->entry))
		return false;
	return has_stand_in(table, who->kind, who->entry) ||
	       kube_zones_can_do_without(zones, who->entry);
}

/* Rather something else in its place than nothing; of several the one that came last. */
static bool is_better(const struct kube_table *tables, const struct kube_blamed *a,
		      const struct kube_blamed *b)
{
	bool stands_a = has_stand_in(&tables[a->kind], a->kind, a->entry);

	if (!b->entry)
		return true;
	if (stands_a != has_stand_in(&tables[b->kind], b->kind, b->entry))
		return stands_a;
	return a->entry->order > b->entry->order;
}

bool kube_blame(const struct kube_table tables[KUBE_KIND_COUNT], const struct policy_fault *places,
		size_t count, struct kube_blamed *ret)
{
	struct kube_blamed best = {}, first = {};

	for (size_t i = 0; i < count; i++) {
		struct kube_blamed who = {.at = &places[i], .message = places[0].message};

		if (places[i].line)
			who.entry = kube_texts_find(tables, places[i].source, places[i].line,
						    &who.kind);
		if (!i)
			first = who;
		/* Others than ZonePolicies speak of no other object, and so are wrong by
		 * themselves; but what was in force broke no promise. */
		if (!who.entry || (i && who.entry->is_proven) ||
		    !can_be_refused(&tables[who.kind], &who))
			continue;
		if (is_better(tables, &who, &best))
			best = who;
	}
	*ret = best.entry ? best : first;
	ret->has_notes = count > 1;
	return best.entry != NULL;
}

void kube_refuse(const struct kube_table tables[KUBE_KIND_COUNT], const struct kube_blamed *blamed)
{
	struct kube_entry *entry = blamed->entry;

	entry->is_left_out = !has_stand_in(&tables[blamed->kind], blamed->kind, entry);
	entry->refusals++;
	log_warning("msg=\"object refused: %s\" kind=%s object=%s",
		    entry->is_left_out ? "it is left out" : "something safe stands for it",
		    kube_kinds[blamed->kind].name, entry->object.key);
}

void kube_forgive(struct kube_table tables[KUBE_KIND_COUNT])
{
	static const enum kube_kind kinds[] = {KUBE_ZONE_POLICY, KUBE_NETWORK_POLICY,
					       KUBE_CLUSTER_NETWORK_POLICY};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		vec_foreach (entry, &tables[kinds[i]].entries) {
			(*entry)->refusals = 0;
			(*entry)->is_left_out = false;
		}
	}
}
