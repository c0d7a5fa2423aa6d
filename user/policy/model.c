/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/model.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

struct policy *policy_new(void)
{
	return xcalloc(1, sizeof(struct policy));
}

static void requirements_release(requirements *r)
{
	for (size_t i = 0; r->size && i < r->count; i++) {
		struct requirement *requirement = &r->items[i];

		vec_foreach (value, &requirement->values)
			free(*value);
		vec_release(&requirement->values);
		free(requirement->key);
	}
	vec_release(r);
}

static void labels_release(labels *l)
{
	for (size_t i = 0; l->size && i < l->count; i++) {
		free(l->items[i].key);
		free(l->items[i].value);
	}
	vec_release(l);
}

static struct selector *selector_init(struct selector *s, enum selector_kind kind, struct span at)
{
	*s = (struct selector){
		.kind = kind,
		.at = at,
		.zone = POLICY_NONE,
		.workload = POLICY_NONE,
		.space = POLICY_NONE,
	};
	return s;
}

struct selector *selector_new(enum selector_kind kind, struct span at)
{
	return selector_init(xmalloc(sizeof(struct selector)), kind, at);
}

struct selector *selector_keep(struct arena *memory, enum selector_kind kind, struct span at)
{
	struct selector *s = arena_take(memory, sizeof(*s), _Alignof(struct selector));

	selector_init(s, kind, at);
	s->is_kept = true;
	return s;
}

void selector_free(struct selector *s)
{
	if (!s || s->shared || s->is_kept)
		return;
	vec_foreach (child, &s->children)
		selector_free(*child);
	vec_release(&s->children);
	vec_release(&s->except);
	requirements_release(&s->requirements);
	requirements_release(&s->space_requirements);
	free(s->port_name);
	free(s);
}

static void requirements_copy(const requirements *r, requirements *out)
{
	vec_foreach (requirement, r) {
		struct requirement copy = {.kind = requirement->kind};

		copy.key = xstrdup(requirement->key);
		vec_foreach (value, &requirement->values)
			vec_push(&copy.values, xstrdup(*value));
		vec_push(out, copy);
	}
}

struct selector *selector_copy(const struct selector *s)
{
	struct selector *copy = selector_new(s->kind, s->at);

	copy->zone = s->zone;
	copy->workload = s->workload;
	copy->space = s->space;
	copy->port = s->port;
	copy->prefix = s->prefix;
	copy->port_name = s->port_name ? xstrdup(s->port_name) : NULL;
	requirements_copy(&s->requirements, &copy->requirements);
	requirements_copy(&s->space_requirements, &copy->space_requirements);
	vec_foreach (hole, &s->except)
		vec_push(&copy->except, *hole);
	vec_foreach (child, &s->children)
		vec_push(&copy->children, selector_copy(*child));
	return copy;
}

static void workload_release(struct workload *w)
{
	if (!w->is_kept)
		free(w->name);
	vec_release(&w->prefixes);
	labels_release(&w->labels);
	selector_free(w->pods);
	vec_foreach (port, &w->ports)
		free(port->name);
	vec_release(&w->ports);
}

static void policy_free_members(struct policy *p)
{
	vec_foreach (zone, &p->zones) {
		free(zone->name);
		vec_release(&zone->prefixes);
		selector_free(zone->pods);
	}
	vec_foreach (space, &p->namespaces) {
		free(space->name);
		labels_release(&space->labels);
	}
	vec_foreach (workload, &p->workloads)
		workload_release(workload);
	vec_foreach (alias, &p->aliases)
		free(alias->name);
	vec_foreach (named, &p->services) {
		free(named->name);
		vec_release(&named->services);
	}
	vec_release(&p->zones);
	vec_release(&p->namespaces);
	vec_release(&p->workloads);
	vec_release(&p->aliases);
	vec_release(&p->services);
}

static void policy_free_rules(struct policy *p)
{
	vec_foreach (rule, &p->rules) {
		selector_free(rule->from);
		selector_free(rule->to);
		vec_release(&rule->services);
		if (rule->is_kept)
			continue;
		free(rule->name);
		free(rule->service_text);
	}
	vec_foreach (isolator, &p->isolators) {
		free(isolator->name);
		selector_free(isolator->subject);
	}
	vec_foreach (never, &p->nevers) {
		free(never->name);
		selector_free(never->from);
		selector_free(never->to);
		vec_release(&never->services);
	}
	vec_foreach (expect, &p->expects) {
		selector_free(expect->from);
		selector_free(expect->to);
		vec_release(&expect->services);
	}
	vec_release(&p->rules);
	vec_release(&p->isolators);
	vec_release(&p->nevers);
	vec_release(&p->expects);
}

void policy_clear(struct policy *p)
{
	policy_free_members(p);
	policy_free_rules(p);
	vec_foreach (selector, &p->shared) {
		(*selector)->shared = 0;
		selector_free(*selector);
	}
	vec_release(&p->shared);
	arena_release(&p->memory);
	p->documents = 0;
	p->is_audit = false;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_clear(p);
	vec_foreach (source, &p->sources) {
		source_release(*source);
		free(*source);
	}
	vec_release(&p->sources);
	free(p);
}

void policy_freep(struct policy **p)
{
	policy_free(*p);
}

static const char *label_value(const labels *own, const char *key)
{
	vec_foreach (label, own) {
		if (!strcmp(label->key, key))
			return label->value;
	}
	return NULL;
}

