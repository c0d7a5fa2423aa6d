/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/linter.h"
#include "policy/services.h"
#include "util/bitset.h"
#include "util/when.h"

#define SOON_SECONDS (7 * 24 * 60 * 60)

/* A rule that allows, and where it leads from and to. */
struct subject {
	const struct rule *rule;
	struct list from, to;
	bool is_from_internet;
	bool is_any_service;
};

/* --- ports --- */

static bool has_number(const services *s, enum bh_service_table table, uint16_t number)
{
	vec_foreach (range, s) {
		if (range->table == table && range->lo <= number && number <= range->hi)
			return true;
	}
	return false;
}

static bool has_port(const services *s, uint16_t port)
{
	return has_number(s, BH_SERVICE_TCP, port) || has_number(s, BH_SERVICE_PROTO, IPPROTO_TCP);
}

/* The first of the ports that is among the services; 0 if none is. */
static uint16_t find_port(const services *s, const uint16_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (has_port(s, ports[i]))
			return ports[i];
	}
	return 0;
}

/* --- the internet --- */

/* Whether it is an address of the internet that is no workload's. */
static bool is_internet(const struct linter *l, const struct identity *id, bool has_zone)
{
	if (id->workload != POLICY_NONE || (!id->has_v4 && !id->has_v6))
		return false;
	if (id->zone == POLICY_NONE)
		return !has_zone;
	return zone_role(&l->policy->zones.items[id->zone]) == ROLE_INTERNET;
}

/* All but some: is the internet left?  It is what is outside, where no zone plays it. */
static bool leaves_internet(struct linter *l, const struct selector *s)
{
	size_t n = l->c->identities.count;
	bool has_zone = false;

	vec_foreach (zone, &l->policy->zones)
		has_zone = has_zone || zone_role(zone) == ROLE_INTERNET;
	memset(l->identities, 0, bitset_words(n) * sizeof(*l->identities));
	selector_add(&l->c->index->selectors, s, l->identities);
	for (size_t i = bitset_next(l->identities, n, 0); i < n;
	     i = bitset_next(l->identities, n, i + 1)) {
		if (is_internet(l, &l->c->identities.items[i], has_zone))
			return true;
	}
	return false;
}

/* Whether it is the internet as a whole, not a workload or some addresses of it. */
static bool is_wide(struct linter *l, const struct selector *s)
{
	switch (s->kind) {
	case SELECT_ANY:
		return true;
	case SELECT_ZONE:
		return lint_role(l, (uint32_t)s->zone) == ROLE_INTERNET;
	case SELECT_CIDR:
		return lint_is_everywhere(&s->prefix);
	case SELECT_EXCEPT:
		return leaves_internet(l, s);
	case SELECT_ONE_OF:
		vec_foreach (child, &s->children) {
			if (is_wide(l, *child))
				return true;
		}
		return false;
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
	case SELECT_PODS:
	case SELECT_NODES:
	case SELECT_ALL_OF:
		return false;
	}
	return false;
}

static void check_internet(struct linter *l, const struct subject *s)
{
	_text_ struct text to = TEXT_INIT;

	for (size_t i = 0; i < s->to.count; i++) {
		if (!s->is_from_internet || lint_role(l, s->to.items[i]) == ROLE_FRONT)
			continue;
		lint_add_zone(l, s->to.items[i], &to);
		diag_finding(l->diags, "BH001", s->rule->at,
			     "rule '%s' lets the internet reach %s; let it reach a front zone only",
			     s->rule->name, to.buf);
		return;
	}
}

/* --- zones --- */

/* The first of the zones that is another one, or NULL. */
static const uint32_t *find_other(struct list zones, uint32_t zone)
{
	for (size_t i = 0; i < zones.count && i < 2; i++) {
		if (zones.items[i] != zone)
			return &zones.items[i];
	}
	return NULL;
}

static void check_data(struct linter *l, const struct subject *s)
{
	_text_ struct text to = TEXT_INIT;

	for (size_t i = 0; i < s->from.count && !lint_is_anyone(s->rule->from); i++) {
		uint32_t zone = s->from.items[i];
		const uint32_t *other = find_other(s->to, zone);

		if (lint_role(l, zone) != ROLE_DATA || !other)
			continue;
		lint_add_zone(l, *other, &to);
		diag_finding(l->diags, "BH003", s->rule->at,
			     "rule '%s' lets data zone '%s' reach out to %s; let others come to it",
			     s->rule->name, l->policy->zones.items[zone].name, to.buf);
		return;
	}
}

