/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * POL-11: of a rule for a broad network and one for a narrow network in it, the documented order
 * decides, never the width.  What is wanted is worked out here, from the order alone.
 */
#include "tests/test.h"

#include "policy/compile.h"
#include "policy/load.h"

enum act {
	ACCEPT,
	DENY,
	PASS,
};

static const char *const act_words[] = {"Accept", "Deny", "Pass"};

/* What the pod's NetworkPolicy says. */
enum network {
	ABSENT,
	ISOLATES,
	ALLOWS,
	NETWORKS,
};

static const char *const network_words[NETWORKS] = {"", "egress: []", "egress: [{}]"};

/* One of two rules.  The first is named before the second. */
struct layer {
	bool is_baseline;
	enum act act;
	bool is_narrow;
	unsigned int priority;
};

/* clang-format off */
static const struct layer kinds[] = {
	{ .act = ACCEPT },
	{ .act = DENY },
	{ .act = PASS },
	{ .is_baseline = true, .act = ACCEPT },
	{ .is_baseline = true, .act = DENY },
};

static const unsigned int priorities[][2] = {{1, 2}, {2, 1}, {1, 1}};

static const struct {
	const char *address;
	bool is_in_broad, is_in_narrow;
} asked[] = {
	{ "10.1.2.3",       true,  true },
	{ "10.2.2.3",       true,  false },
	{ "192.0.2.1",      false, false },
	{ "fd00:1::3",      true,  true },
	{ "fd00:2::3",      true,  false },
	{ "2001:db8::1",    false, false },
};
/* clang-format on */

static const char pod_text[] = "{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n---\n"
			       "apiVersion: v1\nkind: Pod\nmetadata: {namespace: x, name: a}\n"
			       "status: {podIPs: [{ip: 10.200.0.1}, {ip: \"fd00:200::1\"}]}\n";

static void write_layer(const struct layer *layer, const char *name, struct text *out)
{
	text_addf(out, "---\napiVersion: policy.networking.k8s.io/v1alpha2\n"
		       "kind: ClusterNetworkPolicy\n");
	text_addf(out, "metadata: {name: %s}\nspec:\n  tier: %s\n  priority: %u\n", name,
		  layer->is_baseline ? "Baseline" : "Admin", layer->priority);
	text_addf(out,
		  "  subject: {namespaces: {}}\n"
		  "  egress: [{action: %s, to: [{networks: [%s]}]}]\n",
		  act_words[layer->act],
		  layer->is_narrow ? "10.1.0.0/16, \"fd00:1::/32\"" : "10.0.0.0/8, \"fd00::/16\"");
}

static bool is_meant(const struct layer *layer, size_t question)
{
	return layer->is_narrow ? asked[question].is_in_narrow : asked[question].is_in_broad;
}

/* What a tier says: the lower priority first, then the lower name.  PASS if it says nothing. */
static enum act tier_says(const struct layer layers[2], bool is_baseline, size_t question)
{
	size_t first = layers[1].priority < layers[0].priority;

	for (size_t i = 0; i < 2; i++) {
		const struct layer *layer = &layers[i ^ first];

		if (layer->is_baseline == is_baseline && is_meant(layer, question))
			return layer->act;
	}
	return PASS;
}

static bool is_wanted(const struct layer layers[2], enum network network, size_t question)
{
	enum act act = tier_says(layers, false, question);

	if (act == PASS && network != ABSENT)
		return network == ALLOWS;
	if (act == PASS)
		act = tier_says(layers, true, question);
	return act != DENY;
}

static bool is_let(const struct compiled *c, const char *from, const char *to)
{
	struct bh_addr src, dst;

	assert_null(addr_parse(from, &src));
	assert_null(addr_parse(to, &dst));
	return decision_of_cell(image_decide(&c->image, &src, &dst, BH_SERVICE_TCP, 80)).verdict ==
	       BH_VERDICT_ALLOW;
}

