/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/stations.h"

#include <stdio.h>
#include <string.h>

#include "util/mem.h"

/* Whose address is looked for. */
struct wanted {
	size_t zone;     /* with workload POLICY_NONE: in this zone and in no workload */
	size_t workload; /* in this workload */
	uint32_t class;  /* with both POLICY_NONE: outside, of this class */
};

static const char *const wide_v4[] = {"203.0.113.10", "198.51.100.10", "192.0.2.10", "1.0.0.10"};
static const char *const wide_v6[] = {"2001:db8:ffff::10", "2001:db8::10", "2000::10"};

/* What no host on a routed link can be given. */
static const char *const unusable[] = {"0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
				       "224.0.0.0/3", "fe80::/10",   "ff00::/8"};

static bool is_usable(const struct bh_addr *a)
{
	for (size_t i = 0; i < COUNT(unusable); i++) {
		struct prefix p;

		if (!prefix_parse(unusable[i], &p, NULL) && prefix_has(&p, a))
			return false;
	}
	/* ::/96 is the unspecified, the loopback and the v4-compatible addresses. */
	return addr_is_v4(a) || a->word[0] || a->word[1] || a->word[2];
}

static bool is_wanted(const struct compiled *c, const struct bh_addr *a, const struct wanted *w)
{
	const struct identity *id = &c->identities.items[image_identity(&c->image, a)];

	if (w->workload == POLICY_NONE && w->zone == POLICY_NONE)
		return id->zone == POLICY_NONE && id->workload == POLICY_NONE &&
		       id->class == w->class;
	if (w->workload == POLICY_NONE)
		return id->workload == POLICY_NONE && id->zone == w->zone;
	return compiled_workload(c, a) == w->workload;
}

/* False when @a was the last address of all. */
static bool increment(struct bh_addr *a)
{
	unsigned char *bytes = (unsigned char *)a;

	for (size_t i = sizeof(*a); i-- > 0;)
		if (++bytes[i])
			return true;
	return false;
}

/* Of the prefix's family: ::/0 has the IPv4 addresses, too, as they are held here. */
static bool try_address(const struct compiled *c, const struct prefix *in, const struct bh_addr *a,
			const struct wanted *w)
{
	return prefix_has(in, a) && addr_is_v4(a) == prefix_is_v4(in) && is_usable(a) &&
	       is_wanted(c, a, w);
}

/* A documentation address for a prefix so wide that its first address would be no host's. */
static bool pick_wide(const struct compiled *c, const struct prefix *in, const struct wanted *w,
		      struct bh_addr *ret)
{
	bool is_v4 = prefix_is_v4(in);
	const char *const *list = is_v4 ? wide_v4 : wide_v6;
	size_t count = is_v4 ? COUNT(wide_v4) : COUNT(wide_v6);

	if (in->len >= (is_v4 ? BH_V4_PREFIX_LEN + 8 : 16))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct bh_addr a;

		if (addr_parse(list[i], &a) || !try_address(c, in, &a, w))
			continue;
		*ret = a;
		return true;
	}
	return false;
}

/* The first usable address of @in: where it begins, or else behind some narrower prefix within. */
static bool pick(const struct compiled *c, const struct prefix *in, const struct wanted *w,
		 struct bh_addr *ret)
{
	_image_listing_ struct image_listing listing = image_list(&c->image);
	struct bh_addr a = in->addr;

	if (pick_wide(c, in, w, ret))
		return true;
	if ((in->len >= 127 || increment(&a)) && try_address(c, in, &a, w)) {
		*ret = a;
		return true;
	}
	vec_foreach (p, &listing) {
		if (!prefix_contains(in, &p->prefix))
			continue;
		a = prefix_last(&p->prefix);
		if (!increment(&a) || !try_address(c, in, &a, w))
			continue;
		*ret = a;
		return true;
	}
	return false;
}

static bool has_name(const struct lab_plan *plan, const char *name)
{
	vec_foreach (s, &plan->stations)
		if (!strcmp(s->name, name) || !strcmp(s->netns, name))
			return true;
	return !strcmp(name, LAB_NODE);
}

static bool has_interface(const struct lab_plan *plan, const char *name)
{
	vec_foreach (s, &plan->stations)
		if (!strcmp(s->interface, name))
			return true;
	return !strcmp(name, "lo") || !strcmp(name, "all") || !strcmp(name, LAB_NODE);
}

/* "edge-lb", then "edge-lb-2", "edge-lb-3". */
static char *unique_name(const struct lab_plan *plan, const char *base)
{
	struct text name = TEXT_INIT;

	text_add(&name, base);
	for (unsigned int i = 2; has_name(plan, name.buf); i++) {
		text_reset(&name);
		text_addf(&name, "%s-%u", base, i);
	}
	return text_take(&name);
}

/* Pins are named after it, and the BPF file system takes no '.'. */
static void unique_interface(const struct lab_plan *plan, struct lab_station *s)
{
	_free_ char *name = xstrdup(s->netns);
	size_t len = strlen(name);

	for (char *dot = name; (dot = strchr(dot, '.'));)
		*dot = '-';
	snprintf(s->interface, sizeof(s->interface), "%.15s", name);
	for (unsigned int i = 1; len >= LAB_INTERFACE || has_interface(plan, s->interface); i++) {
		snprintf(s->interface, sizeof(s->interface), "%.11s-%u", name, i);
		len = 0;
	}
}

