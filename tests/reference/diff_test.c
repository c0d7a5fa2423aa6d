/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Random policies and small changes to them: the difference is what the two say at every point. */
#include "tests/test.h"

#include <stdlib.h>

#include "policy/diff.h"
#include "policy/service_class.h"
#include "policy/services.h"
#include "tests/reference/random_policy.h"
#include "util/mem.h"

#define CHANGED_POLICIES 120
#define OTHER_POLICIES   40
#define QUESTIONS        250
#define SMALL_POLICIES   40

/* Two policies, of one random seed or of two, for one machine. */
struct couple {
	uint64_t seed;
	uint64_t state; /* of the generator of changes */
	struct random_policy r[2];
	struct compiled *c[2];
	struct diff diff;
};

static uint32_t below(struct couple *k, uint32_t bound)
{
	k->state = k->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(k->state >> 33) % bound;
}

static void compile(struct couple *k, size_t i)
{
	const struct environment env = {
		.host = k->r[0].hosts.items, .host_count = k->r[0].hosts.count, .now = k->r[0].now};
	_diags_ struct diags d = {};

	assert_int_equal(policy_compile(k->r[i].policy, &env, &d, &k->c[i]), 0);
}

static void compare(struct couple *k)
{
	_text_ struct text error = TEXT_INIT;

	compile(k, 0);
	compile(k, 1);
	assert_int_equal(policy_diff(k->c[0], k->c[1], &k->diff, &error), 0);
}

static void couple_release(struct couple *k)
{
	diff_release(&k->diff);
	for (size_t i = 0; i < COUNT(k->r); i++) {
		compiled_free(k->c[i]);
		random_policy_release(&k->r[i]);
	}
}

static void change_rule(struct couple *k, struct rule *rule)
{
	struct selector *from = rule->from;

	switch (below(k, 6)) {
	case 0:
		rule->log = !rule->log;
		return;
	case 1:
		rule->action = rule->action == ACTION_ALLOW ? ACTION_DENY : ACTION_ALLOW;
		rule->tier = rule->action == ACTION_ALLOW ? TIER_NETWORK : TIER_ZONE;
		return;
	case 2:
		rule->from = rule->to;
		rule->to = from;
		return;
	case 3:
		rule->services.items[0].hi = rule->services.items[0].lo;
		vec_push(&k->r[1].edges, rule->services.items[0]);
		return;
	case 4:
		rule->tls = !rule->tls;
		return;
	default:
		rule->services.count = 0;
		services_add_any(&rule->services);
		services_normalise(&rule->services);
	}
}

static void change_something(struct couple *k)
{
	struct policy *p = k->r[1].policy;
	struct workload *w = &p->workloads.items[below(k, (uint32_t)p->workloads.count)];

	switch (below(k, 4)) {
	case 0:
		p->zones.items[below(k, (uint32_t)p->zones.count)].mode =
			(enum mode)(MODE_ENFORCE + below(k, 3));
		return;
	case 1:
		if (w->prefixes.count)
			w->prefixes.count--;
		return;
	default:
		if (p->rules.count)
			change_rule(k, &p->rules.items[below(k, (uint32_t)p->rules.count)]);
	}
}

/* The second one is the first with a few changes, or none of it. */
static void couple_make(struct couple *k, uint64_t seed, uint64_t other, uint32_t workloads)
{
	const struct random_shape shape = {.workloads = workloads};

	memset(k, 0, sizeof(*k));
	k->seed = k->state = seed;
	random_policy_make(&k->r[0], seed, &shape);
	random_policy_make(&k->r[1], other, &shape);
	for (uint32_t i = below(k, 3); seed == other && i > 0; i--)
		change_something(k);
	compare(k);
}

static bool prefixes_have(const prefix_list *list, const struct bh_addr *a)
{
	vec_foreach (prefix, list) {
		if (prefix_is_v4(prefix) == addr_is_v4(a) && prefix_has(prefix, a))
			return true;
	}
	return false;
}

