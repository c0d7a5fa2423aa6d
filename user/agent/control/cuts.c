/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/cuts.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/icmpv6.h>
#include <netinet/ip_icmp.h>

#include "agent/control/words.h"
#include "util/clock.h"
#include "util/map.h"
#include "util/mem.h"

/* Who opened what to whom. */
struct opened {
	const struct bh_addr *src, *dst;
	uint16_t sport, dport;
	uint8_t proto;
};

struct search {
	struct agent *agent;
	const struct policy_version *next;
	struct map seen;  /* keys, whatever the endpoint */
	struct map rules; /* names, into cuts->rules */
	uint32_t now;     /* ticks */
	bool has_session;
	struct bh_addr session_addr[2];
	uint16_t session_port[2];
	bool is_session_known; /* there is a connection of it */
	struct cuts *cuts;
};

bool session_parse(const char *s, struct bh_addr ret_addr[2], uint16_t ret_port[2])
{
	_free_ char *copy = xstrdup(s);
	char *rest = copy;
	struct bh_addr addr[2];
	uint64_t port[2];

	for (int i = 0; i < 2; i++) {
		const char *address = strsep(&rest, " ");
		const char *number = rest ? strsep(&rest, " ") : NULL;

		if (!number || addr_parse(address, &addr[i]) ||
		    !text_to_u64(number, 1, UINT16_MAX, &port[i]))
			return false;
	}
	for (int i = 0; i < 2; i++) {
		ret_addr[i] = addr[i];
		ret_port[i] = (uint16_t)port[i];
	}
	return !rest;
}

static struct opened opened_of(const struct connection *conn)
{
	const struct bh_conn_key *key = &conn->key;
	unsigned int src = conn->line.opener & 1, dst = !src;

	return (struct opened){&key->addr[src], &key->addr[dst], ntohs(key->port[src]),
			       ntohs(key->port[dst]), key->proto};
}

static bool passes(const struct policy_version *v, const struct opened *o)
{
	const struct image *image = &v->compiled->image;
	uint16_t icmp = o->proto == IPPROTO_ICMP ? ICMP_ECHO << 8 : ICMPV6_ECHO_REQUEST << 8;
	struct service_number service = protocol_service(o->proto, o->dport, icmp);
	uint32_t class = image_service_class(image, service.table, service.number);
	uint32_t cell = image_cell_at(image, image_row(image, o->src, o->dst), class,
				      clock_wall_s());

	return BH_VERDICT_PASSES(BH_CELL_VERDICT(cell));
}

/* What a built-in rule allowed stays allowed, as in the programs. */
static bool is_of_policy(uint32_t rule)
{
	return rule >= BH_RULE_FIRST || rule == BH_BUILTIN_DEFAULT || rule == BH_BUILTIN_FAILSAFE ||
	       rule == BH_BUILTIN_DOWN;
}

static struct cut_rule *find_rule(struct search *s, const char *name)
{
	bool is_new;
	size_t place = map_put(&s->rules, name, strlen(name), s->cuts->rules.count, &is_new)[0];

	if (is_new)
		vec_push(&s->cuts->rules, (struct cut_rule){.name = xstrdup(name)});
	return &s->cuts->rules.items[place];
}

static void describe_end(const struct search *s, const struct bh_addr *addr, uint32_t generation,
			 uint16_t port, struct text *out)
{
	struct event_end names;
	char ip[ADDRESS_STRLEN];
	bool is_v6 = !addr_is_v4(addr);

	naming_end(&s->agent->naming, generation, 0, addr, &names);
	text_addf(out, "%s ", names.workload ? names.workload : names.zone ? names.zone : "?");
	text_addf(out, port && is_v6 ? "[%s]" : "%s", addr_format(addr, ip));
	if (port)
		text_addf(out, ":%u", port);
}

