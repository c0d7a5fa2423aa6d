/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes.h"

#include <string.h>

#include "policy/kube_names.h"
#include "util/mem.h"

#define DEFAULT_SPACE "default"

enum root_key {
	ROOT_API_VERSION,
	ROOT_KIND,
	ROOT_METADATA,
	ROOT_SPEC,
	ROOT_STATUS,
	ROOT_KEYS
};

enum metadata_key {
	METADATA_NAME,
	METADATA_SPACE,
	METADATA_LABELS,
	METADATA_ANNOTATIONS,
	METADATA_KEYS
};

enum list_key {
	LIST_API_VERSION,
	LIST_KIND,
	LIST_METADATA,
	LIST_ITEMS,
	LIST_KEYS
};

/* clang-format off */
static const struct schema_key object_keys[] = {
	[ROOT_API_VERSION] = { "apiVersion", KEY_OPTIONAL, FORM_TEXT },
	[ROOT_KIND]        = { "kind",       KEY_OPTIONAL, FORM_TEXT },
	[ROOT_METADATA]    = { "metadata",   KEY_REQUIRED, FORM_MAP },
	[ROOT_SPEC]        = { "spec",       KEY_OPTIONAL, FORM_MAP },
	[ROOT_STATUS]      = { "status",     KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key policy_keys[] = {
	[ROOT_API_VERSION] = { "apiVersion", KEY_OPTIONAL, FORM_TEXT },
	[ROOT_KIND]        = { "kind",       KEY_OPTIONAL, FORM_TEXT },
	[ROOT_METADATA]    = { "metadata",   KEY_REQUIRED, FORM_MAP },
	[ROOT_SPEC]        = { "spec",       KEY_REQUIRED, FORM_MAP },
	[ROOT_STATUS]      = { "status",     KEY_OPTIONAL, FORM_ANY },
};

static const struct schema_key metadata_keys[] = {
	[METADATA_NAME]        = { "name",        KEY_REQUIRED, FORM_TEXT },
	[METADATA_SPACE]       = { "namespace",   KEY_OPTIONAL, FORM_TEXT },
	[METADATA_LABELS]      = { "labels",      KEY_OPTIONAL, FORM_MAP },
	[METADATA_ANNOTATIONS] = { "annotations", KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key list_keys[] = {
	[LIST_API_VERSION] = { "apiVersion", KEY_REQUIRED, FORM_TEXT },
	[LIST_KIND]        = { "kind",       KEY_REQUIRED, FORM_TEXT },
	[LIST_METADATA]    = { "metadata",   KEY_OPTIONAL, FORM_ANY },
	[LIST_ITEMS]       = { "items",      KEY_OPTIONAL, FORM_LIST },
};

static const struct schema object_schema   = { "an object", object_keys, COUNT(object_keys) };
static const struct schema policy_schema   = { "a policy",  policy_keys, COUNT(policy_keys) };
static const struct schema metadata_schema = { "metadata",  metadata_keys, COUNT(metadata_keys) };
static const struct schema list_schema     = { "a list of objects", list_keys, COUNT(list_keys) };

static const struct object_kind kinds[] = {
	{ "Pod",       "v1", true,  false, read_kubernetes_pod },
	{ "Namespace", "v1", false, false, read_kubernetes_namespace },
	{ "Node",      "v1", false, false, read_kubernetes_node },
	{ "Service",   "v1", true,  false, read_kubernetes_service },
	{ "NetworkPolicy", "networking.k8s.io/v1", true, true, read_network_policy },
	{ "ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", false, true,
	  read_cluster_network_policy },
};

/* Of anything. */
static const struct object_kind any_list = { "", "v1", false, false, NULL };
/* clang-format on */

#define LIST "List"

struct kubernetes *kubernetes_new(void)
{
	return xcalloc(1, sizeof(struct kubernetes));
}

void kubernetes_free(struct kubernetes *k)
{
	map_release(&k->objects);
	vec_release(&k->places);
	map_release(&k->spaces);
	map_release(&k->nodes_map);
	vec_release(&k->nodes);
	vec_release(&k->claims);
	vec_release(&k->policies);
	vec_release(&k->cluster_policies);
	vec_release(&k->cluster_rules);
	pods_release(&k->pods);
	free(k);
}

static const struct object_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

/* Of what "List", "PodList", ... is a list; NULL if it is none. */
static const struct object_kind *find_list(const char *name)
{
	size_t end = strlen(LIST), len = strnlen(name, POLICY_NAME_MAX);
	_text_ struct text item = TEXT_INIT;

	if (len < end || strcmp(name + len - end, LIST) != 0)
		return NULL;
	text_addn(&item, name, len - end);
	return item.len ? find_kind(item.buf) : &any_list;
}

static const struct node *find_text(const struct node *root, const char *name)
{
	node_foreach(key, root)
	{
		if (!strcmp(key->text, name))
			return key->value->kind == NODE_TEXT ? key->value : NULL;
	}
	return NULL;
}

/* NULL @n: it was left out, which is told elsewhere or, in a list of one kind, right. */
static bool check_version(struct reader *r, const struct node *n, const struct object_kind *kind,
			  bool is_list)
{
	char buf[SHOWN_SIZE];

	if (!n || !strcmp(n->text, kind->version))
		return true;
	diag_error(r->diags, n->at, "unknown apiVersion '%s' of a %s%s; it must be '%s'",
		   shown(n->text, buf), kind->name, is_list ? LIST : "", kind->version);
	return false;
}

static bool check_name(struct reader *r, const struct node *n, const char *fault)
{
	char buf[SHOWN_SIZE];

	if (fault)
		diag_error(r->diags, n->at, "the name '%s' %s", shown(n->text, buf), fault);
	return !fault;
}

static bool read_space(struct reader *r, const struct node *n, const struct object_kind *kind,
		       const char **ret)
{
	bool is_given = n && n->text[0];

	if (!is_given)
		return true;
	if (!kind->has_space) {
		diag_error(r->diags, n->at, "a %s is in no namespace; leave the key out",
			   kind->name);
		return false;
	}
	if (!check_name(r, n, kube_label_fault(n->text)))
		return false;
	*ret = n->text;
	return true;
}

/* Whether it is the first of its kind and name. */
static bool is_new_object(struct reader *r, const struct object *o, const struct object_kind *kind)
{
	struct kubernetes *k = r->kubernetes;
	_text_ struct text key = TEXT_INIT;
	const char *slash = kind->has_space ? "/" : "";
	uint64_t *place;
	bool is_new;

	text_addf(&key, "%s '%s%s%s'", kind->name, o->space, slash, o->name);
	place = map_put(&k->objects, key.buf, key.len, k->places.count, &is_new);
	if (is_new) {
		vec_push(&k->places, o->at);
		return true;
	}
	diag_error(r->diags, o->at, "the %s is given twice; drop one", key.buf);
	diag_note(r->diags, k->places.items[*place], "first given here");
	return false;
}

/* False if the object is given twice.  One whose names are wrong stays without a name. */
static bool read_metadata(struct reader *r, const struct node *n, const struct object_kind *kind,
			  struct object *o)
{
	const struct node *v[METADATA_KEYS], *name;
	const char *fault;
	bool is_placed;

	schema_read_as(n, &metadata_schema, MANNER_OPEN, r->diags, v);
	o->labels = v[METADATA_LABELS];
	o->annotations = v[METADATA_ANNOTATIONS];
	is_placed = read_space(r, v[METADATA_SPACE], kind, &o->space);
	name = v[METADATA_NAME];
	if (!name)
		return true;
	fault = !strcmp(kind->name, "Namespace") ? kube_label_fault(name->text)
						 : kube_name_fault(name->text);
	if (!check_name(r, name, fault) || !is_placed)
		return true;
	o->name = name->text;
	o->at = name->at;
	return is_new_object(r, o, kind);
}

/* A policy waits for the pods that it selects. */
static void take_object(struct reader *r, const struct object *o, const struct object_kind *kind)
{
	struct kubernetes *k = r->kubernetes;

	if (!kind->is_policy) {
		kind->read(r, o);
		return;
	}
	vec_push(&r->documents, (struct zone_policy){.kubernetes = k->policies.count});
	vec_push(&k->policies, (struct waiting_policy){*o, kind});
}

static void read_object(struct reader *r, const struct node *root, const struct object_kind *kind)
{
	const struct node *v[ROOT_KEYS];
	struct object o = {.name = "", .space = kind->has_space ? DEFAULT_SPACE : ""};

	o.at = root->at;
	schema_read_as(root, kind->is_policy ? &policy_schema : &object_schema,
		       kind->is_policy ? MANNER_NULL : MANNER_OPEN, r->diags, v);
	if (!check_version(r, v[ROOT_API_VERSION], kind, false))
		return;
	o.spec = v[ROOT_SPEC];
	o.status = v[ROOT_STATUS];
	if (v[ROOT_METADATA] && !read_metadata(r, v[ROOT_METADATA], kind, &o))
		return;
	if (kind->is_policy ? o.spec != NULL : o.name[0] != '\0')
		take_object(r, &o, kind);
}

static void read_item(struct reader *r, const struct node *item, const struct object_kind *kind)
{
	const struct node *name;
	const struct object_kind *own = kind;
	char buf[SHOWN_SIZE];

	if (item->kind != NODE_MAP) {
		diag_error(r->diags, item->at, "an item must be a mapping, not %s",
			   node_is_missing(item) ? "nothing" : node_word(item));
		return;
	}
	name = find_text(item, "kind");
	if (name)
		own = find_kind(name->text);
	if (own && own != &any_list && (kind == &any_list || own == kind))
		read_object(r, item, own);
	else if (!name)
		diag_error(r->diags, item->at, "missing key 'kind'; an item of a List needs it");
	else if (kind == &any_list)
		diag_error(r->diags, name->at, "a '%s' is nothing that is read from a List",
			   shown(name->text, buf));
	else
		diag_error(r->diags, name->at, "a '%s' can't be in a %sList",
			   shown(name->text, buf), kind->name);
}

static void read_list(struct reader *r, const struct node *root, const struct object_kind *kind)
{
	const struct node *v[LIST_KEYS];

	schema_read_as(root, &list_schema, MANNER_NULL, r->diags, v);
	if (!check_version(r, v[LIST_API_VERSION], kind, true) || !v[LIST_ITEMS])
		return;
	node_foreach(item, v[LIST_ITEMS])
	{
		if (r->diags->errors >= DIAG_KEPT)
			return;
		read_item(r, item, kind);
	}
}

bool kubernetes_refuse_near(struct reader *r, const struct node *kind)
{
	static const char *const replaced[] = {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"};
	const char *names[COUNT(kinds)], *nearest;
	char buf[SHOWN_SIZE];

	for (size_t i = 0; i < COUNT(replaced); i++) {
		if (strcmp(kind->text, replaced[i]) != 0)
			continue;
		diag_error(r->diags, kind->at,
			   "the kind '%s' has been replaced by ClusterNetworkPolicy", replaced[i]);
		return true;
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		names[i] = kinds[i].name;
	nearest = text_nearest(kind->text, names, COUNT(kinds));
	if (nearest)
		diag_error(r->diags, kind->at, "unknown kind '%s'; did you mean '%s'?",
			   shown(kind->text, buf), nearest);
	return nearest;
}

void kubernetes_add_kinds(struct text *out)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		text_addf(out, ", %s", kinds[i].name);
}

bool read_kubernetes(struct reader *r, const struct node *root)
{
	const struct node *name = root->kind == NODE_MAP ? find_text(root, "kind") : NULL;
	const struct object_kind *kind = name ? find_kind(name->text) : NULL;
	const struct object_kind *list = name && !kind ? find_list(name->text) : NULL;
	size_t errors = r->diags->errors;

	if (!kind && !list)
		return false;
	if (kind && !find_text(root, "apiVersion"))
		diag_error(r->diags, root->at, "missing key 'apiVersion'; a %s needs it",
			   kind->name);
	if (list)
		read_list(r, root, list);
	else
		read_object(r, root, kind);
	if (r->diags->errors > errors)
		r->names.is_incomplete = true;
	return true;
}

void read_kubernetes_policy(struct reader *r, size_t index)
{
	const struct waiting_policy *waiting = &r->kubernetes->policies.items[index];

	waiting->kind->read(r, &waiting->object);
}
