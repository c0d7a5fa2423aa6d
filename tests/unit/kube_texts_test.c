/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_texts.h"

#include "tests/unit/made_cluster.h"

#define POD(name, label, address)                                                                  \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\",\"labels\":{\"app\":\"" label \
	"\"},\"annotations\":{\"note\":\"\\u0000\"}},\"spec\":{\"nodeName\":\"a\"},"               \
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"" address "\"}}"

static const struct workload *find_pod(const struct policy *policy, const char *name)
{
	vec_foreach (w, &policy->workloads) {
		if (!strcmp(w->name, name))
			return w;
	}
	fail_msg("no pod %s", name);
	return NULL;
}

static void of_two_pods_with_an_address_the_younger_has_it(void **state)
{
	static const char speaks[] =
		"{\"metadata\":{\"name\":\"p\",\"namespace\":\"shop\"},\"spec\":"
		"{\"podSelector\":{\"matchExpressions\":[{\"key\":\"app\","
		"\"operator\":\"In\",\"values\":[\"old\",\"alone\",\"new\"]}]}}}";
	_made_cluster_ struct made_cluster c;
	_text_ struct text messages = TEXT_INIT;
	_policy_version_ struct policy_version *v = NULL;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_NETWORK_POLICY, speaks);
	made_cluster_put(&c, KUBE_POD, POD("b", "old", "fd00::1"));
	made_cluster_put(&c, KUBE_POD, POD("c", "alone", "10.0.0.2"));
	made_cluster_put(&c, KUBE_POD, POD("a", "new", "FD00:0::1")); /* as some write it */
	v = made_cluster_compile(&c, NULL, &messages);
	assert_string_equal(messages.buf, "");
	assert_int_equal(find_pod(v->loaded->policy, "shop/a")->prefixes.count, 1);
	assert_int_equal(find_pod(v->loaded->policy, "shop/b")->prefixes.count, 0);
	assert_int_equal(find_pod(v->loaded->policy, "shop/c")->prefixes.count, 1);
}

static void the_order_that_objects_come_in_does_not_matter(void **state)
{
	_made_cluster_ struct made_cluster one, other;
	_policy_version_ struct policy_version *first = NULL, *second = NULL;
	_text_ struct text messages = TEXT_INIT;

	(void)state;
	made_cluster_init(&one);
	made_cluster_init(&other);
	made_cluster_put(&one, KUBE_POD, POD("a", "x", "10.0.0.1"));
	made_cluster_put(&one, KUBE_POD, POD("b", "x", "10.0.0.2"));
	made_cluster_put(&other, KUBE_POD, POD("gone", "x", "10.0.0.3"));
	made_cluster_put(&other, KUBE_POD, POD("b", "x", "10.0.0.2"));
	made_cluster_put(&other, KUBE_POD, POD("a", "x", "10.0.0.1"));
	assert_true(kube_table_remove(&other.tables[KUBE_POD], "shop/gone"));
	assert_false(kube_table_remove(&other.tables[KUBE_POD], "shop/gone"));
	first = made_cluster_compile(&one, NULL, &messages);
	second = made_cluster_compile(&other, NULL, &messages);
	assert_string_equal(first->loaded->hash, second->loaded->hash);
	assert_true(loaded_policy_addresses(first->loaded) ==
		    loaded_policy_addresses(second->loaded));
}

struct wrong {
	const char *name;
	enum kube_kind kind;
	const char *json;
	unsigned int refusals; /* until something right stands for it; 0: never */
};

#define NAMES "\"metadata\":{\"name\":\"n\",\"namespace\":\"shop\"}"

/* clang-format off */
static const struct wrong wrongs[] = {
	{ "a pod whose name is none", KUBE_POD, POD("P", "x", "10.0.0.9"), 1 },
	{ "an unknown field of a rule", KUBE_NETWORK_POLICY, "{" NAMES ",\"spec\":"
	  "{\"podSelector\":{},\"ingress\":[{\"frum\":[]}]}}", 1 },
	{ "an unknown selector", KUBE_NETWORK_POLICY, "{" NAMES ",\"spec\":"
	  "{\"podSelector\":{\"matchFields\":{}}}}", 2 },
	{ "a NUL in a selector", KUBE_NETWORK_POLICY, "{" NAMES ",\"spec\":"
	  "{\"podSelector\":{\"matchLabels\":{\"app\":\"a\\u0000b\"}}}}", 2 },
	{ "no spec", KUBE_NETWORK_POLICY, "{" NAMES "}", 1 },
	{ "an unknown action", KUBE_CLUSTER_NETWORK_POLICY,
	  "{\"metadata\":{\"name\":\"c\"},\"spec\":{\"tier\":\"Admin\",\"priority\":1,"
	  "\"subject\":{\"namespaces\":{}},\"ingress\":[{\"action\":\"Maybe\",\"from\":"
	  "[{\"namespaces\":{}}]}]}}", 1 },
	{ "an unknown tier", KUBE_CLUSTER_NETWORK_POLICY,
	  "{\"metadata\":{\"name\":\"c\"},\"spec\":{\"tier\":\"Top\",\"priority\":1,"
	  "\"subject\":{\"namespaces\":{}}}}", 0 },
	{ "a zone policy", KUBE_ZONE_POLICY,
	  "{\"metadata\":{\"name\":\"z\"},\"spec\":{\"zonez\":[]}}", 0 },
};
/* clang-format on */

