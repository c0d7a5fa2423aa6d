/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/party.h"

struct party party_of_prefix(const struct prefix *prefix)
{
	return (struct party){.addr = prefix->addr, .kind = PARTY_PREFIX, .len = prefix->len};
}

struct party party_of_addr(const struct bh_addr *addr)
{
	const struct prefix prefix = prefix_of_addr(addr);

	return party_of_prefix(&prefix);
}

struct party party_of_who(const struct compiled *c, const struct recorded_who *who,
			  const struct bh_addr *addr)
{
	const struct identity *id = &c->identities.items[who->identity];

	if (who->workload != POLICY_NONE)
		return (struct party){.kind = PARTY_WORKLOAD, .index = (uint32_t)who->workload};
	if (id->zone != POLICY_NONE)
		return (struct party){.kind = PARTY_ZONE, .index = (uint32_t)id->zone};
	return party_of_addr(addr);
}

struct prefix party_prefix(const struct party *p)
{
	return (struct prefix){.addr = p->addr, .len = (uint8_t)p->len};
}

struct selector party_selector(const struct party *p)
{
	struct selector s = {.zone = POLICY_NONE, .workload = POLICY_NONE, .space = POLICY_NONE};

	switch ((enum party_kind)p->kind) {
	case PARTY_OUTSIDE:
		s.kind = SELECT_OUTSIDE;
		break;
	case PARTY_ZONE:
		s.kind = SELECT_ZONE;
		s.zone = p->index;
		break;
	case PARTY_WORKLOAD:
		s.kind = SELECT_WORKLOAD;
		s.workload = p->index;
		break;
	case PARTY_PREFIX:
		s.kind = SELECT_CIDR;
		s.prefix = party_prefix(p);
		break;
	}
	return s;
}

void party_format(const struct policy *p, const struct party *party, struct text *out)
{
	struct prefix prefix = party_prefix(party);
	char buf[ADDRESS_STRLEN];

	switch ((enum party_kind)party->kind) {
	case PARTY_OUTSIDE:
		text_add(out, "outside");
		return;
	case PARTY_ZONE:
		text_add(out, p->zones.items[party->index].name);
		return;
	case PARTY_WORKLOAD:
		text_add(out, p->workloads.items[party->index].name);
		return;
	case PARTY_PREFIX:
		text_add(out, prefix_format(&prefix, buf));
		return;
	}
}
