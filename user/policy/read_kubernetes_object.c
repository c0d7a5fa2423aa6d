/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes.h"

#include <string.h>
#include <strings.h>

#include "policy/kube_names.h"
#include "util/mem.h"

#define NAME_LABEL      "kubernetes.io/metadata.name"
#define MODE_ANNOTATION "bulkhead.dev/mode"
#define PORT_MAX        65535

enum node_status_key {
	STATUS_ADDRESSES,
	STATUS_KEYS
};

enum address_key {
	ADDRESS_TYPE,
	ADDRESS_ADDRESS,
	ADDRESS_KEYS
};

enum service_spec_key {
	SERVICE_PORTS,
	SERVICE_SPEC_KEYS
};

enum service_port_key {
	PORT_NUMBER,
	PORT_PROTOCOL,
	PORT_KEYS
};

/* clang-format off */
static const struct schema_key node_status_keys[] = {
	[STATUS_ADDRESSES] = { "addresses", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key address_keys[] = {
	[ADDRESS_TYPE]    = { "type",    KEY_REQUIRED, FORM_TEXT },
	[ADDRESS_ADDRESS] = { "address", KEY_REQUIRED, FORM_TEXT },
};

static const struct schema_key service_spec_keys[] = {
	[SERVICE_PORTS] = { "ports", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key service_port_keys[] = {
	[PORT_NUMBER]   = { "port",     KEY_REQUIRED, FORM_TEXT },
	[PORT_PROTOCOL] = { "protocol", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema node_status_schema =
	{ "a node's status", node_status_keys, COUNT(node_status_keys) };
static const struct schema address_schema =
	{ "a node's address", address_keys, COUNT(address_keys) };
static const struct schema service_spec_schema =
	{ "a service's spec", service_spec_keys, COUNT(service_spec_keys) };
static const struct schema service_port_schema =
	{ "a service's port", service_port_keys, COUNT(service_port_keys) };
/* clang-format on */

bool read_port_number(struct reader *r, const struct node *n, uint16_t *ret)
{
	char buf[SHOWN_SIZE];
	uint64_t number;

	if (n->kind == NODE_TEXT && n->is_plain && text_to_u64(n->text, 1, PORT_MAX, &number)) {
		*ret = (uint16_t)number;
		return true;
	}
	if (n->kind != NODE_TEXT)
		diag_error(r->diags, n->at, "a port must be a number, not %s", node_word(n));
	else if (!n->is_plain && text_to_u64(n->text, 1, PORT_MAX, &number))
		diag_error(r->diags, n->at, "the port '%s' is text; leave out the quotes",
			   shown(n->text, buf));
	else
		diag_error(r->diags, n->at, "the port '%s' is not a number from 1 to %d",
			   shown(n->text, buf), PORT_MAX);
	return false;
}

bool read_port_protocol(struct reader *r, const struct node *n, enum bh_service_table *ret)
{
	static const char *const list[] = {"TCP", "UDP", "SCTP"};
	static const enum bh_service_table tables[] = {BH_SERVICE_TCP, BH_SERVICE_UDP,
						       BH_SERVICE_SCTP};
	static const struct words words = {"a protocol", list, COUNT(list)};
	size_t i = 0;

	if (n && !strcasecmp(n->text, "icmp")) {
		diag_error(r->diags, n->at,
			   "ICMP has no ports; the protocol of a port is TCP, UDP or SCTP");
		return false;
	}
	if (n && !schema_word(n, &words, r->diags, &i))
		return false;
	*ret = tables[i];
	return true;
}

bool read_port_name(struct reader *r, const struct node *n)
{
	const char *fault = kube_port_fault(n->text);
	bool is_quoted = !n->is_plain && !n->text[strspn(n->text, "0123456789")];
	char buf[SHOWN_SIZE];

	if (fault)
		diag_error(r->diags, n->at, "the port's name '%s' %s%s", shown(n->text, buf), fault,
			   is_quoted ? "; a number is written without quotes" : "");
	return !fault;
}

size_t kubernetes_space(struct reader *r, const char *name, struct span at)
{
	struct policy *p = r->policy;
	struct namespace space = {.at = at};
	bool is_new;
	uint64_t *place;

	place = map_put(&r->kubernetes->spaces, name, strlen(name), p->namespaces.count, &is_new);
	if (!is_new)
		return *place;
	space.name = xstrdup(name);
	vec_push(&space.labels, (struct label){xstrdup(NAME_LABEL), xstrdup(name), at});
	vec_push(&p->namespaces, space);
	return *place;
}

size_t kubernetes_node(struct reader *r, const char *name, struct span at)
{
	struct kubernetes *k = r->kubernetes;
	struct workload w = {WORKLOAD_ALONE, .kind = WORKLOAD_NODE, .at = at};
	bool is_new;
	uint64_t *place;

	place = map_put(&k->nodes_map, name, strlen(name), k->nodes.count, &is_new);
	if (!is_new)
		return *place;
	vec_push(&k->nodes, (struct kube_node){.workload = r->policy->workloads.count});
	w.name = xstrdup(name);
	vec_push(&r->policy->workloads, w);
	return *place;
}

void read_kubernetes_namespace(struct reader *r, const struct object *o)
{
	size_t index = kubernetes_space(r, o->name, o->at);
	struct namespace *space = &r->policy->namespaces.items[index];
	labels given = {};

	space->at = o->at;
	read_object_labels(r, o->labels, &given);
	vec_foreach (label, &given) {
		if (strcmp(label->key, NAME_LABEL) != 0) {
			vec_push(&space->labels, *label);
			continue;
		}
		free(label->key); /* the API server sets it, whatever was given */
		free(label->value);
	}
	vec_release(&given);
	if (!o->annotations)
		return;
	node_foreach(key, o->annotations)
	{
		if (!strcmp(key->text, MODE_ANNOTATION) &&
		    schema_is_text(key->value, "a mode", r->diags))
			read_mode(r, key->value, &space->mode);
	}
}

static void read_node_address(struct reader *r, const struct node *n, placed_prefixes *out)
{
	const struct node *v[ADDRESS_KEYS];

	if (!schema_read_as(n, &address_schema, MANNER_OPEN, r->diags, v))
		return;
	if (!v[ADDRESS_TYPE] || !v[ADDRESS_ADDRESS])
		return;
	if (!strcmp(v[ADDRESS_TYPE]->text, "InternalIP") ||
	    !strcmp(v[ADDRESS_TYPE]->text, "ExternalIP"))
		read_object_address(r, v[ADDRESS_ADDRESS], out);
}

void read_kubernetes_node(struct reader *r, const struct object *o)
{
	size_t index = kubernetes_node(r, o->name, o->at);
	struct kube_node *node = &r->kubernetes->nodes.items[index];
	struct workload *w = &r->policy->workloads.items[node->workload];
	const struct node *v[STATUS_KEYS] = {};

	node->is_declared = true;
	w->at = o->at;
	read_object_labels(r, o->labels, &w->labels);
	if (o->status)
		schema_read_as(o->status, &node_status_schema, MANNER_OPEN, r->diags, v);
	if (!v[STATUS_ADDRESSES])
		return;
	node_foreach(item, v[STATUS_ADDRESSES]) read_node_address(r, item, &w->prefixes);
}

/* Its address is none that a packet keeps: nothing of it is used. */
void read_kubernetes_service(struct reader *r, const struct object *o)
{
	const struct node *v[SERVICE_SPEC_KEYS] = {}, *port[PORT_KEYS];
	enum bh_service_table table;
	uint16_t number;

	if (o->spec)
		schema_read_as(o->spec, &service_spec_schema, MANNER_OPEN, r->diags, v);
	if (!v[SERVICE_PORTS])
		return;
	node_foreach(item, v[SERVICE_PORTS])
	{
		if (!schema_read_as(item, &service_port_schema, MANNER_OPEN, r->diags, port))
			continue;
		if (port[PORT_NUMBER])
			read_port_number(r, port[PORT_NUMBER], &number);
		read_port_protocol(r, port[PORT_PROTOCOL], &table);
	}
}