static char *describe(const struct search *s, const struct connection *conn, const struct opened *o)
{
	bool has_ports = protocol_has_ports(o->proto);
	_text_ struct text out = TEXT_INIT;
	char word[WORD_STRLEN];

	describe_end(s, o->src, conn->line.generation, has_ports ? o->sport : 0, &out);
	text_add(&out, " -> ");
	describe_end(s, o->dst, conn->line.generation, has_ports ? o->dport : 0, &out);
	text_addf(&out, " %s", protocol_word(o->proto, word));
	return text_take(&out);
}

static void add_cut(struct search *s, const struct connection *conn, const struct opened *o)
{
	const char *name = naming_rule(&s->agent->naming, conn->line.generation, conn->line.rule);
	struct cut_rule *rule = find_rule(s, name ? name : "of an earlier policy");

	s->cuts->count++;
	rule->count++;
	if (rule->examples.count < CUT_EXAMPLES)
		vec_push(&rule->examples, describe(s, conn, o));
}

static bool is_session(const struct search *s, const struct opened *o)
{
	return s->has_session && o->proto == IPPROTO_TCP &&
	       !addr_cmp(o->src, &s->session_addr[0]) && !addr_cmp(o->dst, &s->session_addr[1]) &&
	       o->sport == s->session_port[0] && o->dport == s->session_port[1];
}

static bool is_expired(const struct search *s, const struct connection *conn)
{
	uint32_t idle = s->now - conn->line.seen;

	return (int32_t)idle > 0 && BH_S_OF_TICKS(idle) >= datapath_timeout_s(conn);
}

static bool look_at(const struct connection *conn, void *user)
{
	struct search *s = user;
	struct opened o = opened_of(conn);
	struct bh_conn_key key = conn->key;
	bool is_new;

	if (is_expired(s, conn))
		return true;
	s->is_session_known |= is_session(s, &o);
	if (!is_of_policy(conn->line.rule) || passes(s->next, &o))
		return true;
	key.endpoint = 0;
	map_put(&s->seen, &key, sizeof(key), 0, &is_new);
	if (!is_new)
		return true;
	s->cuts->has_session |= is_session(s, &o);
	add_cut(s, conn, &o);
	return true;
}

/*
 * A session from before the agent has no entry until its next packet, and one that failsafe keeps
 * needs none: then it counts what the policies say of it.
 */
static bool is_lost_unseen(const struct search *s)
{
	const struct opened o = {&s->session_addr[0], &s->session_addr[1], s->session_port[0],
				 s->session_port[1], IPPROTO_TCP};
	bool has_host = false;

	if (!s->has_session || s->is_session_known || !s->agent->policies.current)
		return false;
	vec_foreach (e, &s->agent->endpoints.list)
		has_host |= e->kind == BH_ENDPOINT_IS_HOST;
	return has_host && passes(s->agent->policies.current, &o) && !passes(s->next, &o);
}

void cuts_find(struct agent *a, const struct policy_version *next, const char *session,
	       struct cuts *ret)
{
	struct search s = {
		.agent = a,
		.next = next,
		.now = BH_TICKS(clock_monotonic_ns()),
		.cuts = ret,
	};

	*ret = (struct cuts){};
	s.has_session = session && session_parse(session, s.session_addr, s.session_port);
	datapath_each_connection(a->dp, look_at, &s);
	ret->has_session |= is_lost_unseen(&s);
	map_release(&s.seen);
	map_release(&s.rules);
}

void cuts_json(const struct cuts *cuts, struct json *j, const char *key)
{
	json_object(j, key);
	json_number(j, "connections", cuts->count);
	json_bool(j, "own_session", cuts->has_session);
	json_array(j, "rules");
	vec_foreach (rule, &cuts->rules) {
		json_object(j, NULL);
		json_string(j, "rule", rule->name);
		json_number(j, "connections", rule->count);
		json_array(j, "examples");
		vec_foreach (example, &rule->examples)
			json_string(j, NULL, *example);
		json_end(j, ']');
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

void cuts_release(struct cuts *cuts)
{
	vec_foreach (rule, &cuts->rules) {
		vec_foreach (example, &rule->examples)
			free(*example);
		vec_release(&rule->examples);
		free(rule->name);
	}
	vec_release(&cuts->rules);
}