static void something_right_stands_for_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		_made_cluster_ struct made_cluster c;
		_policy_version_ struct policy_version *v = NULL;
		struct kube_entry *entry;
		unsigned int refusals = 0;
		_free_ char *other = NULL;

		made_cluster_init(&c);
		made_cluster_put(&c, wrongs[i].kind, wrongs[i].json);
		entry = c.tables[wrongs[i].kind].entries.items[0];
		do {
			_text_ struct text messages = TEXT_INIT;

			v = made_cluster_compile(&c, NULL, &messages);
			if (v)
				break;
			free(other);
			other = kube_object_stand_in(wrongs[i].kind, entry->object.text,
						     entry->refusals + 1);
			refusals = other ? ++entry->refusals : 0;
		} while (other && refusals < 4);
		assert_row(wrongs[i].name, refusals == wrongs[i].refusals);
	}
}

#define ZONES(rest) "{\"metadata\":{\"name\":\"z\"},\"spec\":{\"zones\":[" rest "]}}"

static void a_zone_policy_is_what_it_was_before_it_was_wrong(void **state)
{
	static const char right[] = ZONES("{\"name\":\"a\",\"cidrs\":[\"10.0.0.0/8\"]}");
	static const char *const wrong[] = {ZONES("{\"nome\":\"a\"}"), ZONES("{\"nume\":\"a\"}")};
	_made_cluster_ struct made_cluster c;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_ZONE_POLICY, right);
	assert_true(kube_zones_take(&c.zones, &c.tables[KUBE_ZONE_POLICY]));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		_text_ struct text messages = TEXT_INIT;
		_policy_version_ struct policy_version *v = NULL;
		struct kube_entry *entry;
		_free_ char *other = NULL;

		made_cluster_put(&c, KUBE_ZONE_POLICY, wrong[i]);
		entry = c.tables[KUBE_ZONE_POLICY].entries.items[0];
		entry->refusals++;
		v = made_cluster_compile(&c, NULL, &messages);
		assert_row_string(wrong[i], messages.buf, "");
		assert_int_equal(v->loaded->policy->zones.count, 1);
		other = kube_entry_stand_in(&c.tables[KUBE_ZONE_POLICY], entry, KUBE_ZONE_POLICY,
					    2);
		assert_row(wrong[i], other == NULL);
	}
}

#define SPACE(name) "{\"metadata\":{\"name\":\"" name "\"}}"

static void a_line_leads_to_its_object(void **state)
{
	_made_cluster_ struct made_cluster c;
	_source_list_ source_list texts = {};
	const struct kube_entry *found;
	enum kube_kind kind;

	(void)state;
	made_cluster_init(&c);
	made_cluster_put(&c, KUBE_NAMESPACE, SPACE("a"));
	made_cluster_put(&c, KUBE_NAMESPACE, SPACE("b"));
	kube_texts(c.tables, &texts);
	found = kube_texts_find(c.tables, texts.items[0].name, SPACE("b"), &kind);
	assert_non_null(found);
	assert_string_equal(found->object.key, "b");
	assert_int_equal(kind, KUBE_NAMESPACE);
	assert_null(kube_texts_find(c.tables, texts.items[0].name, "---", &kind));
	assert_null(kube_texts_find(c.tables, "own.yaml", SPACE("a"), &kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_pods_with_an_address_the_younger_has_it),
		cmocka_unit_test(the_order_that_objects_come_in_does_not_matter),
		cmocka_unit_test(something_right_stands_for_what_is_wrong),
		cmocka_unit_test(a_zone_policy_is_what_it_was_before_it_was_wrong),
		cmocka_unit_test(a_line_leads_to_its_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
