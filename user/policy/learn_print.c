/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "policy/learn.h"
#include "policy/services.h"
#include "util/clock.h"
#include "util/json.h"

#define REFUSALS_SHOWN 1000 /* as comments */
#define ITEMS_A_LINE   6    /* of a list */

static bool is_plain_char(char c)
{
	return c >= ' ' && c <= '~';
}

/* For comments: whatever could end a line for a reader of YAML is not there. */
static void add_ascii(struct text *out, const char *s)
{
	for (; *s; s++)
		text_addc(out, is_plain_char(*s) ? *s : '?');
}

static void add_times(const struct support *s, struct text *out)
{
	char first[CLOCK_STRLEN], last[CLOCK_STRLEN];

	if (s->first_ns)
		text_addf(out, ", %s to %s", clock_format(s->first_ns, first),
			  clock_format(s->last_ns, last));
}

static void add_counts(const struct support *s, struct text *out)
{
	text_addf(out, "%" PRIu64 " event%s, %" PRIu64 " connection%s", s->events,
		  s->events == 1 ? "" : "s", s->connections, s->connections == 1 ? "" : "s");
}

/* "never", "expect" or "rule", the name if it has one, and the place. */
struct cause_text {
	const char *kind;
	const char *name;
	struct span at;
};

static struct cause_text cause_text(const struct policy *p, struct cause cause)
{
	const struct never *never;
	const struct rule *rule;

	switch ((enum cause_kind)cause.kind) {
	case CAUSE_NEVER:
		never = &p->nevers.items[cause.index];
		return (struct cause_text){"never", never->name, never->at};
	case CAUSE_EXPECT:
		return (struct cause_text){"expect", NULL, p->expects.items[cause.index].at};
	case CAUSE_RULE:
		break;
	}
	rule = &p->rules.items[cause.index];
	return (struct cause_text){"rule", rule->name, rule->at};
}

static void add_place(const struct span *at, struct text *out)
{
	if (at->source)
		text_addf(out, "%s:%u:%u", at->source->name, at->line, at->column);
}

static void add_service(const struct service_range *range, struct text *out)
{
	services one = {};

	vec_push(&one, *range);
	services_format(&one, out);
	vec_release(&one);
}

static void add_refusal(const struct policy *p, const struct refusal *refusal, struct text *out)
{
	struct cause_text cause = cause_text(p, refusal->cause);
	_text_ struct text line = TEXT_INIT;

	party_format(p, &refusal->from, &line);
	text_add(&line, " -> ");
	party_format(p, &refusal->to, &line);
	text_addc(&line, ' ');
	add_service(&refusal->service, &line);
	text_addf(&line, ": %s", cause.kind);
	if (cause.name)
		text_addf(&line, " '%s'", cause.name);
	text_add(&line, " at ");
	add_place(&cause.at, &line);
	text_add(&line, " (");
	add_counts(&refusal->support, &line);
	text_add(&line, ")");
	text_add(out, "#   ");
	add_ascii(out, line.buf);
	text_addc(out, '\n');
}

static void add_refusals(const struct policy *p, const struct learned *l, struct text *out)
{
	size_t n = l->refusals.count < REFUSALS_SHOWN ? l->refusals.count : REFUSALS_SHOWN;

	if (!n)
		return;
	text_add(out, "# Refused, because the policy promises or denies it:\n");
	for (size_t i = 0; i < n; i++)
		add_refusal(p, &l->refusals.items[i], out);
	if (l->refusals.count > n)
		text_addf(out, "#   and %zu more\n", l->refusals.count - n);
}

static void add_heading(const struct policy *p, const struct learned *l, struct text *out)
{
	text_addf(out, "# %zu rule%s for what is not allowed yet of ", l->rules.count,
		  l->rules.count == 1 ? "" : "s");
	add_counts(&l->support, out);
	add_times(&l->support, out);
	text_add(out,
		 ".\n# Read each before you take it over: what was recorded may be an attack.\n");
	add_refusals(p, l, out);
	vec_foreach (widened, &l->widened) {
		text_addf(out, "# Wide: %zu ports became ", widened->ports);
		add_service(&widened->range, out);
		text_add(out, " to ");
		party_format(p, &widened->to, out);
		text_add(out, "; a fixed port would be better.\n");
	}
}

static void begin_item(size_t i, struct text *out)
{
	if (i)
		text_add(out, i % ITEMS_A_LINE ? ", " : ",\n          ");
}

