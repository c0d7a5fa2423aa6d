/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#include "policy/services.h"
#include "util/mem.h"
#include "util/when.h"

enum rule_key {
	RULE_NAME,
	RULE_FROM,
	RULE_TO,
	RULE_SERVICES,
	RULE_ACTION,
	RULE_LOG,
	RULE_MODE,
	RULE_EXPIRES,
	RULE_REQUIRE,
	RULE_KEYS
};

enum failsafe_key {
	FAILSAFE_DIRECTION,
	FAILSAFE_SERVICES,
	FAILSAFE_FROM,
	FAILSAFE_TO,
	FAILSAFE_KEYS
};

enum never_key {
	NEVER_NAME,
	NEVER_FROM,
	NEVER_TO,
	NEVER_SERVICES,
	NEVER_KEYS
};

enum expect_key {
	EXPECT_FROM,
	EXPECT_TO,
	EXPECT_SERVICES,
	EXPECT_VERDICT,
	EXPECT_KEYS
};

/* clang-format off */
static const struct schema_key rule_keys[] = {
	[RULE_NAME]     = { "name",     KEY_REQUIRED, FORM_TEXT },
	[RULE_FROM]     = { "from",     KEY_REQUIRED, FORM_ANY },
	[RULE_TO]       = { "to",       KEY_REQUIRED, FORM_ANY },
	[RULE_SERVICES] = { "services", KEY_REQUIRED, FORM_ANY },
	[RULE_ACTION]   = { "action",   KEY_OPTIONAL, FORM_TEXT },
	[RULE_LOG]      = { "log",      KEY_OPTIONAL, FORM_TEXT },
	[RULE_MODE]     = { "mode",     KEY_OPTIONAL, FORM_TEXT },
	[RULE_EXPIRES]  = { "expires",  KEY_OPTIONAL, FORM_TEXT },
	[RULE_REQUIRE]  = { "require",  KEY_OPTIONAL, FORM_TEXT },
};

static const struct schema_key failsafe_keys[] = {
	[FAILSAFE_DIRECTION] = { "direction", KEY_REQUIRED, FORM_TEXT },
	[FAILSAFE_SERVICES]  = { "services",  KEY_REQUIRED, FORM_ANY },
	[FAILSAFE_FROM]      = { "from",      KEY_OPTIONAL, FORM_ANY },
	[FAILSAFE_TO]        = { "to",        KEY_OPTIONAL, FORM_ANY },
};

static const struct schema_key never_keys[] = {
	[NEVER_NAME]     = { "name",     KEY_REQUIRED, FORM_TEXT },
	[NEVER_FROM]     = { "from",     KEY_REQUIRED, FORM_ANY },
	[NEVER_TO]       = { "to",       KEY_REQUIRED, FORM_ANY },
	[NEVER_SERVICES] = { "services", KEY_OPTIONAL, FORM_ANY },
};

static const struct schema_key expect_keys[] = {
	[EXPECT_FROM]     = { "from",     KEY_REQUIRED, FORM_ANY },
	[EXPECT_TO]       = { "to",       KEY_REQUIRED, FORM_ANY },
	[EXPECT_SERVICES] = { "services", KEY_REQUIRED, FORM_ANY },
	[EXPECT_VERDICT]  = { "verdict",  KEY_REQUIRED, FORM_TEXT },
};

static const struct schema rule_schema     = { "a rule",     rule_keys,     COUNT(rule_keys) };
static const struct schema failsafe_schema = { "a failsafe", failsafe_keys, COUNT(failsafe_keys) };
static const struct schema never_schema    = { "a promise",  never_keys,    COUNT(never_keys) };
static const struct schema expect_schema   = { "an expect",  expect_keys,   COUNT(expect_keys) };
/* clang-format on */

static enum action read_action(struct reader *r, const struct node *n)
{
	static const char *const list[] = {"allow", "deny", "reject"};
	static const enum action actions[] = {ACTION_ALLOW, ACTION_DENY, ACTION_REJECT};
	static const struct words words = {"an action", list, COUNT(list)};
	size_t i;

	return n && schema_word(n, &words, r->diags, &i) ? actions[i] : ACTION_ALLOW;
}

/* @action is the rule's. */
static enum mode read_rule_mode(struct reader *r, const struct node *n, enum action action)
{
	static const char *const list[] = {"enforce", "audit"};
	static const enum mode modes[] = {MODE_ENFORCE, MODE_AUDIT};
	static const struct words words = {"a rule's mode", list, COUNT(list)};
	size_t i;

