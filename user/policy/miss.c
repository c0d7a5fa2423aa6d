/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/miss.h"

#include "policy/ends.h"
#include "policy/services.h"

#define OTHERS_SHOWN 5

unsigned int miss_distance(const struct miss *m, const struct service_range *range)
{
	if (m->number < range->lo)
		return (unsigned int)(range->lo - m->number);
	return m->number > range->hi ? (unsigned int)(m->number - range->hi) : 0;
}

const struct service_range *miss_range(const struct miss *m, const struct rule *rule)
{
	const struct service_range *best = NULL;

	vec_foreach (range, &rule->services) {
		if (range->table == m->table &&
		    (!best || miss_distance(m, range) < miss_distance(m, best)))
			best = range;
	}
	return best;
}

uint8_t miss_parts(const struct miss *m, const struct rule *rule)
{
	const struct service_range *range = miss_range(m, rule);
	uint8_t parts = 0;

	if (!selector_has(m->c, rule->from, m->src))
		parts |= MISS_SOURCE;
	if (!selector_has(m->c, rule->to, m->dst))
		parts |= MISS_DESTINATION;
	if (!range || miss_distance(m, range))
		parts |= MISS_SERVICE;
	return parts;
}

bool miss_has_ports(const struct miss *m)
{
	return m->table == BH_SERVICE_TCP || m->table == BH_SERVICE_UDP ||
	       m->table == BH_SERVICE_SCTP;
}

bool miss_is_outside(const struct miss *m, enum miss_part end)
{
	uint32_t identity = end == MISS_SOURCE ? m->src : m->dst;
	const struct identity *id = &m->c->identities.items[identity];

	return id->zone == POLICY_NONE && id->workload == POLICY_NONE;
}

static const char *action_verb(enum action action)
{
	switch (action) {
	case ACTION_ALLOW:
		return "allows";
	case ACTION_DENY:
		return "denies";
	case ACTION_REJECT:
		return "rejects";
	case ACTION_PASS:
		return "passes on";
	}
	return "";
}

static void describe_end(const struct miss *m, const struct rule *rule, enum miss_part end,
			 const char *name, struct text *out)
{
	const char *word = end == MISS_SOURCE ? "source" : "destination";

	if (miss_is_outside(m, end))
		text_addf(out, "%s: the %s has no identity", word, word);
	else
		text_addf(out, "%s: %s", word, name);
	text_addf(out, ", %s ", action_verb(rule->action));
	selector_describe(m->c->policy, end == MISS_SOURCE ? rule->from : rule->to, out);
}

static void describe_service(const struct miss *m, const struct rule *rule, struct text *out)
{
	const struct service_range *range = miss_range(m, rule);

	if (range && miss_has_ports(m)) {
		text_addf(out, "port: %u, %s %u", m->number, action_verb(rule->action), range->lo);
		if (range->hi > range->lo)
			text_addf(out, "-%u", range->hi);
		return;
	}
	text_add(out, "service: ");
	service_format(m->table, m->number, out);
	text_addf(out, ", %s ", action_verb(rule->action));
	services_format(&rule->services, out);
}

void miss_describe(const struct miss *m, const struct rule *rule, const char *from, const char *to,
		   struct text *out)
{
	uint8_t parts = miss_parts(m, rule);

	text_add(out, "matches except ");
	if (parts & MISS_SOURCE)
		describe_end(m, rule, MISS_SOURCE, from, out);
	if (parts & MISS_DESTINATION) {
		text_add(out, parts & MISS_SOURCE ? "; " : "");
		describe_end(m, rule, MISS_DESTINATION, to, out);
	}
	if (parts & MISS_SERVICE) {
		text_add(out, parts & MISS_ENDS ? "; " : "");
		describe_service(m, rule, out);
	}
}

/* A rule that has both ends and the service, and still doesn't decide. */
static void describe_match(const struct miss *m, const struct rule *rule, uint32_t deciding,
			   struct text *out)
{
	if (rule->mode == MODE_AUDIT)
		text_add(out, "matches, but only reports");
	else if (deciding)
		text_addf(out, "matches, but '%s' decides", compiled_rule_name(m->c, deciding));
	else if (rule->sides != SIDE_BOTH)
		text_addf(out, "matches, and speaks for %s only",
			  rule->sides == SIDE_SRC ? "egress" : "ingress");
	else
		text_add(out, "matches, but does not decide");
}

static void describe_other(const struct miss *m, const char *const ends[2], uint32_t deciding,
			   const struct rule *rule, struct text *out)
{
	text_addf(out, "    '%s' ", rule->name);
	if (miss_parts(m, rule))
		miss_describe(m, rule, ends[0], ends[1], out);
	else
		describe_match(m, rule, deciding, out);
	text_addc(out, '\n');
}

void miss_describe_others(const struct miss *m, const char *const ends[2], uint32_t deciding,
			  uint32_t nearest, struct text *out)
{
	const struct rule *first = m->c->policy->rules.items;
	size_t found = 0;

	/* Both ends cannot be missed, so there are at most two parts. */
	for (int missed = 0; missed <= 2; missed++) {
		vec_foreach (rule, &m->c->policy->rules) {
			uint32_t number = BH_RULE_FIRST + (uint32_t)(rule - first);
			uint8_t parts = miss_parts(m, rule);

			if (number == deciding || number == nearest ||
			    rule_has_expired(rule, m->c->now) || (parts & MISS_ENDS) == MISS_ENDS ||
			    __builtin_popcount(parts) != missed)
				continue;
			if (!found++)
				text_add(out, "  other rules with an end in common:\n");
			if (found <= OTHERS_SHOWN)
				describe_other(m, ends, deciding, rule, out);
		}
	}
	if (found > OTHERS_SHOWN)
		text_addf(out, "    and %zu more\n", found - OTHERS_SHOWN);
}