static bool has_label(const struct workload *w, const char *name)
{
	_text_ struct text word = TEXT_INIT;

	vec_foreach (label, &w->labels) {
		text_reset(&word);
		text_addf(&word, "labels %s=%s", label->key, label->value);
		if (!strcmp(word.buf, name))
			return true;
	}
	return false;
}

static bool workload_is(const struct compiled *c, size_t workload, const char *name)
{
	const struct workload *w;

	if (workload == POLICY_NONE)
		return false;
	w = &c->policy->workloads.items[workload];
	return !strcmp(name, w->name) || (w->kind != WORKLOAD_NODE && has_label(w, name));
}

static bool name_is(const struct compiled *c, const char *name, const struct bh_addr *a)
{
	uint32_t number = image_identity(&c->image, a);
	const struct identity *id = &c->identities.items[number];
	size_t workload = compiled_workload(c, a);

	if (!strcmp(name, "any"))
		return true;
	if (!strcmp(name, "host"))
		return c->image.identities.items[number].flags & BH_IDENTITY_HOST;
	if (!strcmp(name, "outside"))
		return id->zone == POLICY_NONE && id->workload == POLICY_NONE;
	if (id->zone != POLICY_NONE && !strcmp(name, c->policy->zones.items[id->zone].name))
		return true;
	if (workload == POLICY_NONE)
		return false;
	return workload_is(c, workload, name) ||
	       workload_is(c, c->policy->workloads.items[workload].group, name);
}

static bool is_declared(const struct compiled *c, const char *name)
{
	if (!strcmp(name, "any") || !strcmp(name, "host") || !strcmp(name, "outside"))
		return true;
	vec_foreach (zone, &c->policy->zones) {
		if (!strcmp(name, zone->name))
			return true;
	}
	vec_foreach (workload, &c->policy->workloads) {
		if (!strcmp(name, workload->name))
			return true;
	}
	return false;
}

/* What a reader takes the words for. */
static bool atom_has(const struct couple *k, const struct diff_atom *atom, const struct bh_addr *a)
{
	bool has[2];

	if (!atom->name)
		return prefix_is_v4(&atom->prefix) == addr_is_v4(a) && prefix_has(&atom->prefix, a);
	for (size_t i = 0; i < COUNT(has); i++)
		has[i] = name_is(k->c[i], atom->name, a);
	if (atom->reading != READ_ALIKE)
		return has[atom->reading == READ_AS_NEW];
	if (is_declared(k->c[0], atom->name) && is_declared(k->c[1], atom->name))
		assert_int_equal(has[0], has[1]);
	return has[0] || has[1];
}

static bool terms_have(const struct couple *k, const struct diff_end *end, const struct bh_addr *a)
{
	vec_foreach (term, &end->terms) {
		bool is_in = atom_has(k, &term->atom, a);

		vec_foreach (atom, &term->except)
			is_in = is_in && !atom_has(k, atom, a);
		if (is_in)
			return true;
	}
	return false;
}

static bool end_has(const struct couple *k, const struct diff_end *end, const struct bh_addr *a)
{
	bool is_in = prefixes_have(&end->prefixes, a);

	assert_int_equal(is_in, terms_have(k, end, a));
	return is_in;
}

static bool spans_service(const services *s, const struct reference_question *q)
{
	vec_foreach (range, s) {
		if (range->table == q->table && range->lo <= q->number && q->number <= range->hi)
			return true;
	}
	return false;
}

/* The sign at a point, ' ' where nothing changes; no two regions are there. */
static char sign_at(const struct couple *k, const struct diff *d,
		    const struct reference_question *q)
{
	char sign = ' ';

	vec_foreach (region, &d->regions) {
		if (!spans_service(&region->services, q) || !end_has(k, region->from, &q->src) ||
		    !end_has(k, region->to, &q->dst))
			continue;
		assert_int_equal(sign, ' ');
		sign = region->sign;
	}
	return sign;
}

