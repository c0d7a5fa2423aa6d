/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes_rule.h"

#define PORT_MAX UINT16_MAX

enum protocol_key {
	PROTOCOL_TCP,
	PROTOCOL_UDP,
	PROTOCOL_SCTP,
	PROTOCOL_NAMED_PORT,
	PROTOCOL_KEYS
};

enum port_key {
	PORT_NUMBER,
	PORT_RANGE,
	PORT_KEYS
};

enum range_key {
	RANGE_START,
	RANGE_END,
	RANGE_KEYS
};

/* clang-format off */
static const struct schema_key protocol_keys[] = {
	[PROTOCOL_TCP]        = { "tcp",                  KEY_OPTIONAL, FORM_MAP },
	[PROTOCOL_UDP]        = { "udp",                  KEY_OPTIONAL, FORM_MAP },
	[PROTOCOL_SCTP]       = { "sctp",                 KEY_OPTIONAL, FORM_MAP },
	[PROTOCOL_NAMED_PORT] = { "destinationNamedPort", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key match_keys[] = {
	{ "destinationPort", KEY_REQUIRED, FORM_MAP },
};

static const struct schema_key port_keys[] = {
	[PORT_NUMBER] = { "number", KEY_OPTIONAL, FORM_TEXT },
	[PORT_RANGE]  = { "range",  KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key range_keys[] = {
	[RANGE_START] = { "start", KEY_REQUIRED, FORM_TEXT },
	[RANGE_END]   = { "end",   KEY_REQUIRED, FORM_TEXT },
};

static const struct schema protocol_schema =
	{ "a protocol", protocol_keys, COUNT(protocol_keys) };
static const struct schema match_schema = { "a protocol's match", match_keys, COUNT(match_keys) };
static const struct schema port_schema  = { "a destinationPort",  port_keys,  COUNT(port_keys) };
static const struct schema range_schema = { "a range of ports",   range_keys, COUNT(range_keys) };
/* clang-format on */

static void read_range(struct reader *r, const struct node *n, enum bh_service_table table,
		       struct kube_rule *k)
{
	const struct node *v[RANGE_KEYS];
	uint16_t start, end;

	schema_read_as(n, &range_schema, MANNER_NULL, r->diags, v);
	if (!v[RANGE_START] || !v[RANGE_END] || !read_port_number(r, v[RANGE_START], &start) ||
	    !read_port_number(r, v[RANGE_END], &end))
		return;
	if (start < end)
		kube_rule_add_range(k, table, start, end);
	else
		diag_error(r->diags, v[RANGE_END]->at,
			   "the end %u is not greater than the start %u", end, start);
}

static void read_port(struct reader *r, const struct node *n, enum bh_service_table table,
		      struct kube_rule *k)
{
	const struct node *match, *v[PORT_KEYS];
	uint16_t number;

	schema_read_as(n, &match_schema, MANNER_NULL, r->diags, &match);
	if (!match)
		return;
	schema_read_as(match, &port_schema, MANNER_NULL, r->diags, v);
	if (!v[PORT_NUMBER] == !v[PORT_RANGE])
		diag_error(r->diags, match->at, "a destinationPort has either 'number' or 'range'");
	else if (v[PORT_RANGE])
		read_range(r, v[PORT_RANGE], table, k);
	else if (read_port_number(r, v[PORT_NUMBER], &number))
		kube_rule_add_range(k, table, number, number);
}

/* Nothing without names for its ports is the other end of an egress rule with one. */
static bool has_only_pods(const struct selector *s)
{
	if (s->kind == SELECT_CIDR || s->kind == SELECT_NODES)
		return false;
	vec_foreach (child, &s->children) {
		if (!has_only_pods(*child))
			return false;
	}
	return true;
}

static void read_named_port(struct reader *r, const struct node *n, struct kube_rule *k)
{
	unsigned int every = TABLE_BIT(BH_SERVICE_TCP) | TABLE_BIT(BH_SERVICE_UDP) |
			     TABLE_BIT(BH_SERVICE_SCTP);

	if (!read_port_name(r, n))
		return;
	if (k->side == SIDE_SRC && k->peer && !has_only_pods(k->peer))
		diag_error(r->diags, n->at,
			   "networks and nodes have no named ports; write the number");
	else
		vec_push(&k->ports, (struct port_reference){n->text, every});
}

static void read_protocol(struct reader *r, const struct node *n, struct kube_rule *k)
{
	static const enum bh_service_table tables[] = {
		[PROTOCOL_TCP] = BH_SERVICE_TCP,
		[PROTOCOL_UDP] = BH_SERVICE_UDP,
		[PROTOCOL_SCTP] = BH_SERVICE_SCTP,
	};
	const struct node *v[PROTOCOL_KEYS];

	if (!schema_read_as(n, &protocol_schema, MANNER_NULL, r->diags, v))
		return;
	if (n->count != 1) {
		diag_error(r->diags, n->at,
			   "a protocol has one of 'tcp', 'udp', 'sctp' and 'destinationNamedPort'");
		return;
	}
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (v[i])
			read_port(r, v[i], tables[i], k);
	}
	if (v[PROTOCOL_NAMED_PORT])
		read_named_port(r, v[PROTOCOL_NAMED_PORT], k);
}

void kube_read_protocols(struct reader *r, const struct node *list, struct kube_rule *k)
{
	node_foreach(item, list) read_protocol(r, item, k);
}
