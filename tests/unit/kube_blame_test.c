/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_blame.h"

#include "tests/unit/made_cluster.h"

#define SPACE                   "{\"metadata\":{\"name\":\"shop\"}}"
#define META(name, more)        "\"metadata\":{\"name\":\"" name "\"" more "}"
#define GENERATION(n)           ",\"generation\":" #n
#define ZONES(name, more, spec) "{" META(name, more) ",\"spec\":{" spec "}}"
#define ZONE(name, cidr)        "{\"name\":\"" name "\",\"cidrs\":[\"" cidr "\"]}"
#define RULE(name, from, to)                                                                       \
	"{\"name\":\"" name "\",\"from\":\"" from "\",\"to\":\"" to "\",\"services\":\"tcp/1\"}"
#define NEVER(name, from, to)                                                                      \
	"\"never\":[{\"name\":\"" name "\",\"from\":\"" from "\",\"to\":\"" to "\"}]"

#define GOOD          ZONES("good", GENERATION(1), "\"zones\":[" ZONE("a", "10.0.0.0/8") "]")
#define WRONG         "\"zonez\":[]"
#define REPORTS(what) GENERATION(3) "},\"status\":{\"nodes\":[{\"name\":\"x\"," what "}]"

static int prepare(struct made_cluster *c, struct preparation *p)
{
	struct policy_set set = {.objects = c->tables, .is_listed = true};
	const struct policy_input input = {};

	policy_set_describe(&set, &input, p);
	preparation_run(p);
	policy_set_release(&set);
	return p->err;
}

/* Whether somebody could be refused. */
static bool refuse(struct made_cluster *c, const policy_faults *faults)
{
	for (size_t i = 0, next; i < faults->count; i = next) {
		struct kube_blamed blamed;

		for (next = i + 1; next < faults->count && faults->items[next].is_note;)
			next++;
		if (!kube_blame(c->tables, &faults->items[i], next - i, &blamed))
			return false;
		kube_refuse(c->tables, &blamed);
	}
	return faults->count;
}

/* Until it is right, or nothing can make it so; NULL then. */
static struct policy_version *settle(struct made_cluster *c)
{
	struct policy_version *v = NULL;
	bool is_better;

	do {
		_preparation_ struct preparation p = PREPARATION_INIT;

		is_better = prepare(c, &p) && refuse(c, &p.faults);
		v = TAKE_PTR(p.version);
	} while (is_better);
	return v;
}

/* As once the policy is in force. */
static void take_over(struct made_cluster *c)
{
	_policy_version_ struct policy_version *v = settle(c);

	assert_non_null(v);
	vec_foreach (entry, &c->tables[KUBE_NETWORK_POLICY].entries)
		(*entry)->is_proven = !(*entry)->refusals;
	kube_zones_take(&c->zones, &c->tables[KUBE_ZONE_POLICY]);
}

#define KINDS_MAX 3

struct blame_row {
	const char *name;
	const char *in_force[KINDS_MAX]; /* ZonePolicies; none: nothing is known of them */
	const char *then[KINDS_MAX];
	const char *left_out, *replaced; /* ZonePolicies; "": nothing is in force */
};

