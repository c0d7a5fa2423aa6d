/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bulkhead/builtin.h>

#include "agent/control/answer.h"
#include "policy/compiled_index.h"
#include "util/mem.h"

/* --- endpoints --- */

/* A workload's sources; of a NIC its own addresses. */
static void add_addresses(struct json *j, const struct agent *a, const struct endpoint *e)
{
	char buf[ADDRESS_STRLEN];

	json_array(j, "addresses");
	vec_foreach (prefix, &e->sources)
		json_string(j, NULL, prefix_format(prefix, buf));
	vec_foreach (own, &a->addresses.list) {
		if (e->kind == BH_ENDPOINT_IS_HOST && own->ifindex == e->ifindex &&
		    !own->is_broadcast)
			json_string(j, NULL, addr_format(&own->addr, buf));
	}
	json_end(j, ']');
}

static void add_counts(struct json *j, const char *key, const struct bh_count both[2])
{
	struct bh_count sum = {
		.packets = both[0].packets + both[1].packets,
		.bytes = both[0].bytes + both[1].bytes,
	};

	answer_count(j, key, &sum);
}

static void list_endpoint(const struct agent *a, const struct endpoint *e, struct text *out)
{
	struct bh_endpoint_count count = {};
	struct json j = {.out = out};

	datapath_read_endpoint(a->dp, e->id, &count);
	json_object(&j, NULL);
	json_string(&j, "interface", endpoint_label(e));
	json_number(&j, "ifindex", e->ifindex);
	json_number(&j, "id", e->id);
	json_string(&j, "kind", e->kind == BH_ENDPOINT_IS_HOST ? "host" : "workload");
	json_string(&j, "workload", e->workload);
	add_addresses(&j, a, e);
	json_string(&j, "ingress", attach_method_word(e->attachment.ingress));
	json_string(&j, "egress", attach_method_word(e->attachment.egress));
	json_string(&j, "degraded", watchdog_trouble(e));
	add_counts(&j, "passed", count.passed);
	add_counts(&j, "dropped", count.dropped);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void list_endpoints(struct agent *a, struct text *out)
{
	vec_foreach (e, &a->endpoints.list)
		list_endpoint(a, e, out);
}

/* --- identities --- */

/* Pods that nothing tells apart, in full. */
static void add_sharers(struct json *j, const struct policy_version *v, uint32_t id)
{
	struct list sharers = lists_get(&v->compiled->index->selectors.sharers, id);

	json_array(j, "pods");
	for (size_t i = 0; i < sharers.count; i++) {
		const struct workload *w = &v->compiled->policy->workloads.items[sharers.items[i]];

		if (w->kind == WORKLOAD_POD)
			json_string(j, NULL, w->name);
	}
	json_end(j, ']');
}

static void list_identity(const struct policy_version *v, uint32_t id, const char *prefix_list,
			  struct text *out)
{
	struct json j = {.out = out};
	struct event_end names;

	naming_identity(v, id, &names);
	json_object(&j, NULL);
	json_number(&j, "identity", id);
	json_string(&j, "zone", names.zone);
	json_string(&j, "workload", names.workload);
	add_sharers(&j, v, id);
	json_raw(&j, "labels", names.labels_json);
	json_number(&j, "class", v->compiled->identities.items[id].class);
	json_raw(&j, "prefixes", prefix_list);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void list_identities(struct agent *a, struct text *out)
{
	const struct policy_version *v = a->policies.current;
	_image_listing_ struct image_listing listing = image_list(&v->compiled->image);
	size_t count = v->compiled->identities.count;
	struct text *lists = xcalloc(count, sizeof(*lists));
	struct json *writers = xcalloc(count, sizeof(*writers));

	for (size_t i = 0; i < count; i++) {
		lists[i] = (struct text)TEXT_INIT;
		writers[i].out = &lists[i];
		json_array(&writers[i], NULL);
	}
	vec_foreach (entry, &listing) {
		char buf[ADDRESS_STRLEN];

		json_string(&writers[entry->identity], NULL, prefix_format(&entry->prefix, buf));
	}
	for (size_t i = 0; i < count; i++) {
		json_end(&writers[i], ']');
		list_identity(v, (uint32_t)i, lists[i].buf, out);
		text_release(&lists[i]);
	}
	free(lists);
	free(writers);
}

/* --- rules --- */

static void add_rule_events(struct json *j, const struct rule_count *total)
{
	const struct bh_tally tally = {total->delivered, total->suppressed, total->lost};
	struct books books = books_of_tally(&tally);

	json_object(j, "events");
	answer_book(j, &books);
	json_end(j, '}');
}

static void list_rule(const struct agent *a, uint32_t number, struct text *out)
{
	const struct policy *policy = a->policies.current->loaded->policy;
	struct rule_count total = rule_stats_total(&a->policies.stats, number);
	bool is_builtin = number < BH_RULE_FIRST;
	_text_ struct text at = TEXT_INIT;
	struct json j = {.out = out};
	enum action action;

	if (is_builtin)
		action = number == BH_BUILTIN_DEFAULT ? ACTION_DENY : ACTION_ALLOW;
	else
		action = policy->rules.items[number - BH_RULE_FIRST].action;
	naming_rule_at(policy, number, &at);
	json_object(&j, NULL);
	json_string(&j, "rule", naming_rule(&a->naming, a->policies.current->generation, number));
	json_string(&j, "action", action_word(action));
	json_string(&j, "from_file", at.len ? at.buf : NULL);
	json_number(&j, "packets", total.packets);
	json_number(&j, "bytes", total.bytes);
	add_rule_events(&j, &total);
	answer_time(&j, "last_hit", rule_stats_last_hit(&a->policies.stats, number));
	if (is_builtin)
		json_bool(&j, "off", a->config->builtins_off >> number & 1);
	json_end(&j, '}');
	text_addc(out, '\n');
}

void list_rules(struct agent *a, struct text *out)
{
	const struct policy *policy = a->policies.current->loaded->policy;

	policy_set_sample(&a->policies);
	for (uint32_t i = 0; i < BH_BUILTIN_COUNT; i++)
		list_rule(a, i, out);
	for (size_t i = 0; i < policy->rules.count; i++) {
		/* These are counted as the built-in 'failsafe'. */
		if (policy->rules.items[i].tier != TIER_FAILSAFE)
			list_rule(a, (uint32_t)(BH_RULE_FIRST + i), out);
	}
}
