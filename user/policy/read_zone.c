/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#include "policy/read_kubernetes.h"
#include "util/mem.h"

#define API_VERSION "bulkhead.dev/v1"
#define KIND        "ZonePolicy"

enum root_key {
	ROOT_API_VERSION,
	ROOT_KIND,
	ROOT_METADATA,
	ROOT_SPEC,
	ROOT_KEYS
};

enum zone_key {
	ZONE_NAME,
	ZONE_CIDRS,
	ZONE_MODE,
	ZONE_ROLE,
	ZONE_AGENT_DOWN,
	ZONE_NAMESPACES,
	ZONE_PODS,
	ZONE_KEYS
};

enum service_key {
	SERVICE_NAME,
	SERVICE_PORTS,
	SERVICE_KEYS
};

/* clang-format off */
static const struct schema_key root_keys[] = {
	[ROOT_API_VERSION] = { "apiVersion", KEY_REQUIRED, FORM_TEXT },
	[ROOT_KIND]        = { "kind",       KEY_REQUIRED, FORM_TEXT },
	[ROOT_METADATA]    = { "metadata",   KEY_OPTIONAL, FORM_MAP },
	[ROOT_SPEC]        = { "spec",       KEY_REQUIRED, FORM_MAP },
};

static const struct schema_key metadata_keys[] = {
	{ "name", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key spec_keys[] = {
	[SPEC_MODE]       = { "mode",            KEY_OPTIONAL, FORM_TEXT },
	[SPEC_ZONES]      = { "zones",           KEY_OPTIONAL, FORM_LIST },
	[SPEC_WORKLOADS]  = { "workloads",       KEY_OPTIONAL, FORM_LIST },
	[SPEC_SERVICES]   = { "services",        KEY_OPTIONAL, FORM_LIST },
	[SPEC_RULES]      = { "rules",           KEY_OPTIONAL, FORM_LIST },
	[SPEC_NEVER]      = { "never",           KEY_OPTIONAL, FORM_LIST },
	[SPEC_EXPECT]     = { "expect",          KEY_OPTIONAL, FORM_LIST },
	[SPEC_FAILSAFE]   = { "failsafe",        KEY_OPTIONAL, FORM_LIST },
	[SPEC_AGENT_DOWN] = { "whenAgentIsDown", KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key zone_keys[] = {
	[ZONE_NAME]       = { "name",              KEY_REQUIRED, FORM_TEXT },
	[ZONE_CIDRS]      = { "cidrs",             KEY_OPTIONAL, FORM_ANY },
	[ZONE_MODE]       = { "mode",              KEY_OPTIONAL, FORM_TEXT },
	[ZONE_ROLE]       = { "role",              KEY_OPTIONAL, FORM_TEXT },
	[ZONE_AGENT_DOWN] = { "whenAgentIsDown",   KEY_OPTIONAL, FORM_TEXT },
	[ZONE_NAMESPACES] = { "namespaceSelector", KEY_OPTIONAL, FORM_MAP },
	[ZONE_PODS]       = { "podSelector",       KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key service_keys[] = {
	[SERVICE_NAME]  = { "name",  KEY_REQUIRED, FORM_TEXT },
	[SERVICE_PORTS] = { "ports", KEY_REQUIRED, FORM_ANY },
};

static const struct schema root_schema =
	{ "a document", root_keys, COUNT(root_keys) };
static const struct schema metadata_schema =
	{ "metadata", metadata_keys, COUNT(metadata_keys) };
static const struct schema spec_schema =
	{ "a spec", spec_keys, COUNT(spec_keys) };
static const struct schema zone_schema =
	{ "a zone", zone_keys, COUNT(zone_keys) };
static const struct schema service_schema =
	{ "a named service", service_keys, COUNT(service_keys) };
/* clang-format on */

static void read_role(struct reader *r, const struct node *n, enum zone_role *ret)
{
	static const char *const list[] = {"internet", "front", "internal", "data", "management"};
	static const enum zone_role roles[] = {ROLE_INTERNET, ROLE_FRONT, ROLE_INTERNAL, ROLE_DATA,
					       ROLE_MANAGEMENT};
	static const struct words words = {"a role", list, COUNT(list)};
	size_t i;

	if (n && schema_word(n, &words, r->diags, &i))
		*ret = roles[i];
}

static void read_stance(struct reader *r, const struct node *n, enum stance *ret)
{
	static const char *const list[] = {"keep", "open", "closed"};
	static const enum stance stances[] = {STANCE_KEEP, STANCE_OPEN, STANCE_CLOSED};
	static const struct words words = {"a stance", list, COUNT(list)};
	size_t i;

	if (n && schema_word(n, &words, r->diags, &i))
		*ret = stances[i];
}

struct selector *read_member_pods(struct reader *r, const struct node *namespaces,
				  const struct node *pods)
{
	if (!namespaces && !pods)
		return NULL;
	return read_pod_selector(r, namespaces ? namespaces->at : pods->at, POLICY_NONE, namespaces,
				 pods);
}

static void read_zone(struct reader *r, const struct node *n)
{
	struct zone zone = {.mode = r->mode, .agent_down = r->agent_down, .at = n->at};
	const struct node *v[ZONE_KEYS];

	if (!read_entry_keys(r, n, &zone_schema, v))
		return;
	if (v[ZONE_NAME])
		zone.at = v[ZONE_NAME]->at;
	zone.name = read_name(r, NAME_ZONE, r->policy->zones.count, v[ZONE_NAME]);
	read_prefixes(r, v[ZONE_CIDRS], &zone.prefixes);
	read_mode(r, v[ZONE_MODE], &zone.mode);
	read_role(r, v[ZONE_ROLE], &zone.role);
	read_stance(r, v[ZONE_AGENT_DOWN], &zone.agent_down);
	zone.pods = read_member_pods(r, v[ZONE_NAMESPACES], v[ZONE_PODS]);
	vec_push(&r->policy->zones, zone);
}

static void read_named_service(struct reader *r, const struct node *n)
{
	struct named_services named = {.at = n->at};
	const struct node *v[SERVICE_KEYS];

	if (!read_entry_keys(r, n, &service_schema, v))
		return;
	if (v[SERVICE_NAME])
		named.at = v[SERVICE_NAME]->at;
	named.name = read_name(r, NAME_SERVICE, r->policy->services.count, v[SERVICE_NAME]);
	read_ports(r, v[SERVICE_PORTS], &named.services);
	vec_push(&r->policy->services, named);
}

/* The list's entries each define a name. */
static void expect_names(struct reader *r, enum name_scope scope, const struct node *list)
{
	if (list)
		names_expect(&r->names, scope, list->count);
}

static void read_entries(struct reader *r, const struct node *list,
			 void (*read)(struct reader *r, const struct node *n))
{
	if (!list)
		return;
	node_foreach(entry, list)
	{
		if (r->is_full || r->diags->errors >= DIAG_KEPT)
			return;
		read(r, entry);
		r->folded -= entry->is_folded;
	}
}

/* One of two parts of a document's type; NULL @n: missing, and reported. */
static bool check_type(struct reader *r, const struct node *n, const char *key, const char *wanted)
{
	char buf[SHOWN_SIZE];

	if (!n || !strcmp(n->text, wanted))
		return true;
	if (text_nearest(n->text, &wanted, 1))
		diag_error(r->diags, n->at, "unknown %s '%s'; did you mean '%s'?", key,
			   shown(n->text, buf), wanted);
	else
		diag_error(r->diags, n->at, "unknown %s '%s'; it must be '%s'", key,
			   shown(n->text, buf), wanted);
	return false;
}

/* Of a document whose version isn't ours either. */
static void refuse_kind(struct reader *r, const struct node *kind, const struct node *version)
{
	static const char *const ours = KIND;
	_text_ struct text kinds = TEXT_INIT;
	char buf[SHOWN_SIZE];

	if (text_nearest(kind->text, &ours, 1)) {
		check_type(r, version, "apiVersion", API_VERSION);
		check_type(r, kind, "kind", KIND);
		return;
	}
	kubernetes_add_kinds(&kinds);
	diag_error(r->diags, kind->at, "unknown kind '%s'; it may be " KIND "%s",
		   shown(kind->text, buf), kinds.buf);
}

bool is_zone_policy(const struct node *root)
{
	if (root->kind != NODE_MAP)
		return false;
	node_foreach(key, root)
	{
		if (!strcmp(key->text, "kind"))
			return key->value->kind == NODE_TEXT && !strcmp(key->value->text, KIND);
	}
	return false;
}

/* Documents of other kinds have other keys: their insides are no use. */
static bool is_foreign(struct reader *r, const struct node *root)
{
	const struct node *kind = NULL, *version = NULL;

	if (root->kind != NODE_MAP)
		return false;
	node_foreach(key, root)
	{
		if (!strcmp(key->text, "kind"))
			kind = key->value;
		if (!strcmp(key->text, "apiVersion"))
			version = key->value;
	}
	if (!kind || kind->kind != NODE_TEXT || !strcmp(kind->text, KIND))
		return false;
	if (kubernetes_refuse_near(r, kind))
		return true;
	if (!version || version->kind != NODE_TEXT || !strcmp(version->text, API_VERSION))
		return false;
	refuse_kind(r, kind, version);
	return true;
}

/* Only what is ignored may hold any character that JSON has. */
static void refuse_odd(struct reader *r, const struct node *n)
{
	if (!n->is_odd)
		return;
	if (n->kind == NODE_TEXT) {
		diag_error(r->diags, n->at, "text can't contain NUL and other control characters");
		return;
	}
	node_foreach(item, n)
	{
		refuse_odd(r, item);
		if (n->kind == NODE_MAP)
			refuse_odd(r, item->value);
	}
}

/* Whether a list that defines names may be what is wrong with the spec. */
static bool lacks_names(const struct zone_policy *p)
{
	return !p->spec[SPEC_ZONES] || !p->spec[SPEC_WORKLOADS] || !p->spec[SPEC_SERVICES];
}

void read_document(struct reader *r, const struct node *root)
{
	const struct node *v[ROOT_KEYS], *metadata[COUNT(metadata_keys)];
	struct zone_policy document = {.kubernetes = POLICY_NONE};
	size_t errors;

	r->policy->documents++;
	if (read_kubernetes(r, root))
		return;
	if (root->is_odd)
		refuse_odd(r, root);
	if (is_foreign(r, root) || !schema_read(root, &root_schema, r->diags, v)) {
		r->names.is_incomplete = true;
		return;
	}
	check_type(r, v[ROOT_API_VERSION], "apiVersion", API_VERSION);
	check_type(r, v[ROOT_KIND], "kind", KIND);
	if (v[ROOT_METADATA])
		schema_read(v[ROOT_METADATA], &metadata_schema, r->diags, metadata);
	errors = r->diags->errors;
	if (!v[ROOT_SPEC] || !schema_read(v[ROOT_SPEC], &spec_schema, r->diags, document.spec)) {
		r->names.is_incomplete = true;
		return;
	}

	if (r->diags->errors > errors && lacks_names(&document))
		r->names.is_incomplete = true;
	r->mode = MODE_ENFORCE;
	read_mode(r, document.spec[SPEC_MODE], &r->mode);
	r->agent_down = STANCE_UNSET;
	read_stance(r, document.spec[SPEC_AGENT_DOWN], &r->agent_down);
	expect_names(r, SCOPE_MEMBERS, document.spec[SPEC_WORKLOADS]);
	if (document.spec[SPEC_WORKLOADS])
		vec_reserve(&r->policy->workloads, document.spec[SPEC_WORKLOADS]->count);
	read_entries(r, document.spec[SPEC_ZONES], read_zone);
	read_entries(r, document.spec[SPEC_WORKLOADS], read_workload);
	read_entries(r, document.spec[SPEC_SERVICES], read_named_service);
	vec_push(&r->documents, document);
}

void read_references(struct reader *r)
{
	vec_foreach (reference, &r->zones)
		r->policy->workloads.items[reference->workload].zone =
			read_zone_name(r, reference->name, reference->at);
	kubernetes_resolve(r);
	vec_foreach (document, &r->documents) {
		if (document->kubernetes != POLICY_NONE) {
			if (!r->is_full && r->diags->errors < DIAG_KEPT)
				read_kubernetes_policy(r, document->kubernetes);
			continue;
		}
		expect_names(r, SCOPE_RULES, document->spec[SPEC_RULES]);
		if (document->spec[SPEC_RULES])
			vec_reserve(&r->policy->rules, document->spec[SPEC_RULES]->count);
		read_entries(r, document->spec[SPEC_FAILSAFE], read_failsafe);
		read_entries(r, document->spec[SPEC_RULES], read_rule);
		read_entries(r, document->spec[SPEC_NEVER], read_never);
		read_entries(r, document->spec[SPEC_EXPECT], read_expect);
	}
	kubernetes_order(r);
}