	if (!n || !schema_word(n, &words, r->diags, &i))
		return MODE_UNSET;
	if (modes[i] == MODE_AUDIT && action == ACTION_ALLOW)
		diag_error(r->diags, n->at,
			   "an allow rule can't be 'audit', as it denies nothing; leave 'mode' "
			   "out, or write action: deny");
	return modes[i];
}

static void read_expires(struct reader *r, const struct node *n, int64_t *ret)
{
	char buf[SHOWN_SIZE];
	int64_t at;

	if (!n)
		return;
	if (!time_parse_seconds(n->text, &at))
		diag_error(r->diags, n->at,
			   "'%s' is not a time; write it with its zone, such as "
			   "2026-11-21T09:00:00Z",
			   shown(n->text, buf));
	else
		*ret = at ? at : 1; /* 0 is never */
}

/* @rule has its action and services by now. */
static void read_require(struct reader *r, const struct node *n, struct rule *rule)
{
	static const char *const list[] = {"tls"};
	static const struct words words = {"what a rule can require", list, COUNT(list)};
	bool is_tcp = true;
	size_t i;

	if (!n || !schema_word(n, &words, r->diags, &i))
		return;
	vec_foreach (range, &rule->services)
		is_tcp = is_tcp && range->table == BH_SERVICE_TCP;
	if (rule->action != ACTION_ALLOW)
		diag_error(r->diags, n->at,
			   "a rule that denies can't require 'tls'; leave 'require' out");
	else if (!is_tcp)
		diag_error(r->diags, n->at,
			   "'tls' is of TCP; write a rule of its own for other services");
	rule->tls = true;
}

static void read_verdict(struct reader *r, const struct node *n, enum bh_verdict *ret)
{
	static const char *const list[] = {"allow", "deny", "reject", "audit"};
	static const enum bh_verdict verdicts[] = {BH_VERDICT_ALLOW, BH_VERDICT_DENY,
						   BH_VERDICT_REJECT, BH_VERDICT_AUDIT};
	static const struct words words = {"a verdict", list, COUNT(list)};
	size_t i;

	if (n && schema_word(n, &words, r->diags, &i))
		*ret = verdicts[i];
}

static struct selector *read_end(struct reader *r, const struct node *n)
{
	struct selector *s;
	struct yaml_word key;

	if (!n)
		return NULL;
	if (!read_once_end_key(&r->once, n, &key))
		return read_selector(r, n);
	s = read_once_end(&r->once, &key);
	return s ? s : read_once_note_end(&r->once, &key, r->policy, read_selector(r, n));
}

static bool has_room(struct reader *r, const struct node *n)
{
	if (r->policy->rules.count < POLICY_MAX_RULES)
		return true;
	diag_error(r->diags, n->at, "more than %d rules", POLICY_MAX_RULES);
	r->is_full = true;
	return false;
}

/* All but the name, the ends and the services. */
static void finish_rule(struct reader *r, struct rule *rule, const struct node *const *v)
{
	bool is_logged;

	rule->action = read_action(r, v[RULE_ACTION]);
	rule->mode = read_rule_mode(r, v[RULE_MODE], rule->action);
	read_expires(r, v[RULE_EXPIRES], &rule->expires);
	read_require(r, v[RULE_REQUIRE], rule);
	rule->tier = rule->action == ACTION_ALLOW ? TIER_NETWORK : TIER_ZONE;
	if (v[RULE_LOG] && schema_bool(v[RULE_LOG], r->diags, &is_logged))
		rule->log = is_logged;
	vec_push(&r->policy->rules, *rule);
}

static void read_rule_nodes(struct reader *r, const struct node *n)
{
	size_t index = r->policy->rules.count;
	struct rule rule = {.at = n->at, .sides = SIDE_BOTH, .is_kept = true};
	struct services_once list;
	const struct node *v[RULE_KEYS];

	if (!read_entry_keys(r, n, &rule_schema, v))
		return;
	if (v[RULE_NAME])
		rule.at = v[RULE_NAME]->at;
	rule.name = keep_node_name(r, NAME_RULE, index, v[RULE_NAME]);
	rule.from = read_end(r, v[RULE_FROM]);
	rule.to = read_end(r, v[RULE_TO]);
	list = read_rule_services(r, v[RULE_SERVICES]);
	rule.services = list.services;
	rule.service_text = list.text;
	finish_rule(r, &rule, v);
}

/* --- of a rule that is folded, what is written; nodes are only made of what is new --- */

static struct selector *read_end_word(struct reader *r, const struct node *entry,
				      const struct yaml_word *word)
{
	struct selector *s = read_once_end(&r->once, word);

	if (s)
		return s;
	s = read_selector_word(r, entry, word);
	return read_once_note_end(&r->once, word, r->policy, s);
}