/* clang-format off */
static const struct blame_row rows[] = {
	{ "one that is wrong from the start is left out", {GOOD},
	  {ZONES("new", GENERATION(1), WRONG)}, "new", NULL },
	{ "whatever its version, as none was in force here", {GOOD},
	  {ZONES("new", GENERATION(7), WRONG)}, "new", NULL },
	{ "one that turns wrong is what it was", {GOOD},
	  {ZONES("good", GENERATION(2), WRONG)}, NULL, "good" },
	{ "at the first start, too", {NULL}, {GOOD, ZONES("new", GENERATION(1), WRONG)},
	  "new", NULL },
	{ "but then another version may have been in force elsewhere", {NULL},
	  {ZONES("new", GENERATION(2), WRONG)}, "", NULL },
	{ "as other nodes say", {NULL},
	  {ZONES("new", REPORTS("\"enforcedGeneration\":2"), WRONG)}, "", NULL },
	{ "or that none was", {NULL},
	  {ZONES("new", REPORTS("\"enforcedGeneration\":0,\"leftOut\":true"), WRONG)},
	  "new", NULL },
	{ "who speaks of one that is left out is, too", {GOOD},
	  {ZONES("base", GENERATION(1), "\"zones\":[" ZONE("b", "11.0.0.0/8") "]," WRONG),
	   ZONES("rules", GENERATION(1), "\"rules\":[" RULE("r", "a", "b") "]")},
	  "base rules", NULL },
	{ "a name that is taken is no fault of who had it", {GOOD},
	  {ZONES("early", GENERATION(1), "\"zones\":[" ZONE("a", "11.0.0.0/8") "]")},
	  "early", NULL },
	{ "nor a promise of who made it", {ZONES("good", GENERATION(1),
	  "\"zones\":[" ZONE("a", "10.0.0.0/8") "," ZONE("b", "11.0.0.0/8") "],"
	  NEVER("n", "a", "b"))},
	  {ZONES("rules", GENERATION(1), "\"rules\":[" RULE("r", "a", "b") "]")},
	  "rules", NULL },
	{ "a promise that is broken already is not made", {ZONES("good", GENERATION(1),
	  "\"zones\":[" ZONE("a", "10.0.0.0/8") "," ZONE("b", "11.0.0.0/8") "],"
	  "\"rules\":[" RULE("r", "a", "b") "]")},
	  {ZONES("late", GENERATION(1), NEVER("n", "a", "b"))}, "late", NULL },
	{ "what is in force is never left out", {GOOD, ZONES("rules", GENERATION(1), "\"rules\":["
	  RULE("r", "a", "a") "]")}, {ZONES("good", GENERATION(2), "\"zones\":[]")}, "", NULL },
};
/* clang-format on */

/* Those that are @is_left_out, or that something stands for. */
static void list(const struct made_cluster *c, bool is_left_out, struct text *out)
{
	vec_foreach (entry, &c->tables[KUBE_ZONE_POLICY].entries) {
		if ((*entry)->refusals && (*entry)->is_left_out == is_left_out)
			text_addf(out, "%s%s", out->len ? " " : "", (*entry)->object.key);
	}
}

static void check(const struct blame_row *row)
{
	_made_cluster_ struct made_cluster c;
	_policy_version_ struct policy_version *v = NULL;
	_text_ struct text left_out = TEXT_INIT, replaced = TEXT_INIT;

	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_NAMESPACE, SPACE);
	for (size_t i = 0; i < KINDS_MAX && row->in_force[i]; i++)
		made_cluster_put(&c, KUBE_ZONE_POLICY, row->in_force[i]);
	if (row->in_force[0])
		take_over(&c);
	for (size_t i = 0; i < KINDS_MAX && row->then[i]; i++)
		made_cluster_put(&c, KUBE_ZONE_POLICY, row->then[i]);
	v = settle(&c);
	assert_row(row->name, (v != NULL) == (!row->left_out || *row->left_out));
	if (!v)
		return;
	list(&c, true, &left_out);
	list(&c, false, &replaced);
	assert_row_string(row->name, left_out.buf, row->left_out ? row->left_out : "");
	assert_row_string(row->name, replaced.buf, row->replaced ? row->replaced : "");
}

static void what_was_in_force_is_not_to_blame(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i]);
}

#define POD(name, label, address)                                                                  \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\",\"labels\":{\"app\":\"" label \
	"\"}},\"spec\":{\"nodeName\":\"a\"},\"status\":{\"phase\":\"Running\",\"podIP\":"          \
	"\"" address "\"}}"
#define WORKLOAD(name) "{\"name\":\"" name "\",\"podSelector\":{\"app\":\"" name "\"}}"
#define LETS_IN                                                                                    \
	"{\"metadata\":{\"name\":\"in\",\"namespace\":\"shop\"},\"spec\":{\"podSelector\":"        \
	"{\"matchLabels\":{\"app\":\"b\"}},\"policyTypes\":[\"Ingress\"],\"ingress\":[{}]}}"