/* No file and no interface has a '/' in its name. */
static char *unique_netns(const struct lab_plan *plan, const char *name)
{
	_free_ char *plain = xstrdup(name);
	char *slash = strchr(plain, '/');

	if (!slash)
		return TAKE_PTR(plain);
	*slash = '.';
	return unique_name(plan, plain);
}

static void add_station(struct lab_plan *plan, const char *name, struct lab_station station)
{
	if (plan->stations.count > LAB_MAX_STATIONS)
		return;
	station.name = unique_name(plan, name);
	station.netns = unique_netns(plan, station.name);
	unique_interface(plan, &station);
	vec_push(&plan->stations, station);
}

/* The @n-th prefix of a family that gives an address. */
static bool nth_address(const struct compiled *c, const placed_prefixes *prefixes,
			const struct wanted *w, size_t n, struct lab_station *s, enum lab_family f)
{
	vec_foreach (p, prefixes) {
		struct bh_addr a;

		if (prefix_is_v4(&p->prefix) != (f == LAB_V4) || !pick(c, &p->prefix, w, &a))
			continue;
		if (n--)
			continue;
		s->has[f] = true;
		s->addr[f] = a;
		return true;
	}
	return false;
}

static const char *zone_name(const struct compiled *c, size_t zone)
{
	return zone == POLICY_NONE ? NULL : c->policy->zones.items[zone].name;
}

static size_t zone_of(const struct compiled *c, const struct lab_station *s)
{
	const struct bh_addr *a = &s->addr[s->has[LAB_V4] ? LAB_V4 : LAB_V6];

	return c->identities.items[image_identity(&c->image, a)].zone;
}

static void add_workload(const struct compiled *c, struct lab_plan *plan, size_t index)
{
	const struct workload *w = &c->policy->workloads.items[index];
	struct wanted wanted = {.zone = POLICY_NONE, .workload = index};

	for (size_t n = 0; plan->stations.count <= LAB_MAX_STATIONS; n++) {
		struct lab_station s = {.workload = index};
		bool has_v4 = nth_address(c, &w->prefixes, &wanted, n, &s, LAB_V4);
		bool has_v6 = nth_address(c, &w->prefixes, &wanted, n, &s, LAB_V6);

		if (!has_v4 && !has_v6)
			return;
		s.zone = zone_name(c, zone_of(c, &s));
		add_station(plan, w->name, s);
	}
}

static void add_zone(const struct compiled *c, struct lab_plan *plan, size_t index)
{
	const struct zone *z = &c->policy->zones.items[index];
	struct wanted wanted = {.zone = index, .workload = POLICY_NONE};
	struct lab_station s = {.zone = z->name, .workload = POLICY_NONE, .is_stand_in = true};

	vec_foreach (other, &plan->stations)
		if (other->zone == z->name)
			return;
	nth_address(c, &z->prefixes, &wanted, 0, &s, LAB_V4);
	nth_address(c, &z->prefixes, &wanted, 0, &s, LAB_V6);
	if (s.has[LAB_V4] || s.has[LAB_V6])
		add_station(plan, z->name, s);
}

static void add_outside(const struct compiled *c, struct lab_plan *plan, uint32_t class)
{
	static const char *const everything[LAB_FAMILIES] = {"0.0.0.0/0", "::/0"};
	struct wanted wanted = {POLICY_NONE, POLICY_NONE, class};
	struct lab_station s = {.workload = POLICY_NONE, .is_stand_in = true};
	_image_listing_ struct image_listing listing = image_list(&c->image);

	for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++) {
		bool is_used = false;
		struct prefix p;

		vec_foreach (other, &plan->stations)
			is_used |= other->has[f];
		if (is_used && !prefix_parse(everything[f], &p, NULL))
			s.has[f] = pick(c, &p, &wanted, &s.addr[f]);
		/* A class that only a narrower prefix has: go through them. */
		for (size_t i = 0; is_used && !s.has[f] && i < listing.count; i++) {
			p = listing.items[i].prefix;
			if (prefix_is_v4(&p) == (f == LAB_V4))
				s.has[f] = pick(c, &p, &wanted, &s.addr[f]);
		}
	}
	if (s.has[LAB_V4] || s.has[LAB_V6])
		add_station(plan, "outside", s);
}

void lab_add_stations(const struct compiled *c, struct lab_plan *plan)
{
	for (size_t i = 0; i < c->policy->workloads.count; i++)
		add_workload(c, plan, i);
	for (size_t i = 0; i < c->policy->zones.count; i++)
		add_zone(c, plan, i);
	for (uint32_t class = 0; class < c->classes.count; class ++) {
		const struct identity *id = &c->identities.items[c->classes.items[class].identity];

		if (id->zone == POLICY_NONE && id->workload == POLICY_NONE)
			add_outside(c, plan, class);
	}
}
