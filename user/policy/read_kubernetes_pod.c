/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes.h"

#include <string.h>

#include "policy/kube_names.h"
#include "util/mem.h"

enum pod_spec_key {
	POD_NODE,
	POD_HOST_NETWORK,
	POD_CONTAINERS,
	POD_INIT_CONTAINERS,
	POD_SPEC_KEYS
};

enum pod_status_key {
	STATUS_PHASE,
	STATUS_IP,
	STATUS_IPS,
	STATUS_HOST_IP,
	STATUS_HOST_IPS,
	STATUS_KEYS
};

enum container_key {
	CONTAINER_PORTS,
	CONTAINER_RESTART,
	CONTAINER_KEYS
};

enum port_key {
	PORT_NAME,
	PORT_NUMBER,
	PORT_PROTOCOL,
	PORT_KEYS
};

/* clang-format off */
static const struct schema_key pod_spec_keys[] = {
	[POD_NODE]            = { "nodeName",       KEY_OPTIONAL, FORM_TEXT },
	[POD_HOST_NETWORK]    = { "hostNetwork",    KEY_OPTIONAL, FORM_TEXT },
	[POD_CONTAINERS]      = { "containers",     KEY_OPTIONAL, FORM_LIST },
	[POD_INIT_CONTAINERS] = { "initContainers", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key pod_status_keys[] = {
	[STATUS_PHASE]    = { "phase",   KEY_OPTIONAL, FORM_TEXT },
	[STATUS_IP]       = { "podIP",   KEY_OPTIONAL, FORM_TEXT },
	[STATUS_IPS]      = { "podIPs",  KEY_OPTIONAL, FORM_LIST },
	[STATUS_HOST_IP]  = { "hostIP",  KEY_OPTIONAL, FORM_TEXT },
	[STATUS_HOST_IPS] = { "hostIPs", KEY_OPTIONAL, FORM_LIST },
};

static const struct schema_key container_keys[] = {
	[CONTAINER_PORTS]   = { "ports",         KEY_OPTIONAL, FORM_LIST },
	[CONTAINER_RESTART] = { "restartPolicy", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key port_keys[] = {
	[PORT_NAME]     = { "name",          KEY_OPTIONAL, FORM_TEXT },
	[PORT_NUMBER]   = { "containerPort", KEY_REQUIRED, FORM_TEXT },
	[PORT_PROTOCOL] = { "protocol",      KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key ip_keys[] = {
	{ "ip", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema pod_spec_schema =
	{ "a pod's spec", pod_spec_keys, COUNT(pod_spec_keys) };
static const struct schema pod_status_schema =
	{ "a pod's status", pod_status_keys, COUNT(pod_status_keys) };
static const struct schema container_schema =
	{ "a container", container_keys, COUNT(container_keys) };
static const struct schema port_schema =
	{ "a container's port", port_keys, COUNT(port_keys) };
static const struct schema ip_schema =
	{ "an address", ip_keys, COUNT(ip_keys) };
/* clang-format on */

struct pod {
	const struct object *object;
	const struct node *spec[POD_SPEC_KEYS];
	const struct node *status[STATUS_KEYS];
};

void read_object_address(struct reader *r, const struct node *n, placed_prefixes *out)
{
	struct placed_prefix placed = {.at = n->at};
	struct bh_addr address;
	char buf[SHOWN_SIZE];
	const char *wrong;

	if (!n->text[0])
		return;
	wrong = addr_parse(n->text, &address);
	if (wrong) {
		diag_error(r->diags, n->at, "'%s': %s", shown(n->text, buf), wrong);
		return;
	}
	placed.prefix = prefix_of_addr(&address);
	vec_foreach (other, out) {
		if (!prefix_cmp(&other->prefix, &placed.prefix))
			return;
	}
	vec_push(out, placed);
}

static void check_families(struct reader *r, const placed_prefixes *pod)
{
	size_t v4 = 0;

	vec_foreach (placed, pod)
		v4 += prefix_is_v4(&placed->prefix);
	if (v4 > 1 || pod->count - v4 > 1)
		diag_error(r->diags, pod->items[pod->count - 1].at,
			   "a pod has one address of each family at most");
}

/* The list has the single one, too, if there is a list. */
static void read_addresses(struct reader *r, const struct node *list, const struct node *single,
			   placed_prefixes *out)
{
	const struct node *ip;

	if (!list || !list->first) {
		if (single)
			read_object_address(r, single, out);
		return;
	}
	node_foreach(item, list)
	{
		if (schema_read_as(item, &ip_schema, MANNER_OPEN, r->diags, &ip) && ip)
			read_object_address(r, ip, out);
	}
}

/* As upstream looks for a port: the first of its name and protocol counts. */
static bool has_port(const struct workload *w, const char *name, enum bh_service_table table)
{
	vec_foreach (port, &w->ports) {
		if (port->number.table == table && !strcmp(port->name, name))
			return true;
	}
	return false;
}

static void read_port(struct reader *r, const struct node *n, struct workload *w)
{
	const struct node *v[PORT_KEYS];
	enum bh_service_table table;
	bool is_named;
	uint16_t number;

	if (!schema_read_as(n, &port_schema, MANNER_OPEN, r->diags, v) || !v[PORT_NUMBER])
		return;
	is_named = v[PORT_NAME] && v[PORT_NAME]->text[0];
	if (is_named && !read_port_name(r, v[PORT_NAME]))
		return;
	if (!read_port_protocol(r, v[PORT_PROTOCOL], &table) ||
	    !read_port_number(r, v[PORT_NUMBER], &number))
		return;
	if (is_named && !has_port(w, v[PORT_NAME]->text, table))
		vec_push(&w->ports,
			 (struct named_port){xstrdup(v[PORT_NAME]->text), {table, number, number}});
}

/* Of those that run beside the others: not of init containers that end. */
static void read_containers(struct reader *r, const struct node *list, bool are_init,
			    struct workload *w)
{
	const struct node *v[CONTAINER_KEYS];

	if (!list)
		return;
	node_foreach(item, list)
	{
		if (!schema_read_as(item, &container_schema, MANNER_OPEN, r->diags, v))
			continue;
		if (!v[CONTAINER_PORTS])
			continue;
		if (are_init &&
		    (!v[CONTAINER_RESTART] || strcmp(v[CONTAINER_RESTART]->text, "Always") != 0))
			continue;
		node_foreach(port, v[CONTAINER_PORTS]) read_port(r, port, w);
	}
}

static bool is_finished(const struct pod *pod)
{
	const struct node *phase = pod->status[STATUS_PHASE];

	return phase && (!strcmp(phase->text, "Succeeded") || !strcmp(phase->text, "Failed"));
}

/* Index into kubernetes.nodes; POLICY_NONE if it is on none yet. */
static size_t read_node_name(struct reader *r, const struct pod *pod)
{
	const struct node *n = pod->spec[POD_NODE];
	const char *fault;
	char buf[SHOWN_SIZE];

	if (!n || !n->text[0])
		return POLICY_NONE;
	fault = kube_name_fault(n->text);
	if (!fault)
		return kubernetes_node(r, n->text, n->at);
	diag_error(r->diags, n->at, "the node's name '%s' %s", shown(n->text, buf), fault);
	return POLICY_NONE;
}

static void claim(struct reader *r, size_t node, const placed_prefixes *addresses)
{
	struct kubernetes *k = r->kubernetes;

	if (node == POLICY_NONE || k->nodes.items[node].is_declared)
		return;
	vec_foreach (placed, addresses)
		vec_push(&k->claims, (struct node_claim){node, *placed});
}

static void claim_host_addresses(struct reader *r, const struct pod *pod, size_t node)
{
	placed_prefixes addresses = {};

	read_addresses(r, pod->status[STATUS_HOST_IPS], pod->status[STATUS_HOST_IP], &addresses);
	claim(r, node, &addresses);
	vec_release(&addresses);
}

/* Defines the name; its text belongs to the policy. */
static char *name_pod(struct reader *r, const struct object *o, size_t workload)
{
	struct name name = {.kind = NAME_POD, .index = workload, .at = o->at};
	_text_ struct text full = TEXT_INIT;
	char *text;

	text_addf(&full, "%s/%s", o->space, o->name);
	text = text_take(&full);
	name.text = text;
	names_define(&r->names, &name);
	return text;
}

/* A pod in its node's network is that node. */
static void read_host_pod(struct reader *r, const struct pod *pod, size_t node)
{
	size_t workload = r->kubernetes->nodes.items[node].workload;
	placed_prefixes addresses = {};
	struct alias alias = {.workload = workload};

	read_addresses(r, pod->status[STATUS_IPS], pod->status[STATUS_IP], &addresses);
	claim(r, node, &addresses);
	vec_release(&addresses);
	alias.name = name_pod(r, pod->object, workload);
	vec_push(&r->policy->aliases, alias);
}

/* A pod that is @nobody has a name and no address. */
static void read_own_pod(struct reader *r, const struct pod *pod, size_t node, bool is_nobody)
{
	const struct object *o = pod->object;
	struct workload w = {WORKLOAD_ALONE, .kind = WORKLOAD_POD, .at = o->at};

	w.space = kubernetes_space(r, o->space, o->at);
	w.node = node == POLICY_NONE ? POLICY_NONE : r->kubernetes->nodes.items[node].workload;
	w.name = name_pod(r, o, r->policy->workloads.count);
	read_object_labels(r, o->labels, &w.labels);
	read_containers(r, pod->spec[POD_CONTAINERS], false, &w);
	read_containers(r, pod->spec[POD_INIT_CONTAINERS], true, &w);
	read_addresses(r, pod->status[STATUS_IPS], pod->status[STATUS_IP], &w.prefixes);
	check_families(r, &w.prefixes);
	if (is_nobody)
		vec_release(&w.prefixes);
	vec_push(&r->policy->workloads, w);
}

void read_kubernetes_pod(struct reader *r, const struct object *o)
{
	struct pod pod = {.object = o};
	bool is_host = false;
	size_t node;

	if (o->spec)
		schema_read_as(o->spec, &pod_spec_schema, MANNER_OPEN, r->diags, pod.spec);
	if (o->status)
		schema_read_as(o->status, &pod_status_schema, MANNER_OPEN, r->diags, pod.status);
	if (pod.spec[POD_HOST_NETWORK])
		schema_bool(pod.spec[POD_HOST_NETWORK], r->diags, &is_host);
	node = read_node_name(r, &pod);
	if (is_finished(&pod)) {
		read_own_pod(r, &pod, node, true);
		return;
	}
	claim_host_addresses(r, &pod, node);
	if (is_host && node != POLICY_NONE)
		read_host_pod(r, &pod, node);
	else
		read_own_pod(r, &pod, node, is_host);
}