static void read_rule_words(struct reader *r, const struct node *n, const struct yaml_word *words)
{
	const struct name name = {
		.text = words[RULE_NAME].text,
		.kind = NAME_RULE,
		.index = r->policy->rules.count,
		.at = yaml_word_at(n, &words[RULE_NAME]),
	};
	struct rule rule = {.at = name.at, .sides = SIDE_BOTH, .is_kept = true};
	const struct node *v[RULE_KEYS] = {};
	struct services_once list;

	arena_clear(&r->entry.arena);
	names_prefetch(&r->names, SCOPE_RULES, name.text, words[RULE_NAME].len);
	rule.from = read_end_word(r, n, &words[RULE_FROM]);
	rule.to = read_end_word(r, n, &words[RULE_TO]);
	list = read_services_word(r, n, &words[RULE_SERVICES]);
	rule.name = keep_name(r, &name, words[RULE_NAME].len);
	rule.services = list.services;
	rule.service_text = list.text;
	for (size_t i = RULE_SERVICES + 1; i < RULE_KEYS; i++)
		v[i] = words[i].text ? read_word(r, n, &words[i]) : NULL;
	finish_rule(r, &rule, v);
}

void read_rule(struct reader *r, const struct node *n)
{
	struct yaml_word words[RULE_KEYS];

	if (!has_room(r, n))
		return;
	if (schema_read_words(n, &rule_schema, words))
		read_rule_words(r, n, words);
	else
		read_rule_nodes(r, n);
}

/* Who is at the far end; the near one is whoever has the policy. */
static struct selector *read_far_end(struct reader *r, const struct node *n, const struct node **v,
				     bool is_ingress)
{
	const struct node *far = v[is_ingress ? FAILSAFE_FROM : FAILSAFE_TO];
	const struct node *near = v[is_ingress ? FAILSAFE_TO : FAILSAFE_FROM];
	const char *direction = is_ingress ? "ingress" : "egress";

	if (!far)
		diag_error(r->diags, n->at, "missing key '%s'; %s needs it",
			   is_ingress ? "from" : "to", direction);
	if (near)
		diag_error(r->diags, near->at, "%s has no '%s'; leave it out", direction,
			   is_ingress ? "to" : "from");
	return read_end(r, far);
}

void read_failsafe(struct reader *r, const struct node *n)
{
	static const char *const list[] = {"ingress", "egress"};
	static const struct words words = {"a direction", list, COUNT(list)};
	_text_ struct text written = TEXT_INIT;
	struct rule rule = {.at = n->at, .tier = TIER_FAILSAFE, .sides = SIDE_BOTH};
	const struct node *v[FAILSAFE_KEYS];
	struct selector *far, *near;
	size_t direction;

	if (!has_room(r, n) || !read_entry_keys(r, n, &failsafe_schema, v))
		return;
	read_services(r, v[FAILSAFE_SERVICES], &rule.services, &written);
	if (v[FAILSAFE_DIRECTION] &&
	    schema_word(v[FAILSAFE_DIRECTION], &words, r->diags, &direction)) {
		far = read_far_end(r, n, v, direction == 0);
		near = selector_new(SELECT_ANY, n->at);
		rule.from = direction ? near : far;
		rule.to = direction ? far : near;
	}
	rule.name = xstrdup("failsafe");
	rule.service_text = text_take(&written);
	vec_push(&r->policy->rules, rule);
}

void read_never(struct reader *r, const struct node *n)
{
	struct never never = {.at = n->at};
	const struct node *v[NEVER_KEYS];

	if (!read_entry_keys(r, n, &never_schema, v))
		return;
	never.name = read_name(r, NAME_NEVER, r->policy->nevers.count, v[NEVER_NAME]);
	never.from = read_end(r, v[NEVER_FROM]);
	never.to = read_end(r, v[NEVER_TO]);
	if (v[NEVER_SERVICES])
		read_services(r, v[NEVER_SERVICES], &never.services, NULL);
	else
		services_add_any(&never.services);
	services_normalise(&never.services);
	vec_push(&r->policy->nevers, never);
}

void read_expect(struct reader *r, const struct node *n)
{
	struct expect expect = {.at = n->at};
	const struct node *v[EXPECT_KEYS];

	if (!read_entry_keys(r, n, &expect_schema, v))
		return;
	expect.from = read_end(r, v[EXPECT_FROM]);
	expect.to = read_end(r, v[EXPECT_TO]);
	read_services(r, v[EXPECT_SERVICES], &expect.services, NULL);
	read_verdict(r, v[EXPECT_VERDICT], &expect.verdict);
	vec_push(&r->policy->expects, expect);
}
