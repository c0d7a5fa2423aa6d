/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/reference.h"

#include <string.h>

struct owner {
	const struct bh_addr *addr;
	size_t zone, workload;
	enum mode mode;
	bool is_host;
};

static bool covers(const struct prefix *p, const struct bh_addr *a)
{
	return prefix_is_v4(p) == addr_is_v4(a) && prefix_has(p, a);
}

/* The length of the longest prefix that covers the address, or -1. */
static int longest(const placed_prefixes *prefixes, const struct bh_addr *a)
{
	int len = -1;

	vec_foreach (placed, prefixes) {
		if (covers(&placed->prefix, a) && placed->prefix.len > len)
			len = placed->prefix.len;
	}
	return len;
}

static enum mode mode_of(const struct policy *p, const struct owner *o)
{
	if (o->workload != POLICY_NONE && p->workloads.items[o->workload].mode != MODE_UNSET)
		return p->workloads.items[o->workload].mode;
	if (o->zone != POLICY_NONE)
		return p->zones.items[o->zone].mode;
	if (o->workload != POLICY_NONE)
		return p->workloads.items[o->workload].document_mode;
	return MODE_UNSET;
}

static struct owner owner_of(const struct reference *r, const struct bh_addr *a)
{
	const struct policy *p = r->policy;
	struct owner o = {.addr = a, .zone = POLICY_NONE, .workload = POLICY_NONE};
	int zone_len = -1, workload_len = -1;

	for (size_t i = 0; i < p->zones.count; i++) {
		int len = longest(&p->zones.items[i].prefixes, a);

		if (len > zone_len) {
			zone_len = len;
			o.zone = i;
		}
	}
	for (size_t i = 0; i < p->workloads.count; i++) {
		int len = longest(&p->workloads.items[i].prefixes, a);

		if (len > workload_len && len > zone_len) {
			workload_len = len;
			o.workload = i;
		}
	}
	if (o.workload != POLICY_NONE && p->workloads.items[o.workload].zone != POLICY_NONE)
		o.zone = p->workloads.items[o.workload].zone;
	for (size_t i = 0; i < r->host_count; i++) {
		if (!addr_cmp(&r->hosts[i], a))
			o.is_host = true;
	}
	o.mode = mode_of(p, &o);
	return o;
}

static const char *value_of(const labels *own, const char *key)
{
	vec_foreach (label, own) {
		if (!strcmp(label->key, key))
			return label->value;
	}
	return NULL;
}

static bool holds(const struct requirement *r, const labels *own)
{
	const char *value = value_of(own, r->key);
	bool is_listed = false;

	vec_foreach (wanted, &r->values) {
		if (value && !strcmp(*wanted, value))
			is_listed = true;
	}
	switch (r->kind) {
	case REQUIRE_IN:
		return is_listed;
	case REQUIRE_NOT_IN:
		return !is_listed;
	case REQUIRE_EXISTS:
		return value;
	case REQUIRE_NOT_EXISTS:
		return !value;
	}
	return false;
}

static bool all_hold(const struct policy *p, const struct selector *s, const struct owner *o)
{
	if (o->workload == POLICY_NONE)
		return false;
	vec_foreach (r, &s->requirements) {
		if (!holds(r, &p->workloads.items[o->workload].labels))
			return false;
	}
	return true;
}

static bool selects(const struct policy *p, const struct selector *s, const struct owner *o)
{
	size_t matching = 0;

	vec_foreach (child, &s->children)
		matching += selects(p, *child, o);
	switch (s->kind) {
	case SELECT_ANY:
		return true;
	case SELECT_OUTSIDE:
		return o->zone == POLICY_NONE && o->workload == POLICY_NONE;
	case SELECT_HOST:
		return o->is_host;
	case SELECT_ZONE:
		return o->zone == s->zone;
	case SELECT_WORKLOAD:
		return o->workload == s->workload;
	case SELECT_LABELS:
		return all_hold(p, s, o);
	case SELECT_PODS:
	case SELECT_NODES:
		return false; /* no random policy has them */
	case SELECT_CIDR:
		return covers(&s->prefix, o->addr) && longest(&s->except, o->addr) < 0;
	case SELECT_EXCEPT:
		return !matching;
	case SELECT_ALL_OF:
		return matching == s->children.count;
	case SELECT_ONE_OF:
		return matching > 0;
	}
	return false;
}

/* The protocol whose numbers a table has; the table of protocols has none. */
static int protocol_of(enum bh_service_table table)
{
	switch (table) {
	case BH_SERVICE_TCP:
		return 6;
	case BH_SERVICE_UDP:
		return 17;
	case BH_SERVICE_SCTP:
		return 132;
	case BH_SERVICE_ICMP:
		return 1;
	case BH_SERVICE_ICMP6:
		return 58;
	case BH_SERVICE_PROTO:
	case BH_SERVICE_TABLES:
		break;
	}
	return -1;
}

static bool mentions(const services *s, const struct reference_question *q)
{
	int proto = protocol_of(q->table);

	vec_foreach (range, s) {
		bool is_whole = range->lo == 0 && range->hi == 65535;

		if (range->table == q->table && range->lo <= q->number && q->number <= range->hi)
			return true;
		/* proto/N names everything of protocol N, also where N has a table of its own... */
		if (range->table == BH_SERVICE_PROTO && range->lo <= proto && proto <= range->hi)
			return true;
		/* ... and all of a table is all of its protocol, also in the wrong family. */
		if (q->table == BH_SERVICE_PROTO && is_whole &&
		    protocol_of(range->table) == q->number)
			return true;
	}
	return false;
}

static enum bh_verdict denied(enum mode src, enum mode dst)
{
	if (src == MODE_ENFORCE || dst == MODE_ENFORCE)
		return BH_VERDICT_DENY;
	if (src == MODE_AUDIT || dst == MODE_AUDIT)
		return BH_VERDICT_AUDIT;
	return BH_VERDICT_ALLOW;
}

bool reference_spans(const struct reference *r, const struct selector *from,
		     const struct selector *to, const services *s,
		     const struct reference_question *q)
{
	struct owner src = owner_of(r, &q->src), dst = owner_of(r, &q->dst);

	return mentions(s, q) && selects(r->policy, from, &src) && selects(r->policy, to, &dst);
}

struct reference_answer reference_decide(const struct reference *r,
					 const struct reference_question *q)
{
	const struct policy *p = r->policy;
	struct owner src = owner_of(r, &q->src), dst = owner_of(r, &q->dst);
	size_t deny = POLICY_NONE, allow = POLICY_NONE;
	struct reference_answer answer;

	for (size_t i = p->rules.count; i-- > 0;) {
		const struct rule *rule = &p->rules.items[i];

		if (!mentions(&rule->services, q) || !selects(p, rule->from, &src) ||
		    !selects(p, rule->to, &dst))
			continue;
		if (rule->action == ACTION_DENY)
			deny = i;
		else
			allow = i;
	}
	answer.rule = deny != POLICY_NONE ? deny : allow;
	answer.verdict = BH_VERDICT_ALLOW;
	if (deny != POLICY_NONE || allow == POLICY_NONE)
		answer.verdict = denied(src.mode, dst.mode);
	answer.log = answer.rule != POLICY_NONE && p->rules.items[answer.rule].log &&
		     answer.verdict == BH_VERDICT_ALLOW;
	return answer;
}
