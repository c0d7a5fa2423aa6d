/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kube_texts.h"

#include "policy/load.h"
#include "policy/model.h"
#include "tests/test.h"
#include "util/diag.h"

#define POD(name, label, address)                                                                  \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\",\"labels\":{\"app\":\"" label \
	"\"},\"annotations\":{\"note\":\"\\u0000\"}},\"spec\":{\"nodeName\":\"a\"},"               \
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"" address "\"}}"

static void put(struct kube_table tables[KUBE_KIND_COUNT], enum kube_kind kind, const char *json)
{
	static uint64_t order;
	struct kube_object object;

	assert_int_equal(kube_object_read(kind, json, &object), 0);
	kube_table_put(&tables[kind], &object, ++order);
}

static void release(struct kube_table tables[KUBE_KIND_COUNT])
{
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_table_release(&tables[i]);
}

/* What is wrong with it goes to @ret_messages. */
static struct policy *load(const struct kube_table tables[KUBE_KIND_COUNT],
			   struct text *ret_messages)
{
	struct policy *policy = NULL;
	struct diags diags = {};
	source_list texts = {};

	kube_texts(tables, &texts);
	policy_load_sources(texts.items, texts.count, &diags, &policy);
	vec_foreach (diag, &diags.list) {
		if (diag->level == DIAG_ERROR)
			text_addf(ret_messages, "%s\n", diag->message);
	}
	diags_release(&diags);
	vec_release(&texts);
	return policy;
}

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
	struct kube_table tables[KUBE_KIND_COUNT] = {};
	_text_ struct text messages = TEXT_INIT;
	_policy_ struct policy *policy = NULL;

	(void)state;
	put(tables, KUBE_POD, POD("b", "old", "fd00::1"));
	put(tables, KUBE_POD, POD("c", "alone", "10.0.0.2"));
	put(tables, KUBE_POD, POD("a", "new", "FD00:0::1")); /* the same, as some write it */
	policy = load(tables, &messages);
	assert_string_equal(messages.buf, "");
	assert_int_equal(find_pod(policy, "shop/a")->prefixes.count, 1);
	assert_int_equal(find_pod(policy, "shop/b")->prefixes.count, 0);
	assert_int_equal(find_pod(policy, "shop/c")->prefixes.count, 1);
	release(tables);
}

static void the_order_that_objects_come_in_does_not_matter(void **state)
{
	struct kube_table one[KUBE_KIND_COUNT] = {}, other[KUBE_KIND_COUNT] = {};
	_source_list_ source_list first = {}, second = {};

	(void)state;
	put(one, KUBE_POD, POD("a", "x", "10.0.0.1"));
	put(one, KUBE_POD, POD("b", "x", "10.0.0.2"));
	put(other, KUBE_POD, POD("gone", "x", "10.0.0.3"));
	put(other, KUBE_POD, POD("b", "x", "10.0.0.2"));
	put(other, KUBE_POD, POD("a", "x", "10.0.0.1"));
	assert_true(kube_table_remove(&other[KUBE_POD], "shop/gone"));
	assert_false(kube_table_remove(&other[KUBE_POD], "shop/gone"));
	kube_texts(one, &first);
	kube_texts(other, &second);
	assert_string_equal(first.items[0].text, second.items[0].text);
	assert_false(kube_table_replace(&one[KUBE_POD], &other[KUBE_POD]));
	source_list_release(&second);
	release(one);
	release(other);
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
	{ "a pod without an address", KUBE_POD, POD("p", "x", "nowhere"), 1 },
	{ "a pod with a label that is none", KUBE_POD, POD("p", "-", "10.0.0.9"), 2 },
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
		struct kube_table tables[KUBE_KIND_COUNT] = {};
		struct kube_entry *entry;
		unsigned int refusals = 0;
		_free_ char *other = NULL;

		put(tables, wrongs[i].kind, wrongs[i].json);
		entry = tables[wrongs[i].kind].entries.items[0];
		do {
			_text_ struct text messages = TEXT_INIT;
			_policy_ struct policy *policy = load(tables, &messages);

			if (!messages.len)
				break;
			free(other);
			other = kube_object_stand_in(wrongs[i].kind, entry->object.text,
						     entry->refusals + 1);
			refusals = other ? ++entry->refusals : 0;
		} while (other && refusals < 4);
		assert_row(wrongs[i].name, refusals == wrongs[i].refusals);
		release(tables);
	}
}

#define ZONES(rest) "{\"metadata\":{\"name\":\"z\"},\"spec\":{\"zones\":[" rest "]}}"

static void a_zone_policy_is_what_it_was_before_it_was_wrong(void **state)
{
	struct kube_table tables[KUBE_KIND_COUNT] = {[KUBE_ZONE_POLICY].keeps_before = true};
	static const char right[] = ZONES("{\"name\":\"a\",\"cidrs\":[\"10.0.0.0/8\"]}");
	static const char *const wrong[] = {ZONES("{\"nome\":\"a\"}"), ZONES("{\"nume\":\"a\"}")};

	(void)state;
	put(tables, KUBE_ZONE_POLICY, right);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		_text_ struct text messages = TEXT_INIT;
		_policy_ struct policy *policy = NULL;
		struct kube_entry *entry;
		_free_ char *other = NULL;

		put(tables, KUBE_ZONE_POLICY, wrong[i]);
		entry = tables[KUBE_ZONE_POLICY].entries.items[0];
		entry->refusals++;
		policy = load(tables, &messages);
		assert_row_string(wrong[i], messages.buf, "");
		assert_int_equal(policy->zones.count, 1);
		other = kube_entry_stand_in(entry, KUBE_ZONE_POLICY, 2);
		assert_row(wrong[i], other == NULL);
	}
	release(tables);
}

static void a_line_leads_to_its_object(void **state)
{
	struct kube_table tables[KUBE_KIND_COUNT] = {};
	_source_list_ source_list texts = {};
	const struct kube_entry *found;
	enum kube_kind kind;

	(void)state;
	put(tables, KUBE_POD, POD("a", "x", "10.0.0.1"));
	put(tables, KUBE_POD, POD("b", "x", "10.0.0.2"));
	kube_texts(tables, &texts);
	found = kube_texts_find(tables, &texts.items[0], 3, &kind);
	assert_non_null(found);
	assert_string_equal(found->object.key, "shop/b");
	assert_int_equal(kind, KUBE_POD);
	assert_null(kube_texts_find(tables, &texts.items[0], 2, &kind));
	assert_null(kube_texts_find(tables, &texts.items[0], 99, &kind));
	release(tables);
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
