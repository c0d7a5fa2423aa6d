/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/naming.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/if_ether.h>

#include <bulkhead/builtin.h>
#include <bulkhead/reason.h>

#include "agent/control/words.h"
#include "agent/kubernetes/kube_table.h"
#include "policy/explain.h"
#include "util/clock.h"

#define NS_PER_S    1000000000ull
#define NEARS_PER_S 1000 /* questions that are answered anew */
#define NEARS_MAX   4096 /* answers that are remembered; then they are forgotten at once */

struct near_key {
	uint32_t src_class, dst_class;
	uint32_t table, number;
};

#define X(id, name, help) [BH_BUILTIN_##id] = (name),
static const char *const builtins[] = {BH_BUILTINS(X)};
#undef X

static void forget_nears(struct naming *n)
{
	vec_foreach (near, &n->nears)
		free(*near);
	vec_release(&n->nears);
	map_release(&n->near_places);
}

void naming_release(struct naming *n)
{
	forget_nears(n);
	text_release(&n->rule_at);
}

void naming_update(struct naming *n, const struct policy_version *current,
		   const struct policy_version *previous)
{
	forget_nears(n);
	n->current = current;
	n->previous = previous;
}

static const struct policy_version *version_of(const struct naming *n, uint32_t generation)
{
	if (n->current && policy_version_has(n->current, generation))
		return n->current;
	if (n->previous && policy_version_has(n->previous, generation))
		return n->previous;
	return NULL;
}

/* Identity 0 may also say that the packet was dropped before its addresses were looked up. */
static uint32_t find_identity(const struct policy_version *v, bool is_number_good,
			      uint32_t identity, const struct bh_addr *addr)
{
	if (is_number_good && identity && identity < v->compiled->identities.count)
		return identity;
	return image_identity(&v->compiled->image, addr);
}

static const struct event_end nobody = {.zone = "outside", .labels_json = "{}"};

static void name_workload(const struct policy_version *v, size_t workload, struct event_end *ret)
{
	ret->workload = v->loaded->policy->workloads.items[workload].name;
	ret->labels_json = v->loaded->labels.items[workload];
}

void naming_identity(const struct policy_version *v, uint32_t identity, struct event_end *ret)
{
	const struct policy *policy = v->loaded->policy;
	const struct identity *found;
	bool is_named;

	*ret = nobody;
	if (identity >= v->compiled->identities.count)
		return;
	found = &v->compiled->identities.items[identity];
	is_named = found->zone != POLICY_NONE || found->workload != POLICY_NONE;
	if (!is_named && v->compiled->image.identities.items[identity].flags & BH_IDENTITY_HOST)
		ret->zone = "host";
	if (is_named)
		ret->zone = NULL;
	if (found->zone != POLICY_NONE) {
		ret->zone = policy->zones.items[found->zone].name;
		ret->role = zone_role(&policy->zones.items[found->zone]);
	}
	if (found->workload != POLICY_NONE)
		name_workload(v, found->workload, ret);
}

static bool is_pod(const struct policy_version *v, size_t workload)
{
	return workload != POLICY_NONE &&
	       v->loaded->policy->workloads.items[workload].kind == WORKLOAD_POD;
}

/* What a policy calls a pod of a cluster is one of those that are alike. */
static void name_pod(const struct kube_pods *pods, const struct bh_addr *addr,
		     struct event_end *ret)
{
	const struct kube_entry *pod = kube_pods_owner(pods, addr);

	ret->workload = pod ? pod->object.key : NULL;
	ret->labels_json = pod ? pod->object.labels : nobody.labels_json;
	if (!pod && !ret->zone)
		ret->zone = nobody.zone;
}

/* Pods share identities, and each has its own address. */
static void name_address(const struct naming *n, const struct policy_version *v, uint32_t identity,
			 const struct bh_addr *addr, struct event_end *ret)
{
	size_t workload = compiled_workload(v->compiled, addr);

	naming_identity(v, identity, ret);
	if (workload == POLICY_NONE || image_identity(&v->compiled->image, addr) != identity)
		workload = identity < v->compiled->identities.count
				   ? v->compiled->identities.items[identity].workload
				   : POLICY_NONE;
	if (n->pods && is_pod(v, workload))
		name_pod(n->pods, addr, ret);
	else if (workload != POLICY_NONE)
		name_workload(v, workload, ret);
}

void naming_end(const struct naming *n, uint32_t generation, uint32_t identity,
		const struct bh_addr *addr, struct event_end *ret)
{
	const struct policy_version *known = version_of(n, generation);
	const struct policy_version *v = known ? known : n->current;

	if (v)
		name_address(n, v, find_identity(v, known, identity, addr), addr, ret);
	else
		*ret = nobody;
}

static struct named_end *place_of_end(struct naming *n, uint32_t generation, uint32_t identity,
				      const struct bh_addr *addr)
{
	uint64_t words[2], hash;

	memcpy(words, addr, sizeof(words));
	hash = (words[0] ^ ((uint64_t)generation << 32 | identity)) * 0x9e3779b97f4a7c15ull;
	hash = (hash ^ hash >> 32 ^ words[1]) * 0xd6e8feb86659fd93ull;
	return &n->ends[hash >> 32 & (NAMING_PLACES - 1)];
}