static void check_management(struct linter *l, const struct subject *s)
{
	static const uint16_t ports[] = {22, 3389, 5985, 5986, 6443};
	uint16_t port = find_port(&s->rule->services, ports, COUNT(ports));
	_text_ struct text from = TEXT_INIT;

	for (size_t i = 0; port && i < s->from.count; i++) {
		if (lint_role(l, s->from.items[i]) == ROLE_MANAGEMENT)
			continue;
		lint_add_zone(l, s->from.items[i], &from);
		diag_finding(l->diags, "BH004", s->rule->at,
			     "rule '%s' opens management port tcp/%u to %s; open it to a "
			     "management zone only",
			     s->rule->name, port, from.buf);
		return;
	}
}

static void report_plaintext(struct linter *l, const struct subject *s, uint16_t port,
			     const uint32_t ends[static 2])
{
	_text_ struct text from = TEXT_INIT, to = TEXT_INIT;

	lint_add_zone(l, ends[0], &from);
	lint_add_zone(l, ends[1], &to);
	diag_finding(l->diags, "BH012", s->rule->at,
		     "rule '%s' lets plaintext tcp/%u pass from %s to %s; use an encrypted service",
		     s->rule->name, port, from.buf, to.buf);
}

static void check_plaintext(struct linter *l, const struct subject *s)
{
	static const uint16_t everywhere[] = {21, 23}, to_data[] = {80};
	uint16_t port = find_port(&s->rule->services, everywhere, COUNT(everywhere));
	bool is_any_zone = port != 0;

	if (s->is_any_service || s->rule->tls) /* that was told, or is cut */
		return;
	if (!port)
		port = find_port(&s->rule->services, to_data, COUNT(to_data));
	for (size_t i = 0; port && i < s->to.count; i++) {
		uint32_t zone = s->to.items[i];
		const uint32_t *other = find_other(s->from, zone);

		if (!other || (!is_any_zone && lint_role(l, zone) != ROLE_DATA))
			continue;
		report_plaintext(l, s, port, (const uint32_t[]){*other, zone});
		return;
	}
}

/* --- the rule itself --- */

static bool is_any(const services *s)
{
	services any = {};
	bool is_same;

	if (!has_number(s, BH_SERVICE_PROTO, 0))
		return false;
	services_add_any(&any);
	services_normalise(&any);
	is_same = s->count == any.count &&
		  !memcmp(s->items, any.items, s->count * sizeof(*s->items));
	vec_release(&any);
	return is_same;
}

static void check_services(struct linter *l, const struct subject *s)
{
	if (s->is_any_service)
		diag_finding(l->diags, "BH005", s->rule->at,
			     "rule '%s' allows any service; list those that are needed",
			     s->rule->name);
}

static void check_expiry(struct linter *l, const struct rule *rule)
{
	_text_ struct text when = TEXT_INIT;

	if (!rule->expires || rule->expires - l->now > SOON_SECONDS)
		return;
	time_format(rule->expires, &when);
	if (rule->expires <= l->now)
		diag_finding(l->diags, "BH009", rule->at,
			     "rule '%s' expired at %s and decides nothing; drop it", rule->name,
			     when.buf);
	else
		diag_finding(l->diags, "BH009", rule->at,
			     "rule '%s' expires at %s, in less than 7 days", rule->name, when.buf);
}

static void (*const checks[])(struct linter *l, const struct subject *s) = {
	check_internet, check_data, check_management, check_services, check_plaintext,
};

/* The answers of is_wide() for each selector, as they are asked for. */
enum width {
	WIDTH_UNKNOWN,
	WIDTH_NARROW,
	WIDTH_WIDE,
};

static bool is_from_internet(struct linter *l, uint32_t selector, uint8_t *widths)
{
	if (widths[selector] == WIDTH_UNKNOWN)
		widths[selector] = is_wide(l, l->atoms.selectors.items[selector]) ? WIDTH_WIDE
										  : WIDTH_NARROW;
	return widths[selector] == WIDTH_WIDE;
}

void lint_rules(struct linter *l)
{
	_free_ uint8_t *widths = xcalloc(l->atoms.selectors.count + 1, sizeof(*widths));

	for (size_t i = 0; i < l->policy->rules.count; i++) {
		const struct rule *rule = &l->policy->rules.items[i];
		const struct atom_rule *atom = &l->atoms.rules.items[i];
		struct subject s = {.rule = rule};

		check_expiry(l, rule);
		if (!lint_allows(l, rule))
			continue;
		s.from = lint_zones(l, atom->from);
		s.to = lint_zones(l, atom->to);
		s.is_from_internet = is_from_internet(l, atom->from, widths);
		s.is_any_service = is_any(&rule->services);
		for (size_t check = 0; check < COUNT(checks); check++)
			checks[check](l, &s);
	}
}
