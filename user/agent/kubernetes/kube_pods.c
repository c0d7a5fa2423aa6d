/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_pods.h"

#include <string.h>

#include "agent/kubernetes/kube_table.h"
#include "util/address.h"

#define WHICH_MASK 1ul /* of a word: which of the entry's addresses it is for */

#define TOUCHED_KEPT 4096 /* for whose number memory stays */

_Static_assert(KUBE_POD_ADDRESSES <= WHICH_MASK + 1 && _Alignof(struct kube_entry) > WHICH_MASK,
	       "a claim is a pointer to an entry and one bit");

void kube_pods_release(struct kube_pods *pods)
{
	places_release(&pods->claims);
	vec_release(&pods->touched);
	vec_release(&pods->noted);
	vec_release(&pods->here);
	interner_release(&pods->interner);
	*pods = (struct kube_pods){};
}

void kube_pods_copy(const struct kube_pods *pods, struct kube_pods *ret)
{
	*ret = (struct kube_pods){};
	places_copy(&pods->claims, &ret->claims);
}

static struct kube_entry *entry_of(uint64_t word)
{
	return (struct kube_entry *)(uintptr_t)(word & ~WHICH_MASK);
}

static uint64_t word_of(const struct kube_entry *entry, unsigned int which)
{
	return (uintptr_t)entry | which;
}

static const struct bh_addr *address_of(uint64_t word)
{
	return &entry_of(word)->object.addresses[word & WHICH_MASK];
}

static uint64_t hash_of(const void *user, uint64_t word)
{
	(void)user;
	return addr_hash(address_of(word));
}

static bool is_of(const void *user, uint64_t word, const void *address)
{
	(void)user;
	return !addr_cmp(address_of(word), address);
}

static const struct places_kind by_address = {hash_of, is_of, NULL};

static uint64_t *find_claim(const struct kube_pods *pods, const struct bh_addr *a)
{
	return places_find(&pods->claims, &by_address, addr_hash(a), a);
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
	uint64_t *first = find_claim(pods, a);
	struct kube_entry *before = NULL, *at = first ? entry_of(*first) : NULL;

	while (at && !is_younger(entry, at)) {
		before = at;
		at = at->next_claim[place_of(at, a)];
	}
	entry->next_claim[i] = at;
	if (before)
		before->next_claim[place_of(before, a)] = entry;
	else if (first)
		*first = word_of(entry, i);
	else
		places_add(&pods->claims, &by_address, word_of(entry, i));
	vec_push(&pods->touched, *a);
}

static void disclaim(struct kube_pods *pods, struct kube_entry *entry, unsigned int i)
{
	const struct bh_addr *a = &entry->object.addresses[i];
	uint64_t *first = find_claim(pods, a);
	struct kube_entry *before = NULL, *at = entry_of(*first), *next = entry->next_claim[i];

	while (at != entry) {
		before = at;
		at = at->next_claim[place_of(at, a)];
	}
	if (before)
		before->next_claim[place_of(before, a)] = next;
	else if (next)
		*first = word_of(next, place_of(next, a));
	else
		places_drop(&pods->claims, first);
	vec_push(&pods->touched, *a);
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
	for (size_t i = 0; i < pods->here.count; i++) {
		if (pods->here.items[i] != entry)
			continue;
		vec_remove(&pods->here, i);
		pods->is_here_touched = true;
		return;
	}
}

/* After a list they are all that there are. */
void kube_pods_settle(struct kube_pods *pods)
{
	for (size_t i = pods->known; pods->is_noting && i < pods->touched.count; i++)
		vec_push(&pods->noted, pods->touched.items[i]);
	pods->known = 0;
	if (pods->touched.count > TOUCHED_KEPT)
		vec_release(&pods->touched);
	pods->touched.count = 0;
}

void kube_pods_note(struct kube_pods *pods)
{
	pods->noted.count = 0;
	pods->known = pods->touched.count;
	pods->is_noting = true;
}

void kube_pods_noted(const struct kube_pods *pods, void (*fn)(void *user, const struct bh_addr *a),
		     void *user)
{
	vec_foreach (a, &pods->noted)
		fn(user, a);
	for (size_t i = pods->known; i < pods->touched.count; i++)
		fn(user, &pods->touched.items[i]);
}

void kube_pods_note_end(struct kube_pods *pods)
{
	vec_release(&pods->noted);
	pods->is_noting = false;
}

const struct kube_entry *kube_pods_owner(const struct kube_pods *pods, const struct bh_addr *a)
{
	const uint64_t *first = find_claim(pods, a);

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