/* Of a tenant's policy and a promise, whoever came later gives way. */
static void a_network_policy_breaks_no_promise(void **state)
{
	static const char promise[] =
		ZONES("zones", GENERATION(1),
		      "\"workloads\":[{\"name\":\"b\",\"podSelector\":{\"matchLabels\":{\"app\":"
		      "\"b\"}}}]," NEVER("n", "any", "b"));
	_made_cluster_ struct made_cluster c;
	_policy_version_ struct policy_version *v = NULL;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_NAMESPACE, SPACE);
	made_cluster_put(&c, KUBE_POD, POD("a", "a", "10.0.0.1"));
	made_cluster_put(&c, KUBE_POD, POD("b", "b", "10.0.0.2"));
	made_cluster_put(&c, KUBE_ZONE_POLICY, promise);
	take_over(&c);
	made_cluster_put(&c, KUBE_NETWORK_POLICY, LETS_IN);
	v = settle(&c);
	assert_non_null(v);
	assert_int_equal(c.tables[KUBE_NETWORK_POLICY].entries.items[0]->refusals, 1);
	assert_int_equal(c.tables[KUBE_ZONE_POLICY].entries.items[0]->refusals, 0);
}

static void zones_that_are_held_are_those_that_were(void **state)
{
	_made_cluster_ struct made_cluster c;
	_policy_version_ struct policy_version *v = NULL;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_ZONE_POLICY, GOOD);
	made_cluster_put(&c, KUBE_ZONE_POLICY,
			 ZONES("rules", GENERATION(1), "\"rules\":[" RULE("r", "a", "a") "]"));
	take_over(&c);
	kube_table_remove(&c.tables[KUBE_ZONE_POLICY], "good");
	assert_null(settle(&c));
	c.zones.is_held = true;
	v = settle(&c);
	assert_non_null(v);
	assert_int_equal(v->loaded->policy->zones.count, 1);
	assert_int_equal(v->loaded->policy->rules.count, 1);
	assert_false(kube_zones_take(&c.zones, &c.tables[KUBE_ZONE_POLICY]));
}

static void an_earlier_start_tells_what_was_in_force(void **state)
{
	_made_cluster_ struct made_cluster c, before;
	_source_list_ source_list texts = {};
	_policy_version_ struct policy_version *v = NULL;

	(void)state;
	made_cluster_init(&before);
	made_cluster_put(&before, KUBE_ZONE_POLICY, GOOD);
	kube_texts(before.tables, &texts);
	made_cluster_init(&c);
	kube_zones_recall(&c.zones, &texts.items[0]);
	c.zones.is_known = true;
	made_cluster_put(&c, KUBE_ZONE_POLICY, ZONES("good", GENERATION(2), WRONG));
	v = settle(&c);
	assert_non_null(v);
	assert_int_equal(v->loaded->policy->zones.count, 1);
}

static void who_is_forgiven_is_tried_again(void **state)
{
	_made_cluster_ struct made_cluster c;
	struct kube_entry *entry;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_ZONE_POLICY, GOOD);
	take_over(&c);
	made_cluster_put(&c, KUBE_ZONE_POLICY, ZONES("new", GENERATION(1), WRONG));
	policy_version_free(settle(&c));
	entry = kube_table_get(&c.tables[KUBE_ZONE_POLICY], "new");
	assert_true(entry->is_left_out);
	kube_forgive(c.tables);
	assert_false(entry->is_left_out);
	assert_int_equal(entry->refusals, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_in_force_is_not_to_blame),
		cmocka_unit_test(a_network_policy_breaks_no_promise),
		cmocka_unit_test(zones_that_are_held_are_those_that_were),
		cmocka_unit_test(an_earlier_start_tells_what_was_in_force),
		cmocka_unit_test(who_is_forgiven_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