static char wanted_sign(const struct couple *k, const struct reference_question *q)
{
	struct decision was = decision_of_cell(
		image_decide(&k->c[0]->image, &q->src, &q->dst, q->table, q->number));
	struct decision now = decision_of_cell(
		image_decide(&k->c[1]->image, &q->src, &q->dst, q->table, q->number));
	bool did_pass = BH_VERDICT_PASSES(was.verdict), passes = BH_VERDICT_PASSES(now.verdict);
	bool did_log = was.verdict == BH_VERDICT_ALLOW && was.log;
	bool logs = now.verdict == BH_VERDICT_ALLOW && now.log;

	if (did_pass != passes)
		return passes ? '+' : '-';
	return was.verdict != now.verdict || did_log != logs || was.tls != now.tls ? '~' : ' ';
}

/* Then the tables say it in vain; beside pairs of which they don't, a region may have it or not. */
static bool is_builtin(const struct couple *k, const struct reference_question *q)
{
	for (size_t i = 0; i < COUNT(k->c); i++) {
		if (!compiled_builtin(k->c[i], compiled_workload(k->c[i], &q->src),
				      compiled_workload(k->c[i], &q->dst)))
			return false;
	}
	return true;
}

static void ask(const struct couple *k, const struct reference_question *q)
{
	char wanted = wanted_sign(k, q), seen = sign_at(k, &k->diff, q);
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];
	_text_ struct text service = TEXT_INIT;

	if (seen == wanted || is_builtin(k, q))
		return;
	service_format(q->table, q->number, &service);
	print_error("SEED=%llu\n  %s -> %s %s: seen '%c', wanted '%c'\n",
		    (unsigned long long)k->seed, addr_format(&q->src, src),
		    addr_format(&q->dst, dst), service.buf, seen, wanted);
	fail();
}

/* Where a region begins and ends, and one beyond. */
static void ask_at_region(struct couple *k, const struct diff_region *region)
{
	struct reference_question q;

	if (!region->from->prefixes.count || !region->to->prefixes.count)
		return;
	const struct prefix *src =
		&region->from->prefixes.items[below(k, (uint32_t)region->from->prefixes.count)];
	const struct prefix *dst =
		&region->to->prefixes.items[below(k, (uint32_t)region->to->prefixes.count)];
	const struct service_range *range =
		&region->services.items[below(k, (uint32_t)region->services.count)];

	q.src = below(k, 2) ? src->addr : prefix_last(src);
	q.dst = below(k, 2) ? dst->addr : prefix_last(dst);
	q.table = range->table;
	q.number = (uint16_t)(below(k, 2) ? range->lo : range->hi + below(k, 2));
	if (addr_is_v4(&q.src) == addr_is_v4(&q.dst) &&
	    is_asked(addr_is_v4(&q.src), q.table, q.number))
		ask(k, &q);
}

static struct reference_question random_question(struct random_policy *r)
{
	struct reference_question q;
	struct service_range range;

	q.src = random_address(r);
	do {
		q.dst = random_address(r);
		range = random_service(r);
	} while (addr_is_v4(&q.src) != addr_is_v4(&q.dst) ||
		 !is_asked(addr_is_v4(&q.src), range.table, range.lo));
	q.table = range.table;
	q.number = range.lo;
	return q;
}

static void ask_at_random(struct couple *k)
{
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct reference_question q = random_question(&k->r[i % 2]);

		ask(k, &q);
		if (k->diff.regions.count)
			ask_at_region(
				k,
				&k->diff.regions.items[below(k, (uint32_t)k->diff.regions.count)]);
	}
}

static void check_couple(uint64_t seed, uint64_t other)
{
	struct couple k;

	couple_make(&k, seed, other, 0);
	ask_at_random(&k);
	couple_release(&k);
}