static void name_end(struct naming *n, uint32_t generation, uint32_t identity,
		     const struct bh_addr *addr, struct event_end *ret)
{
	struct named_end *place = place_of_end(n, generation, identity, addr);
	bool is_known = n->is_batch && place->batch == n->batch && place->identity == identity &&
			place->generation == generation && !addr_cmp(&place->addr, addr);

	if (!is_known) {
		*place = (struct named_end){n->batch, *addr, generation, identity, nobody};
		naming_end(n, generation, identity, addr, &place->names);
	}
	*ret = place->names;
}

void naming_batch_begin(struct naming *n)
{
	n->is_batch = true;
	n->batch++;
	n->wall_from_ns = clock_wall_of(0);
}

void naming_batch_end(struct naming *n)
{
	n->is_batch = false;
}

const char *naming_rule(const struct naming *n, uint32_t generation, uint32_t rule)
{
	const struct policy_version *v = version_of(n, generation);

	if (rule < BH_RULE_FIRST)
		return rule < COUNT(builtins) ? builtins[rule] : NULL;
	if (!v || rule - BH_RULE_FIRST >= v->loaded->policy->rules.count)
		return NULL;
	return v->loaded->policy->rules.items[rule - BH_RULE_FIRST].name;
}

void naming_rule_at(const struct policy *policy, uint32_t rule, struct text *out)
{
	const struct span *at;

	if (rule < BH_RULE_FIRST || rule - BH_RULE_FIRST >= policy->rules.count)
		return;
	at = &policy->rules.items[rule - BH_RULE_FIRST].at;
	if (!at->source)
		return;
	text_add(out, at->source->name);
	text_addc(out, ':');
	text_add_u64(out, at->line);
}

static struct near_key near_key(const struct bh_event *event, uint32_t src_class,
				uint32_t dst_class)
{
	uint16_t icmp = (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	struct service_number service = protocol_service(event->proto, ntohs(event->dport), icmp);

	return (struct near_key){src_class, dst_class, service.table, service.number};
}

static char *ask_near(const struct compiled *c, const struct near_key *key)
{
	_text_ struct text difference = TEXT_INIT;
	_text_ struct text near = TEXT_INIT;
	uint32_t rule = explain_nearest(c, key->src_class, key->dst_class, key->table,
					(uint16_t)key->number, &difference);

	if (!rule)
		return NULL;
	text_addf(&near, "%s(%s)", compiled_rule_name(c, rule), difference.buf);
	return text_take(&near);
}

/* Whether there is time for another question. */
static bool may_ask(struct naming *n, uint64_t now_ns)
{
	if (now_ns - n->asked_ns >= NS_PER_S) {
		n->asked_ns = now_ns;
		n->asked = 0;
	}
	return n->asked++ < NEARS_PER_S;
}

/*
 * A policy may have many rules.  Under a flood mostly the same few questions come again and again;
 * one that comes with ever new ports goes without answers.
 */
static const char *find_near(struct naming *n, const struct near_key *key, uint64_t now_ns)
{
	uint64_t *place = map_get(&n->near_places, key, sizeof(*key));
	bool is_new;

	if (place)
		return n->nears.items[*place];
	if (!may_ask(n, now_ns))
		return NULL;
	if (n->nears.count >= NEARS_MAX)
		forget_nears(n);
	place = map_put(&n->near_places, key, sizeof(*key), n->nears.count, &is_new);
	if (is_new)
		vec_push(&n->nears, ask_near(n->current->compiled, key));
	return n->nears.items[*place];
}

static const char *name_near(struct naming *n, const struct bh_event *event)
{
	uint16_t ethertype = ntohs(event->ethertype);
	const struct compiled *c;
	uint32_t src, dst;
	struct near_key key;

	if (event->rule || event->reason != BH_REASON_POLICY || !n->current ||
	    !policy_version_has(n->current, event->generation))
		return NULL;
	if (ethertype != ETH_P_IP && ethertype != ETH_P_IPV6)
		return NULL;
	c = n->current->compiled;
	src = find_identity(n->current, true, event->src_identity, &event->src);
	dst = find_identity(n->current, true, event->dst_identity, &event->dst);
	if (src >= c->identities.count || dst >= c->identities.count)
		return NULL;
	key = near_key(event, c->identities.items[src].class, c->identities.items[dst].class);
	return find_near(n, &key, event->time_ns);
}

void naming_event(struct naming *n, const struct bh_event *event, struct event_names *ret)
{
	const struct policy_version *v = version_of(n, event->generation);

	*ret = (struct event_names){
		.wall_ns = n->is_batch ? n->wall_from_ns + event->time_ns
				       : clock_wall_of(event->time_ns),
		.count = 1,
	};
	name_end(n, event->generation, event->src_identity, &event->src, &ret->src);
	name_end(n, event->generation, event->dst_identity, &event->dst, &ret->dst);
	ret->rule = naming_rule(n, event->generation, event->rule);
	ret->policy_hash = v ? v->loaded->hash : NULL;
	ret->near = name_near(n, event);
	text_reset(&n->rule_at);
	if (v)
		naming_rule_at(v->loaded->policy, event->rule, &n->rule_at);
	ret->rule_at = n->rule_at.len ? n->rule_at.buf : NULL;
}
