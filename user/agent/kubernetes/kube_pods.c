/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_pods.h"

#include <string.h>

#include "agent/kubernetes/kube_table.h"
#include "util/address.h"

#define GONE_MAX 4096 /* claims that are remembered for nothing, beside as many as there are */

void kube_pods_release(struct kube_pods *pods)
{
	map_release(&pods->claims);
	vec_release(&pods->touched);
	vec_release(&pods->here);
	interner_release(&pods->interner);
	*pods = (struct kube_pods){};
}

static struct kube_entry *entry_of(uint64_t value)
{
	return (struct kube_entry *)(uintptr_t)value;
}

static uint64_t value_of(const struct kube_entry *entry)
{
	return (uintptr_t)entry;
}

/* Behind which of its addresses an entry's next claim is. */
static unsigned int place_of(const struct kube_entry *entry, const struct bh_addr *a)
{
	unsigned int i = 0;

	while (addr_cmp(&entry->object.addresses[i], a) != 0)
		i++;
	return i;
}

static bool is_younger(const struct kube_entry *a, const struct kube_entry *b)
{
	if (a->order != b->order)
		return a->order > b->order;
	return strcmp(a->object.key, b->object.key) > 0;
}

/* Claims of an address are a list, the youngest first. */
static void claim(struct kube_pods *pods, struct kube_entry *entry, unsigned int i)
{
	const struct bh_addr *a = &entry->object.addresses[i];
	uint64_t *first = map_put(&pods->claims, a, sizeof(*a), 0, NULL);
	struct kube_entry *before = NULL, *at = entry_of(*first);

	pods->claimed += !at;
	while (at && !is_younger(entry, at)) {
		before = at;
		at = at->next_claim[place_of(at, a)];
	}
	entry->next_claim[i] = at;
	if (before)
		before->next_claim[place_of(before, a)] = entry;
	else
		*first = value_of(entry);
	vec_push(&pods->touched, *a);
}

static void disclaim(struct kube_pods *pods, struct kube_entry *entry, unsigned int i)
{
	const struct bh_addr *a = &entry->object.addresses[i];
	uint64_t *first = map_get(&pods->claims, a, sizeof(*a));
	struct kube_entry *before = NULL, *at = entry_of(*first);

	while (at != entry) {
		before = at;
		at = at->next_claim[place_of(at, a)];
	}
	if (before)
		before->next_claim[place_of(before, a)] = entry->next_claim[i];
	else
		*first = value_of(entry->next_claim[i]);
	pods->claimed -= !*first;
	vec_push(&pods->touched, *a);
}

/* Keys are never taken out of a map; one that is full of those that went is made anew. */
static void tidy(struct kube_pods *pods)
{
	if (pods->claims.count >= 2 * pods->claimed + GONE_MAX)
		map_drop_zeros(&pods->claims);
}

static bool is_here(const struct kube_pods *pods, const struct kube_entry *entry)
{
	return pods->node && entry->object.node && entry->object.address_count &&
	       !strcmp(entry->object.node, pods->node);
}

void kube_pods_enter(struct kube_pods *pods, struct kube_entry *entry)
{
	for (unsigned int i = 0; i < entry->object.address_count; i++)
		claim(pods, entry, i);
	if (!is_here(pods, entry))
		return;
	vec_push(&pods->here, entry);
	pods->is_here_touched = true;
}

void kube_pods_leave(struct kube_pods *pods, struct kube_entry *entry)
{
	for (unsigned int i = 0; i < entry->object.address_count; i++)
		disclaim(pods, entry, i);
	tidy(pods);
	for (size_t i = 0; i < pods->here.count; i++) {
		if (pods->here.items[i] != entry)
			continue;
		vec_remove(&pods->here, i);
		pods->is_here_touched = true;
		return;
	}
}

const struct kube_entry *kube_pods_owner(const struct kube_pods *pods, const struct bh_addr *a)
{
	const uint64_t *first = map_get(&pods->claims, a, sizeof(*a));

	return first ? entry_of(*first) : NULL;
}

const struct kube_entry *kube_pods_here(const struct kube_pods *pods, const char *key)
{
	vec_foreach (entry, &pods->here) {
		if (!strcmp((*entry)->object.key, key))
			return *entry;
	}
	return NULL;
}
