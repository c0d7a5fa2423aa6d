/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/read_kubernetes_rule.h"

#define PORT_MAX UINT16_MAX
#define DIGITS   "0123456789"
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum spec_key_of_network_policy {
	POLICY_PODS,
	POLICY_TYPES,
	POLICY_INGRESS,
	POLICY_EGRESS,
	POLICY_KEYS
};

enum rule_key {
	RULE_PORTS,
	RULE_PEERS,
	RULE_KEYS
};

enum peer_key {
	PEER_PODS,
	PEER_NAMESPACES,
	PEER_BLOCK,
	PEER_KEYS
};

enum block_key {
	BLOCK_CIDR,
	BLOCK_EXCEPT,
	BLOCK_KEYS
};

enum port_key {
	PORT_PORT,
	PORT_END,
	PORT_PROTOCOL,
	PORT_KEYS
};

/* clang-format off */
static const struct schema_key policy_keys[] = {
	[POLICY_PODS]    = { "podSelector", KEY_OPTIONAL, FORM_MAP },
	[POLICY_TYPES]   = { "policyTypes", KEY_OPTIONAL, FORM_LIST },
	[POLICY_INGRESS] = { "ingress",     KEY_OPTIONAL, FORM_LIST },
	[POLICY_EGRESS]  = { "egress",      KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key ingress_keys[] = {
	[RULE_PORTS] = { "ports", KEY_OPTIONAL, FORM_LIST },
	[RULE_PEERS] = { "from",  KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key egress_keys[] = {
	[RULE_PORTS] = { "ports", KEY_OPTIONAL, FORM_LIST },
	[RULE_PEERS] = { "to",    KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key peer_keys[] = {
	[PEER_PODS]       = { "podSelector",       KEY_OPTIONAL, FORM_MAP },
	[PEER_NAMESPACES] = { "namespaceSelector", KEY_OPTIONAL, FORM_MAP },
	[PEER_BLOCK]      = { "ipBlock",           KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key block_keys[] = {
	[BLOCK_CIDR]   = { "cidr",   KEY_REQUIRED, FORM_TEXT },
	[BLOCK_EXCEPT] = { "except", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key port_keys[] = {
	[PORT_PORT]     = { "port",     KEY_OPTIONAL, FORM_TEXT },
	[PORT_END]      = { "endPort",  KEY_OPTIONAL, FORM_TEXT },
	[PORT_PROTOCOL] = { "protocol", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema policy_schema =
	{ "a NetworkPolicy's spec", policy_keys, COUNT(policy_keys) };
static const struct schema ingress_schema =
	{ "an ingress rule", ingress_keys, COUNT(ingress_keys) };
static const struct schema egress_schema =
	{ "an egress rule", egress_keys, COUNT(egress_keys) };
static const struct schema peer_schema  = { "a peer",     peer_keys,  COUNT(peer_keys) };
static const struct schema block_schema = { "an ipBlock", block_keys, COUNT(block_keys) };
static const struct schema port_schema  = { "a port",     port_keys,  COUNT(port_keys) };
/* clang-format on */

struct network_policy {
	const struct object *object;
	size_t space;
	struct selector *subject;
	uint8_t sides; /* that it isolates */
};

static void read_hole(struct reader *r, const struct node *n, struct selector *s)
{
	struct placed_prefix hole = {.at = n->at};
	char cidr[ADDRESS_STRLEN], except[ADDRESS_STRLEN];

	if (!read_masked_cidr(r, n, &hole.prefix))
		return;
	vec_push(&s->except, hole);
	if (prefix_is_v4(&hole.prefix) == prefix_is_v4(&s->prefix) &&
	    prefix_contains(&s->prefix, &hole.prefix) && prefix_cmp(&s->prefix, &hole.prefix))
		return;
	diag_error(r->diags, n->at, "'%s' is not a part of '%s'; an except must be narrower",
		   prefix_format(&hole.prefix, except), prefix_format(&s->prefix, cidr));
}

static struct selector *read_block(struct reader *r, const struct node *n)
{
	const struct node *v[BLOCK_KEYS];
	struct selector *s;
	struct prefix cidr;

	schema_read_as(n, &block_schema, MANNER_NULL, r->diags, v);
	if (!v[BLOCK_CIDR] || !read_masked_cidr(r, v[BLOCK_CIDR], &cidr))
		return NULL;
	s = selector_new(SELECT_CIDR, v[BLOCK_CIDR]->at);
	s->prefix = cidr;
	if (v[BLOCK_EXCEPT]) {
		node_foreach(item, v[BLOCK_EXCEPT]) read_hole(r, item, s);
	}
	return s;
}

/* "namespaceSelector: shop" was refused: what was likely meant. */
static void note_name(struct reader *r, const struct node *peer)
{
	char buf[SHOWN_SIZE];

	node_foreach(key, peer)
	{
		if (!strcmp(key->text, peer_keys[PEER_NAMESPACES].name) &&
		    key->value->kind == NODE_TEXT && !node_is_null(key->value))
			diag_note(r->diags, key->value->at,
				  "a namespace by its name is {matchLabels: "
				  "{kubernetes.io/metadata.name: %s}}",
				  shown(key->value->text, buf));
	}
}

static struct selector *read_peer(struct reader *r, const struct node *n, size_t space)
{
	const struct node *v[PEER_KEYS];
	size_t errors = r->diags->errors;
	bool has_selector;

	if (!schema_read_as(n, &peer_schema, MANNER_NULL, r->diags, v))
		return NULL;
	if (r->diags->errors > errors)
		note_name(r, n);
	has_selector = v[PEER_PODS] || v[PEER_NAMESPACES];
	if (v[PEER_BLOCK] && has_selector) {
		diag_error(r->diags, v[PEER_BLOCK]->at,
			   "'ipBlock' can't stand beside a selector; make it a peer of its own");
		return NULL;
	}
	if (v[PEER_BLOCK])
		return read_block(r, v[PEER_BLOCK]);
	if (has_selector)
		return read_pod_selector(r, n->at, v[PEER_NAMESPACES] ? POLICY_NONE : space,
					 v[PEER_NAMESPACES], v[PEER_PODS]);
	if (r->diags->errors == errors)
		diag_error(r->diags, n->at,
			   "the peer is empty; give a podSelector, a namespaceSelector or an "
			   "ipBlock");
	return NULL;
}

/* Nobody listed: everybody, as upstream has it.  NULL with an error. */
static struct selector *read_peers(struct reader *r, const struct node *list, struct span at,
				   size_t space)
{
	struct selector *all, *peer;
	size_t errors = r->diags->errors;

	if (!list || !list->first)
		return selector_new(SELECT_ANY, list ? list->at : at);
	all = selector_new(SELECT_ONE_OF, list->at);
	node_foreach(item, list)
	{
		peer = read_peer(r, item, space);
		if (peer)
			vec_push(&all->children, peer);
	}
	if (r->diags->errors == errors && all->children.count > 1)
		return all;
	peer = r->diags->errors == errors ? all->children.items[0] : NULL;
	if (peer)
		all->children.count = 0;
	selector_free(all);
	return peer;
}

static void read_end_port(struct reader *r, const struct node *n, uint16_t port, uint16_t *ret)
{
	if (!read_port_number(r, n, ret))
		return;
	if (*ret < port)
		diag_error(r->diags, n->at, "the endPort %u is less than the port %u", *ret, port);
}

static void read_numbers(struct reader *r, const struct node **v, enum bh_service_table table,
			 struct kube_rule *k)
{
	uint16_t port = 0, end;

	if (!read_port_number(r, v[PORT_PORT], &port))
		return;
	end = port;
	if (v[PORT_END])
		read_end_port(r, v[PORT_END], port, &end);
	if (port <= end)
		kube_rule_add_range(k, table, port, end);
}

/* "8000-9000": what other languages have for a range. */
static bool is_range(const struct node *n)
{
	size_t first = strspn(n->text, DIGITS);
	const char *rest = n->text + first;

	return first && *rest == '-' && rest[1] && !rest[1 + strspn(rest + 1, DIGITS)];
}

/* A name is what is quoted or has a letter: "-1" is a wrong number. */
static bool is_port_name(const struct node *n)
{
	return !n->is_plain || strpbrk(n->text, LETTERS);
}

static void read_port(struct reader *r, const struct node *n, struct kube_rule *k)
{
	const struct node *v[PORT_KEYS];
	enum bh_service_table table;

	if (!schema_read_as(n, &port_schema, MANNER_NULL, r->diags, v))
		return;
	if (!read_port_protocol(r, v[PORT_PROTOCOL], &table))
		return;
	if (v[PORT_PORT] && is_range(v[PORT_PORT])) {
		diag_error(r->diags, v[PORT_PORT]->at,
			   "a range is a 'port', its first, with an 'endPort', its last");
		return;
	}
	if (v[PORT_PORT] && !is_port_name(v[PORT_PORT])) {
		read_numbers(r, v, table, k);
		return;
	}
	if (v[PORT_END])
		diag_error(r->diags, v[PORT_END]->at, "'endPort' needs a 'port' that is a number");
	if (!v[PORT_PORT])
		kube_rule_add_range(k, table, 0, PORT_MAX);
	else if (read_port_name(r, v[PORT_PORT]))
		vec_push(&k->ports, (struct port_reference){v[PORT_PORT]->text, TABLE_BIT(table)});
}

static void read_ports_of(struct reader *r, const struct node *list, struct kube_rule *k)
{
	k->is_any_service = !list || !list->first;
	if (k->is_any_service)
		return;
	node_foreach(item, list) read_port(r, item, k);
}

static void read_network_rule(struct reader *r, const struct network_policy *p,
			      const struct node *n, enum side side, size_t index)
{
	bool is_ingress = side == SIDE_DST;
	const struct schema *schema = is_ingress ? &ingress_schema : &egress_schema;
	struct kube_rule k = {
		.at = n->at,
		.tier = TIER_NETWORK,
		.side = side,
		.action = ACTION_ALLOW,
		.subject = p->subject,
	};
	_text_ struct text name = TEXT_INIT;
	const struct node *v[RULE_KEYS];
	size_t errors = r->diags->errors;

	if (!schema_read_as(n, schema, MANNER_NULL, r->diags, v))
		return;
	text_addf(&name, "%s/%s:%s[%zu]", p->object->space, p->object->name,
		  is_ingress ? "ingress" : "egress", index);
	k.name = text_take(&name);
	k.peer = read_peers(r, v[RULE_PEERS], n->at, p->space);
	read_ports_of(r, v[RULE_PORTS], &k);
	if (k.peer && r->diags->errors == errors && (p->sides & side))
		kube_rule_add(r, &k);
	kube_rule_release(&k);
}

static void read_rules(struct reader *r, const struct network_policy *p, const struct node *list,
		       enum side side)
{
	size_t index = 0;

	if (!list)
		return;
	if (list->first && !(p->sides & side))
		diag_warning(r->diags, list->at,
			     "these rules have no effect: policyTypes doesn't have '%s'",
			     side == SIDE_DST ? "Ingress" : "Egress");
	node_foreach(item, list)
	{
		if (r->is_full || r->diags->errors >= DIAG_KEPT)
			return;
		read_network_rule(r, p, item, side, index++);
	}
}

/* Not listed: ingress always, egress if there is something about it. */
static uint8_t read_types(struct reader *r, const struct node *list, const struct node *egress)
{
	static const char *const names[] = {"Ingress", "Egress"};
	static const enum side sides[] = {SIDE_DST, SIDE_SRC};
	static const struct words words = {"a policy type", names, COUNT(names)};
	uint8_t given = 0;
	size_t i;

	if (!list || !list->first)
		return egress && egress->first ? SIDE_BOTH : SIDE_DST;
	node_foreach(item, list)
	{
		if (schema_is_text(item, "a policy type", r->diags) &&
		    schema_word(item, &words, r->diags, &i))
			given |= sides[i];
	}
	return given;
}

/* Takes over the subject. */
static void keep_isolator(struct reader *r, struct network_policy *p)
{
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, "%s/%s", p->object->space, p->object->name);
	vec_push(&r->policy->isolators, (struct isolator){
						.name = text_take(&name),
						.at = p->object->at,
						.subject = TAKE_PTR(p->subject),
						.sides = p->sides,
					});
}

void read_network_policy(struct reader *r, const struct object *o)
{
	struct network_policy p = {.object = o};
	const struct node *v[POLICY_KEYS], *pods;

	if (!schema_read_as(o->spec, &policy_schema, MANNER_NULL, r->diags, v))
		return;
	p.space = kubernetes_space(r, o->space, o->at);
	pods = v[POLICY_PODS];
	p.sides = read_types(r, v[POLICY_TYPES], v[POLICY_EGRESS]);
	p.subject = read_pod_selector(r, pods ? pods->at : o->at, p.space, NULL, pods);
	kube_isolate(r, p.subject, p.sides);
	read_rules(r, &p, v[POLICY_INGRESS], SIDE_DST);
	read_rules(r, &p, v[POLICY_EGRESS], SIDE_SRC);
	keep_isolator(r, &p);
}