/* SEED=n in the environment runs that one alone. */
static void run_seeds(void (*run)(uint64_t seed), uint64_t count)
{
	const char *one = getenv("SEED");

	if (one) {
		run(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= count; seed++)
		run(seed);
}

static void check_changed(uint64_t seed)
{
	check_couple(seed, seed);
}

static void check_others(uint64_t seed)
{
	check_couple(seed, seed + 1000);
}

static void a_change_is_told_where_it_is(void **state)
{
	(void)state;
	run_seeds(check_changed, CHANGED_POLICIES);
}

static void policies_with_nothing_in_common_are_compared(void **state)
{
	(void)state;
	run_seeds(check_others, OTHER_POLICIES);
}

/* True if something changes anywhere. */
static bool ask_everywhere(const struct couple *k, const struct random_points *points)
{
	bool is_changed = false;

	vec_foreach (src, &points->addresses) {
		vec_foreach (dst, &points->addresses) {
			if (addr_is_v4(src) != addr_is_v4(dst))
				continue;
			vec_foreach (service, &points->services) {
				struct reference_question q = {*src, *dst, service->table,
							       service->lo};

				if (!is_asked(addr_is_v4(&q.src), q.table, q.number))
					continue;
				ask(k, &q);
				is_changed |= wanted_sign(k, &q) != ' ';
			}
		}
	}
	return is_changed;
}

static bool has_addresses(const struct diff *d)
{
	vec_foreach (region, &d->regions) {
		if (region->from->prefixes.count && region->to->prefixes.count)
			return true;
	}
	return false;
}

/* Changes move no edges but those of services, which are noted. */
static void check_every_point(uint64_t seed)
{
	struct random_points points;
	struct couple k;

	couple_make(&k, seed, seed, 4);
	random_points_make(&points, &k.r[1]);
	assert_int_equal(ask_everywhere(&k, &points), has_addresses(&k.diff));
	random_points_release(&points);
	couple_release(&k);
}

static void nothing_that_changes_is_left_out(void **state)
{
	(void)state;
	run_seeds(check_every_point, SMALL_POLICIES);
}

static void check_self(uint64_t seed)
{
	_text_ struct text error = TEXT_INIT;
	struct diff d = {};
	struct couple k;

	couple_make(&k, seed, seed, 0);
	for (size_t i = 0; i < COUNT(k.c); i++) {
		assert_int_equal(policy_diff(k.c[i], k.c[i], &d, &error), 0);
		assert_int_equal(d.regions.count, 0);
		diff_release(&d);
	}
	couple_release(&k);
}

static void a_policy_does_not_differ_from_itself(void **state)
{
	(void)state;
	run_seeds(check_self, CHANGED_POLICIES);
}

static char mirrored(char sign)
{
	return sign == '+' ? '-' : sign == '-' ? '+' : sign;
}

static void check_mirror(uint64_t seed)
{
	_text_ struct text error = TEXT_INIT;
	struct diff back = {};
	struct couple k, other;

	couple_make(&k, seed, seed, 0);
	other = k;
	other.c[0] = k.c[1];
	other.c[1] = k.c[0];
	assert_int_equal(policy_diff(other.c[0], other.c[1], &back, &error), 0);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct reference_question q = random_question(&k.r[i % 2]);

		assert_int_equal(sign_at(&k, &k.diff, &q), mirrored(sign_at(&other, &back, &q)));
	}
	diff_release(&back);
	couple_release(&k);
}

static void the_other_way_round_signs_are_mirrored(void **state)
{
	(void)state;
	run_seeds(check_mirror, SMALL_POLICIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_told_where_it_is),
		cmocka_unit_test(policies_with_nothing_in_common_are_compared),
		cmocka_unit_test(nothing_that_changes_is_left_out),
		cmocka_unit_test(a_policy_does_not_differ_from_itself),
		cmocka_unit_test(the_other_way_round_signs_are_mirrored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