static bool is_among(const struct requirement *requirement, const char *value)
{
	vec_foreach (candidate, &requirement->values) {
		if (!strcmp(*candidate, value))
			return true;
	}
	return false;
}

static bool requirement_holds(const struct requirement *requirement, const char *value)
{
	switch (requirement->kind) {
	case REQUIRE_IN:
		return value && is_among(requirement, value);
	case REQUIRE_NOT_IN:
		return !value || !is_among(requirement, value);
	case REQUIRE_EXISTS:
		return value;
	case REQUIRE_NOT_EXISTS:
		return !value;
	}
	return false;
}

bool requirements_match(const requirements *r, const labels *own)
{
	vec_foreach (requirement, r) {
		if (!requirement_holds(requirement, label_value(own, requirement->key)))
			return false;
	}
	return true;
}

/* Whether the pod calls the number by the name. */
static bool has_port(const struct workload *w, const char *name, const struct service_range *number)
{
	vec_foreach (port, &w->ports) {
		if (!strcmp(port->name, name) && port->number.table == number->table &&
		    port->number.lo == number->lo)
			return true;
	}
	return false;
}

static bool takes_pod(const struct policy *p, const struct selector *s, const struct workload *w)
{
	if (s->space != POLICY_NONE && s->space != w->space)
		return false;
	if (s->port_name && !has_port(w, s->port_name, &s->port))
		return false;
	return requirements_match(&s->space_requirements, &p->namespaces.items[w->space].labels) &&
	       requirements_match(&s->requirements, &w->labels);
}

bool selector_takes(const struct policy *p, const struct selector *s, const struct workload *w)
{
	switch (w->kind) {
	case WORKLOAD_GROUP:
		return s->kind == SELECT_LABELS && requirements_match(&s->requirements, &w->labels);
	case WORKLOAD_POD:
		if (s->kind == SELECT_PODS)
			return takes_pod(p, s, w);
		return s->kind == SELECT_LABELS && requirements_match(&s->requirements, &w->labels);
	case WORKLOAD_NODE:
		return s->kind == SELECT_NODES && requirements_match(&s->requirements, &w->labels);
	}
	return false;
}

bool rule_has_expired(const struct rule *rule, int64_t now)
{
	return rule->expires && rule->expires <= now;
}

const char *mode_word(enum mode mode)
{
	switch (mode) {
	case MODE_UNSET:
		return NULL;
	case MODE_ENFORCE:
		return "enforce";
	case MODE_AUDIT:
		return "audit";
	case MODE_OFF:
		return "off";
	}
	return NULL;
}

const char *role_word(enum zone_role role)
{
	switch (role) {
	case ROLE_UNSET:
		return NULL;
	case ROLE_INTERNET:
		return "internet";
	case ROLE_FRONT:
		return "front";
	case ROLE_INTERNAL:
		return "internal";
	case ROLE_DATA:
		return "data";
	case ROLE_MANAGEMENT:
		return "management";
	}
	return NULL;
}

const char *verdict_word(unsigned int verdict)
{
	/* clang-format off */
	static const char *const words[] = {
#define X(id, word, help) [BH_VERDICT_##id] = (word),
		BH_VERDICTS(X)
#undef X
	};
	/* clang-format on */

	return verdict < COUNT(words) ? words[verdict] : "unknown";
}

const char *workload_kind_word(enum workload_kind kind)
{
	switch (kind) {
	case WORKLOAD_GROUP:
		return "workload";
	case WORKLOAD_POD:
		return "pod";
	case WORKLOAD_NODE:
		return "node";
	}
	return "";
}

const char *requirement_word(enum requirement_kind kind)
{
	switch (kind) {
	case REQUIRE_IN:
		return "In";
	case REQUIRE_NOT_IN:
		return "NotIn";
	case REQUIRE_EXISTS:
		return "Exists";
	case REQUIRE_NOT_EXISTS:
		return "DoesNotExist";
	}
	return "";
}

bool requirement_wants_values(enum requirement_kind kind)
{
	return kind == REQUIRE_IN || kind == REQUIRE_NOT_IN;
}

const char *action_word(enum action action)
{
	switch (action) {
	case ACTION_ALLOW:
		return "allow";
	case ACTION_DENY:
		return "deny";
	case ACTION_REJECT:
		return "reject";
	case ACTION_PASS:
		return "pass";
	}
	return "";
}

const char *stance_word(enum stance stance)
{
	switch (stance) {
	case STANCE_UNSET:
		return NULL;
	case STANCE_KEEP:
		return "keep";
	case STANCE_OPEN:
		return "open";
	case STANCE_CLOSED:
		return "closed";
	}
	return NULL;
}

enum zone_role zone_role(const struct zone *zone)
{
	static const struct {
		const char *name;
		enum zone_role role;
	} telling[] = {
		{"internet", ROLE_INTERNET}, {"world", ROLE_INTERNET},
		{"dmz", ROLE_FRONT},         {"front", ROLE_FRONT},
		{"edge", ROLE_FRONT},        {"public", ROLE_FRONT},
		{"data", ROLE_DATA},         {"db", ROLE_DATA},
		{"database", ROLE_DATA},     {"management", ROLE_MANAGEMENT},
		{"mgmt", ROLE_MANAGEMENT},   {"admin", ROLE_MANAGEMENT},
	};

	if (zone->role)
		return zone->role;
	for (size_t i = 0; i < COUNT(telling); i++) {
		if (!strcmp(zone->name, telling[i].name))
			return telling[i].role;
	}
	return ROLE_INTERNAL;
}
