/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "agent/control/answer.h"
#include "agent/control/words.h"
#include "policy/model.h"
#include "util/clock.h"

struct listing {
	const struct agent *agent;
	uint32_t now; /* ticks */
	struct text *out;
};

static void add_end(struct json *j, const char *key, const struct event_end *names,
		    const struct bh_addr *addr, const uint16_t *port)
{
	char ip[ADDRESS_STRLEN];

	json_object(j, key);
	json_string(j, "ip", addr_format(addr, ip));
	if (port)
		json_number(j, "port", *port);
	json_string(j, "workload", names->workload);
	json_string(j, "zone", names->zone);
	json_end(j, '}');
}

static void add_ends(struct json *j, const struct naming *naming, const struct connection *conn)
{
	const struct bh_conn_key *key = &conn->key;
	unsigned int src = conn->line.opener & 1, dst = !src;
	uint16_t sport = ntohs(key->port[src]), dport = ntohs(key->port[dst]);
	bool has_ports = protocol_has_ports(key->proto);
	struct event_end names;

	naming_end(naming, conn->line.generation, 0, &key->addr[src], &names);
	add_end(j, "src", &names, &key->addr[src], has_ports ? &sport : NULL);
	naming_end(naming, conn->line.generation, 0, &key->addr[dst], &names);
	add_end(j, "dst", &names, &key->addr[dst], has_ports ? &dport : NULL);
}

static void add_halves(struct json *j, const struct connection *conn)
{
	json_array(j, "packets");
	json_number(j, NULL, conn->packets[0]);
	json_number(j, NULL, conn->packets[1]);
	json_end(j, ']');
	json_array(j, "bytes");
	json_number(j, NULL, conn->bytes[0]);
	json_number(j, NULL, conn->bytes[1]);
	json_end(j, ']');
}

/* Packets go on while we read: a time may lie after our now. */
static uint64_t seconds_since(uint32_t then, uint32_t now)
{
	return (int32_t)(now - then) > 0 ? BH_S_OF_TICKS(now - then) : 0;
}

static bool list_connection(const struct connection *conn, void *user)
{
	const struct listing *l = user;
	uint64_t idle_s = seconds_since(conn->line.seen, l->now);
	uint64_t timeout_s = datapath_timeout_s(conn);
	const struct naming *naming = &l->agent->naming;
	struct json j = {.out = l->out};
	char word[WORD_STRLEN];

	if (idle_s >= timeout_s)
		return true; /* it has expired, and waits for the sweep */
	json_object(&j, NULL);
	json_string(&j, "protocol", protocol_word(conn->key.proto, word));
	add_ends(&j, naming, conn);
	json_string(&j, "state", conn_state_word(conn->line.state));
	json_string(&j, "verdict", verdict_word(conn->line.verdict));
	json_string(&j, "rule", naming_rule(naming, conn->line.generation, conn->line.rule));
	json_number(&j, "generation", conn->line.generation);
	json_string(&j, "endpoint", endpoints_name(&l->agent->endpoints, conn->key.endpoint));
	json_number(&j, "age_s", seconds_since(conn->created, l->now));
	json_number(&j, "idle_s", idle_s);
	json_number(&j, "expires_s", timeout_s - idle_s);
	add_halves(&j, conn);
	json_end(&j, '}');
	text_addc(l->out, '\n');
	return true;
}

void list_connections(struct agent *a, struct text *out)
{
	struct listing l = {.agent = a, .now = BH_TICKS(clock_monotonic_ns()), .out = out};

	datapath_each_connection(a->dp, list_connection, &l);
}
