/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/recording.h"

#include <string.h>

#include "policy/compiled_index.h"
#include "util/cleanup.h"
#include "util/mem.h"

/* No holes: it is compared as bytes. */
struct connection_key {
	struct bh_addr src, dst;
	uint32_t service;
};

static uint32_t add_word(struct recording *r, const char *s)
{
	size_t len = s ? strnlen(s, RECORDING_WORD_LEN + 1) : 0;
	uint64_t *number;
	bool is_new;

	if (!len || len > RECORDING_WORD_LEN)
		return 0;
	number = map_get(&r->word_numbers, s, len);
	if (number)
		return (uint32_t)*number;
	if (r->words.count == RECORDING_WORDS_MAX)
		return 0;
	vec_push(&r->words, xstrdup(s));
	map_put(&r->word_numbers, s, len, r->words.count, &is_new);
	return (uint32_t)r->words.count;
}

const char *recording_word(const struct recording *r, uint32_t word)
{
	return word ? r->words.items[word - 1] : NULL;
}

static struct recorded_connection *find(struct recording *r, const struct recorded_event *event)
{
	const struct connection_key key = {
		.src = event->src.addr,
		.dst = event->dst.addr,
		.service = (uint32_t)event->table << 16 | event->number,
	};
	struct recorded_connection fresh = {
		.src = key.src,
		.dst = key.dst,
		.number = event->number,
		.table = (uint8_t)event->table,
	};
	const uint64_t *place;
	bool is_new;

	if (r->connections.count == RECORDING_CONNECTIONS_MAX) {
		place = map_get(&r->places, &key, sizeof(key));
		return place ? &r->connections.items[*place] : NULL;
	}
	place = map_put(&r->places, &key, sizeof(key), r->connections.count, &is_new);
	if (is_new)
		vec_push(&r->connections, fresh);
	return &r->connections.items[*place];
}

/* Events without a time count in the order in which they come. */
static bool is_latest(const struct recorded_connection *k, const struct recorded_event *event)
{
	return !event->time_ns || event->time_ns >= k->last_ns;
}

void recording_add(struct recording *r, const struct recorded_event *event)
{
	struct recorded_connection *k = find(r, event);

	if (!k) {
		r->left_out += event->count;
		return;
	}
	r->events += event->count;
	k->events += event->count;
	if (is_latest(k, event)) {
		k->verdict = (uint8_t)event->verdict;
		k->rule = add_word(r, event->rule);
		k->src_word = add_word(r, event->src.workload);
		k->dst_word = add_word(r, event->dst.workload);
	}
	if (!event->time_ns)
		return;
	if (!k->first_ns || event->time_ns < k->first_ns)
		k->first_ns = event->time_ns;
	if (event->time_ns > k->last_ns)
		k->last_ns = event->time_ns;
}

void recording_release(struct recording *r)
{
	vec_foreach (word, &r->words)
		free(*word);
	vec_release(&r->words);
	vec_release(&r->connections);
	map_release(&r->places);
	map_release(&r->word_numbers);
}

static bool has_family(const struct identity *id, const struct bh_addr *addr)
{
	return addr_is_v4(addr) ? id->has_v4 : id->has_v6;
}

struct recorded_who recorded_who(const struct compiled *c, const struct recording *r,
				 const struct bh_addr *addr, uint32_t word)
{
	struct recorded_who who = {image_identity(&c->image, addr), compiled_workload(c, addr),
				   false};
	const char *name = recording_word(r, word);
	struct selector s;
	struct list own;

	if (!name || who.workload != POLICY_NONE)
		return who;
	if (!compiled_name(c, name, &s) || s.kind != SELECT_WORKLOAD)
		return who;
	own = lists_get(&c->index->selectors.by_workload, (uint32_t)s.workload);
	for (size_t i = 0; i < own.count; i++) {
		if (has_family(&c->identities.items[own.items[i]], addr))
			return (struct recorded_who){own.items[i], s.workload, true};
	}
	return who;
}

struct decision recorded_decide(const struct compiled *c, const struct recording *r,
				const struct recorded_connection *connection)
{
	struct recorded_who src = recorded_who(c, r, &connection->src, connection->src_word);
	struct recorded_who dst = recorded_who(c, r, &connection->dst, connection->dst_word);
	enum bh_service_table table = (enum bh_service_table)connection->table;
	uint32_t builtin = compiled_builtin(c, src.workload, dst.workload);

	if (builtin)
		return (struct decision){.verdict = BH_VERDICT_ALLOW, .rule = builtin};
	return compiled_decide(c, c->identities.items[src.identity].class,
			       c->identities.items[dst.identity].class,
			       image_service_class(&c->image, table, connection->number));
}