/* Ties of priority are warned of: warnings are no failure here. */
static void compile_text(const char *yaml, struct policy **ret_policy, struct compiled **ret)
{
	struct source source = source_of("p.yaml", yaml, strlen(yaml));
	_diags_ struct diags diags = {};
	int err;

	err = policy_load_sources(&source, 1, &diags, ret_policy);
	if (!err)
		err = policy_compile(*ret_policy, &(struct environment){}, &diags, ret);
	if (err)
		diags_print(&diags, stderr);
	assert_row(yaml, !err);
}

static void try(const struct layer layers[2], enum network network)
{
	_text_ struct text yaml = TEXT_INIT;
	_policy_ struct policy *policy = NULL;
	_compiled_ struct compiled *compiled = NULL;

	text_add(&yaml, pod_text);
	write_layer(&layers[0], "a", &yaml);
	write_layer(&layers[1], "b", &yaml);
	if (network != ABSENT)
		text_addf(&yaml,
			  "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
			  "metadata: {namespace: x, name: n}\n"
			  "spec: {podSelector: {}, policyTypes: [Egress], %s}\n",
			  network_words[network]);
	compile_text(yaml.buf, &policy, &compiled);
	for (size_t i = 0; i < COUNT(asked); i++) {
		const char *to = asked[i].address;
		const char *from = strchr(to, ':') ? "fd00:200::1" : "10.200.0.1";

		if (is_let(compiled, from, to) != is_wanted(layers, network, i))
			fail_msg("to %s, wanted %d:\n%s", to, is_wanted(layers, network, i),
				 yaml.buf);
	}
}

static void tiers_priorities_and_names_decide_not_the_width(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds) * COUNT(kinds) * COUNT(priorities) * 2; i++) {
		size_t at = i / (COUNT(kinds) * COUNT(kinds));
		struct layer layers[] = {
			kinds[i % COUNT(kinds)],
			kinds[i / COUNT(kinds) % COUNT(kinds)],
		};

		layers[at % 2].is_narrow = true;
		layers[0].priority = priorities[at / 2][0];
		layers[1].priority = priorities[at / 2][1];
		for (enum network network = ABSENT; network < NETWORKS; network++)
			try(layers, network);
	}
}

/* Of zones: a deny that means the packet, wherever it stands and however wide it is. */
static void a_deny_of_a_zone_policy_beats_every_allow(void **state)
{
	static const char *const words[] = {"allow", "deny"};

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		const bool denies[] = {i & 1, i & 2};
		const struct layer layers[] = {{.is_narrow = i & 4}, {.is_narrow = !(i & 4)}};
		_text_ struct text yaml = TEXT_INIT;
		_policy_ struct policy *policy = NULL;
		_compiled_ struct compiled *compiled = NULL;

		text_add(&yaml, "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\n"
				"metadata: {name: t}\nspec:\n  zones:\n"
				"    - {name: z, cidrs: [10.200.0.0/16]}\n  rules:\n");
		for (int r = 0; r < 2; r++)
			text_addf(&yaml,
				  "    - {name: r%d, from: z, to: {cidr: %s}, services: any, "
				  "action: %s}\n",
				  r, layers[r].is_narrow ? "10.1.0.0/16" : "10.0.0.0/8",
				  words[denies[r]]);
		compile_text(yaml.buf, &policy, &compiled);
		for (size_t q = 0; q < 3; q++) {
			bool means[] = {is_meant(&layers[0], q), is_meant(&layers[1], q)};
			bool is_denied = (means[0] && denies[0]) || (means[1] && denies[1]);
			bool is_allowed = !is_denied && (means[0] || means[1]);

			assert_row(yaml.buf,
				   is_let(compiled, "10.200.0.1", asked[q].address) == is_allowed);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_priorities_and_names_decide_not_the_width),
		cmocka_unit_test(a_deny_of_a_zone_policy_beats_every_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