/* Names are the policy's; quoted all the same, since `off` or `1.5` may be one. */
static void add_party(const struct policy *p, const struct party *party, struct text *out)
{
	text_add(out, party->kind == PARTY_PREFIX ? "{cidr: \"" : "\"");
	party_format(p, party, out);
	text_add(out, party->kind == PARTY_PREFIX ? "\"}" : "\"");
}

static void add_parties(const struct policy *p, const char *key, const struct party *items,
			size_t count, struct text *out)
{
	text_addf(out, "      %s: ", key);
	text_add(out, count > 1 ? "[" : "");
	for (size_t i = 0; i < count; i++) {
		begin_item(i, out);
		add_party(p, &items[i], out);
	}
	text_add(out, count > 1 ? "]\n" : "\n");
}

static void add_rule(const struct policy *p, const struct learned_rule *rule, struct text *out)
{
	size_t i = 0;

	text_add(out, "    # ");
	add_counts(&rule->support, out);
	add_times(&rule->support, out);
	text_addf(out, "\n    - name: \"%s\"\n", rule->name);
	add_parties(p, "from", rule->from.items, rule->from.count, out);
	add_parties(p, "to", rule->to.items, rule->to.count, out);
	text_add(out, "      services: [");
	vec_foreach (range, &rule->services) {
		begin_item(i++, out);
		add_service(range, out);
	}
	text_add(out, "]\n");
}

void learned_yaml(const struct compiled *c, const struct learned *l, struct text *out)
{
	add_heading(c->policy, l, out);
	text_add(out, "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: learned}\n");
	text_add(out, l->rules.count ? "spec:\n  rules:\n" : "spec:\n  rules: []\n");
	vec_foreach (rule, &l->rules)
		add_rule(c->policy, rule, out);
}

/* --- JSON --- */

static void json_support(struct json *json, const struct support *s)
{
	char buf[CLOCK_STRLEN];

	json_number(json, "events", s->events);
	json_number(json, "connections", s->connections);
	json_string(json, "first", s->first_ns ? clock_format(s->first_ns, buf) : NULL);
	json_string(json, "last", s->first_ns ? clock_format(s->last_ns, buf) : NULL);
}

static void json_party(struct json *json, const char *key, const struct policy *p,
		       const struct party *party)
{
	_text_ struct text text = TEXT_INIT;

	party_format(p, party, &text);
	if (party->kind != PARTY_PREFIX) {
		json_string(json, key, text.buf);
		return;
	}
	json_object(json, key);
	json_string(json, "cidr", text.buf);
	json_end(json, '}');
}

static void json_service(struct json *json, const char *key, const struct service_range *range)
{
	_text_ struct text text = TEXT_INIT;

	add_service(range, &text);
	json_string(json, key, text.buf);
}

static void json_rule(struct json *json, const struct policy *p, const struct learned_rule *rule)
{
	json_object(json, NULL);
	json_string(json, "name", rule->name);
	json_array(json, "from");
	vec_foreach (party, &rule->from)
		json_party(json, NULL, p, party);
	json_end(json, ']');
	json_array(json, "to");
	vec_foreach (party, &rule->to)
		json_party(json, NULL, p, party);
	json_end(json, ']');
	json_array(json, "services");
	vec_foreach (range, &rule->services)
		json_service(json, NULL, range);
	json_end(json, ']');
	json_support(json, &rule->support);
	json_end(json, '}');
}

static void json_refusal(struct json *json, const struct policy *p, const struct refusal *refusal)
{
	struct cause_text cause = cause_text(p, refusal->cause);
	_text_ struct text place = TEXT_INIT;

	add_place(&cause.at, &place);
	json_object(json, NULL);
	json_party(json, "from", p, &refusal->from);
	json_party(json, "to", p, &refusal->to);
	json_service(json, "service", &refusal->service);
	json_string(json, "cause", cause.kind);
	json_string(json, "name", cause.name);
	json_string(json, "at", place.buf);
	json_support(json, &refusal->support);
	json_end(json, '}');
}

void learned_json(const struct compiled *c, const struct learned *l, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_array(&json, "rules");
	vec_foreach (rule, &l->rules)
		json_rule(&json, c->policy, rule);
	json_end(&json, ']');
	json_array(&json, "refused");
	vec_foreach (refusal, &l->refusals)
		json_refusal(&json, c->policy, refusal);
	json_end(&json, ']');
	json_support(&json, &l->support);
	json_end(&json, '}');
	text_addc(out, '\n');
}
