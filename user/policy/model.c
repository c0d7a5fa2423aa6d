/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/model.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

struct policy *policy_new(void)
{
	return xcalloc(1, sizeof(struct policy));
}

static void selector_free_requirements(struct selector *s)
{
	vec_foreach (requirement, &s->requirements) {
		vec_foreach (value, &requirement->values)
			free(*value);
		vec_release(&requirement->values);
		free(requirement->key);
	}
	vec_release(&s->requirements);
}

struct selector *selector_new(enum selector_kind kind, struct span at)
{
	struct selector *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->at = at;
	s->zone = POLICY_NONE;
	s->workload = POLICY_NONE;
	return s;
}

void selector_free(struct selector *s)
{
	if (!s)
		return;
	vec_foreach (child, &s->children)
		selector_free(*child);
	vec_release(&s->children);
	vec_release(&s->except);
	selector_free_requirements(s);
	free(s);
}

static void policy_free_members(struct policy *p)
{
	vec_foreach (zone, &p->zones) {
		free(zone->name);
		vec_release(&zone->prefixes);
	}
	vec_foreach (workload, &p->workloads) {
		free(workload->name);
		vec_release(&workload->prefixes);
		vec_foreach (label, &workload->labels) {
			free(label->key);
			free(label->value);
		}
		vec_release(&workload->labels);
	}
	vec_foreach (named, &p->services) {
		free(named->name);
		vec_release(&named->services);
	}
	vec_release(&p->zones);
	vec_release(&p->workloads);
	vec_release(&p->services);
}

static void policy_free_rules(struct policy *p)
{
	vec_foreach (rule, &p->rules) {
		free(rule->name);
		selector_free(rule->from);
		selector_free(rule->to);
		vec_release(&rule->services);
		free(rule->service_text);
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
	vec_release(&p->nevers);
	vec_release(&p->expects);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_free_members(p);
	policy_free_rules(p);
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

bool selector_labels_match(const struct selector *s, const labels *own)
{
	vec_foreach (requirement, &s->requirements) {
		if (!requirement_holds(requirement, label_value(own, requirement->key)))
			return false;
	}
	return true;
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
