/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/read_kubernetes_rule.h"
#include "util/mem.h"

#define PRIORITY_MAX  1000
#define ITEMS_MAX     25 /* rules, peers, protocols and networks */
#define RULE_NAME_MAX 100

enum spec_key_of_cluster_policy {
	POLICY_TIER,
	POLICY_PRIORITY,
	POLICY_SUBJECT,
	POLICY_INGRESS,
	POLICY_EGRESS,
	POLICY_KEYS
};

enum subject_key {
	SUBJECT_NAMESPACES,
	SUBJECT_PODS,
	SUBJECT_KEYS
};

enum pods_key {
	PODS_NAMESPACES,
	PODS_PODS,
	PODS_KEYS
};

enum rule_key {
	RULE_NAME,
	RULE_ACTION,
	RULE_PEERS,
	RULE_PROTOCOLS,
	RULE_KEYS
};

/* An ingress rule has the first two only. */
enum peer_key {
	PEER_NAMESPACES,
	PEER_PODS,
	PEER_NETWORKS,
	PEER_NODES,
	PEER_KEYS
};

/* clang-format off */
static const struct schema_key policy_keys[] = {
	[POLICY_TIER]     = { "tier",     KEY_REQUIRED, FORM_TEXT },
	[POLICY_PRIORITY] = { "priority", KEY_REQUIRED, FORM_TEXT },
	[POLICY_SUBJECT]  = { "subject",  KEY_REQUIRED, FORM_MAP },
	[POLICY_INGRESS]  = { "ingress",  KEY_OPTIONAL, FORM_LIST },
	[POLICY_EGRESS]   = { "egress",   KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key subject_keys[] = {
	[SUBJECT_NAMESPACES] = { "namespaces", KEY_OPTIONAL, FORM_MAP },
	[SUBJECT_PODS]       = { "pods",       KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key pods_keys[] = {
	[PODS_NAMESPACES] = { "namespaceSelector", KEY_OPTIONAL, FORM_MAP },
	[PODS_PODS]       = { "podSelector",       KEY_REQUIRED, FORM_MAP },
};

static const struct schema_key ingress_keys[] = {
	[RULE_NAME]      = { "name",      KEY_OPTIONAL, FORM_TEXT },
	[RULE_ACTION]    = { "action",    KEY_REQUIRED, FORM_TEXT },
	[RULE_PEERS]     = { "from",      KEY_REQUIRED, FORM_LIST },
	[RULE_PROTOCOLS] = { "protocols", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key egress_keys[] = {
	[RULE_NAME]      = { "name",      KEY_OPTIONAL, FORM_TEXT },
	[RULE_ACTION]    = { "action",    KEY_REQUIRED, FORM_TEXT },
	[RULE_PEERS]     = { "to",        KEY_REQUIRED, FORM_LIST },
	[RULE_PROTOCOLS] = { "protocols", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key peer_keys[] = {
	[PEER_NAMESPACES] = { "namespaces", KEY_OPTIONAL, FORM_MAP },
	[PEER_PODS]       = { "pods",       KEY_OPTIONAL, FORM_MAP },
	[PEER_NETWORKS]   = { "networks",   KEY_OPTIONAL, FORM_LIST },
	[PEER_NODES]      = { "nodes",      KEY_OPTIONAL, FORM_MAP },
};

static const struct schema policy_schema =
	{ "a ClusterNetworkPolicy's spec", policy_keys, COUNT(policy_keys) };
static const struct schema subject_schema = { "a subject", subject_keys, COUNT(subject_keys) };
static const struct schema pods_schema    = { "pods",      pods_keys,    COUNT(pods_keys) };
static const struct schema ingress_schema =
	{ "an ingress rule", ingress_keys, COUNT(ingress_keys) };
static const struct schema egress_schema =
	{ "an egress rule", egress_keys, COUNT(egress_keys) };
static const struct schema ingress_peer_schema = { "a peer", peer_keys, PEER_NETWORKS };
static const struct schema egress_peer_schema  = { "a peer", peer_keys, COUNT(peer_keys) };
/* clang-format on */

struct cluster {
	const struct object *object;
	struct selector *subject;
	enum tier tier;
	size_t index; /* into kubernetes.cluster_policies */
};

static bool is_within_bound(struct reader *r, const struct node *list, const char *what)
{
	if (list->count <= ITEMS_MAX)
		return true;
	diag_error(r->diags, list->at, "%u %s; %d at most", list->count, what, ITEMS_MAX);
	return false;
}

/* False with an error for none or too many. */
static bool has_items(struct reader *r, const struct node *list, const char *what)
{
	if (list->first)
		return is_within_bound(r, list, what);
	diag_error(r->diags, list->at, "the list of %s is empty; it needs one at least", what);
	return false;
}

static struct selector *read_pods(struct reader *r, const struct node *n)
{
	const struct node *v[PODS_KEYS];

	schema_read_as(n, &pods_schema, MANNER_NULL, r->diags, v);
	if (!v[PODS_PODS])
		return NULL;
	return read_pod_selector(r, n->at, POLICY_NONE, v[PODS_NAMESPACES], v[PODS_PODS]);
}

static struct selector *read_subject(struct reader *r, const struct node *n)
{
	const struct node *v[SUBJECT_KEYS];
	size_t errors = r->diags->errors;

	schema_read_as(n, &subject_schema, MANNER_NULL, r->diags, v);
	if (r->diags->errors > errors)
		return NULL;
	if (!v[SUBJECT_NAMESPACES] == !v[SUBJECT_PODS]) {
		diag_error(r->diags, n->at, "a subject has either 'namespaces' or 'pods'");
		return NULL;
	}
	if (v[SUBJECT_PODS])
		return read_pods(r, v[SUBJECT_PODS]);
	return read_pod_selector(r, n->at, POLICY_NONE, v[SUBJECT_NAMESPACES], NULL);
}

static void read_networks(struct reader *r, const struct node *list, struct selector *all)
{
	if (!has_items(r, list, "networks"))
		return;
	node_foreach(item, list)
	{
		struct selector *s;
		struct prefix cidr;

		if (!read_masked_cidr(r, item, &cidr))
			continue;
		s = selector_new(SELECT_CIDR, item->at);
		s->prefix = cidr;
		vec_push(&all->children, s);
	}
}

static void warn_of_field(struct reader *r, const struct node *key, const struct schema *schema)
{
	_text_ struct text meant = TEXT_INIT;
	const char *names[PEER_KEYS], *nearest;
	char buf[SHOWN_SIZE];

	for (size_t i = 0; i < schema->count; i++)
		names[i] = schema->keys[i].name;
	nearest = text_nearest(key->text, names, schema->count);
	if (nearest)
		text_addf(&meant, "; did you mean '%s'?", nearest);
	diag_warning(r->diags, key->at,
		     "unknown peer '%s': the rule accepts nothing, or denies all that it could "
		     "mean%s",
		     shown(key->text, buf), meant.len ? meant.buf : "");
}

/* What this version doesn't know: then nothing is known of whom the rule means. */
static bool is_unknown_peer(struct reader *r, const struct node *n, const struct schema *schema)
{
	bool has_field = n->kind != NODE_MAP;

	for (const struct node *key = has_field ? NULL : n->first; key; key = key->next) {
		if (!schema_find(schema, key->text)) {
			warn_of_field(r, key, schema);
			return true;
		}
		has_field = has_field || !node_is_null(key->value);
	}
	if (!has_field)
		diag_warning(r->diags, n->at,
			     "a peer without a field: the rule accepts nothing, or denies all "
			     "that it could mean");
	return !has_field;
}

/* Adds to @all; false if the peer is unknown. */
static bool read_peer(struct reader *r, const struct node *n, enum side side, struct selector *all)
{
	const struct schema *schema = side == SIDE_DST ? &ingress_peer_schema : &egress_peer_schema;
	const struct node *v[PEER_KEYS] = {};
	struct selector *peer = NULL;

	if (is_unknown_peer(r, n, schema))
		return false;
	if (!schema_read_as(n, schema, MANNER_NULL, r->diags, v))
		return true;
	if (n->count > 1) {
		diag_error(r->diags, n->at,
			   "a peer has one field; make the others peers of their "
			   "own");
		return true;
	}
	if (v[PEER_NAMESPACES])
		peer = read_pod_selector(r, n->at, POLICY_NONE, v[PEER_NAMESPACES], NULL);
	else if (v[PEER_PODS])
		peer = read_pods(r, v[PEER_PODS]);
	else if (v[PEER_NODES])
		peer = selector_new(SELECT_NODES, n->at);
	else if (v[PEER_NETWORKS])
		read_networks(r, v[PEER_NETWORKS], all);
	if (v[PEER_NODES])
		read_requirements(r, v[PEER_NODES], &peer->requirements);
	if (peer)
		vec_push(&all->children, peer);
	return true;
}

/* NULL with an error.  *ret_is_unknown: some peer is, and everybody is selected. */
static struct selector *read_peers(struct reader *r, const struct node *list, enum side side,
				   bool *ret_is_unknown)
{
	size_t errors = r->diags->errors;
	struct selector *all, *only;
	bool is_known = true;

	if (!has_items(r, list, "peers"))
		return NULL;
	all = selector_new(SELECT_ONE_OF, list->at);
	node_foreach(item, list) is_known = read_peer(r, item, side, all) && is_known;
	if (r->diags->errors == errors && is_known && all->children.count > 1)
		return all;
	*ret_is_unknown = !is_known;
	only = NULL;
	if (r->diags->errors == errors && !is_known)
		only = selector_new(SELECT_ANY, list->at);
	else if (r->diags->errors == errors && all->children.count)
		only = TAKE_PTR(all->children.items[0]);
	selector_free(all);
	return only;
}

static bool read_action(struct reader *r, const struct node *n, enum action *ret)
{
	static const char *const names[] = {"Accept", "Deny", "Pass"};
	static const enum action actions[] = {ACTION_ALLOW, ACTION_DENY, ACTION_PASS};
	static const struct words words = {"an action", names, COUNT(names)};
	size_t i;

	if (!n || !schema_word(n, &words, r->diags, &i))
		return false;
	*ret = actions[i];
	return true;
}

/* "policy:its name", else "policy:ingress[0]". */
static char *rule_name(struct reader *r, const struct cluster *c, const struct node *n,
		       enum side side, size_t index)
{
	_text_ struct text name = TEXT_INIT;
	char buf[SHOWN_SIZE];

	text_addf(&name, "%s:", c->object->name);
	if (!n || !n->text[0]) {
		text_addf(&name, "%s[%zu]", side == SIDE_DST ? "ingress" : "egress", index);
		return text_take(&name);
	}
	if (strnlen(n->text, RULE_NAME_MAX + 1) > RULE_NAME_MAX)
		diag_error(r->diags, n->at, "the name '%s' is longer than %d characters",
			   shown(n->text, buf), RULE_NAME_MAX);
	else if (read_has_controls(n->text, strlen(n->text)))
		diag_error(r->diags, n->at, "the name '%s' can't hold control characters",
			   shown(n->text, buf));
	text_add(&name, n->text);
	return text_take(&name);
}

/* As the API says what an unknown peer does; and what is passed on by the last tier is allowed. */
static enum action effective(enum action action, bool is_unknown, enum tier tier)
{
	if (is_unknown)
		return ACTION_DENY;
	return action == ACTION_PASS && tier == TIER_BASELINE ? ACTION_ALLOW : action;
}

static void add_rules(struct reader *r, const struct cluster *c, struct kube_rule *k)
{
	size_t first = r->policy->rules.count;

	kube_rule_add(r, k);
	for (size_t i = first; i < r->policy->rules.count; i++)
		vec_push(&r->kubernetes->cluster_rules, (struct cluster_rule){i, c->index});
}

static void read_cluster_rule(struct reader *r, const struct cluster *c, const struct node *n,
			      enum side side, size_t index)
{
	const struct schema *schema = side == SIDE_DST ? &ingress_schema : &egress_schema;
	struct kube_rule k = {.at = n->at, .tier = c->tier, .side = side, .subject = c->subject};
	const struct node *v[RULE_KEYS];
	size_t errors = r->diags->errors;
	enum action action = ACTION_DENY;
	bool is_unknown = false;

	if (!schema_read_as(n, schema, MANNER_NULL, r->diags, v))
		return;
	k.name = rule_name(r, c, v[RULE_NAME], side, index);
	read_action(r, v[RULE_ACTION], &action);
	if (v[RULE_PEERS])
		k.peer = read_peers(r, v[RULE_PEERS], side, &is_unknown);
	k.is_any_service = !v[RULE_PROTOCOLS];
	if (v[RULE_PROTOCOLS] && has_items(r, v[RULE_PROTOCOLS], "protocols"))
		kube_read_protocols(r, v[RULE_PROTOCOLS], &k);
	k.action = effective(action, is_unknown, c->tier);
	if (r->diags->errors == errors && !(is_unknown && action == ACTION_ALLOW))
		add_rules(r, c, &k);
	kube_rule_release(&k);
}

static void read_rules(struct reader *r, const struct cluster *c, const struct node *list,
		       enum side side)
{
	size_t index = 0;

	if (!list || !is_within_bound(r, list, "rules"))
		return;
	node_foreach(item, list) read_cluster_rule(r, c, item, side, index++);
}

static bool read_priority(struct reader *r, const struct node *n, unsigned int *ret)
{
	char buf[SHOWN_SIZE];
	uint64_t number;

	if (!n)
		return false;
	if (n->is_plain && text_to_u64(n->text, 0, PRIORITY_MAX, &number)) {
		*ret = (unsigned int)number;
		return true;
	}
	diag_error(r->diags, n->at, "the priority '%s' is not a number from 0 to %d%s",
		   shown(n->text, buf), PRIORITY_MAX, n->is_plain ? "" : "; leave out the quotes");
	return false;
}

static bool read_tier(struct reader *r, const struct node *n, enum tier *ret)
{
	static const char *const names[] = {"Admin", "Baseline"};
	static const enum tier tiers[] = {TIER_ADMIN, TIER_BASELINE};
	static const struct words words = {"a tier", names, COUNT(names)};
	size_t i;

	if (!n || !schema_word(n, &words, r->diags, &i))
		return false;
	*ret = tiers[i];
	return true;
}

void read_cluster_network_policy(struct reader *r, const struct object *o)
{
	struct kubernetes *k = r->kubernetes;
	struct cluster_policy policy = {.name = o->name, .tier = TIER_ADMIN, .at = o->at};
	struct cluster c = {.object = o, .index = k->cluster_policies.count};
	const struct node *v[POLICY_KEYS];

	schema_read_as(o->spec, &policy_schema, MANNER_NULL, r->diags, v);
	read_tier(r, v[POLICY_TIER], &policy.tier);
	if (read_priority(r, v[POLICY_PRIORITY], &policy.priority))
		policy.at = v[POLICY_PRIORITY]->at;
	c.tier = policy.tier;
	vec_push(&k->cluster_policies, policy);
	if (v[POLICY_SUBJECT])
		c.subject = read_subject(r, v[POLICY_SUBJECT]);
	if (!c.subject)
		c.subject = selector_new(SELECT_ANY, o->at); /* an error; go on for the others */
	read_rules(r, &c, v[POLICY_INGRESS], SIDE_DST);
	read_rules(r, &c, v[POLICY_EGRESS], SIDE_SRC);
	selector_free(c.subject);
}
