/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/measure.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/bench/consumer.h"
#include "tests/bench/lookup.h"
#include "util/mem.h"

#define FRESH_PORT  20000 /* and up: new flows of clients whose established ones are below */
#define FRESH_PORTS 45000
#define EVENT_BURST 16384 /* packets: half of what finds room among events */
#define CHURN_TURNS 5
#define CHURN_NS    1e7   /* between two changes */
#define LAPS        20    /* of a round: the first ones fill the caches, which others had... */
#define LAP_WARM    10000 /* ...where they may hold a lap */
#define FLOWS_SLOW  500000
#define ROUNDS_SLOW 7
#define WAIT_US     50
#define WAITS       20000

/* A task on its way. */
struct course {
	struct bed *bed;
	const struct task *task;
	const struct effort *effort;
	struct consumer *consumer; /* NULL: events are limited to nearly none */
	struct lookup *lookup;     /* what is measured instead; NULL: our program */
	uint64_t delivered;        /* before it began */
	struct shape_frame frame;
	struct burst burst;
	uint32_t turns; /* bursts in a round */
	uint32_t changes;
	const char *problem;
};

static const char *kind_word(enum bench_kind kind)
{
	static const char *const words[BENCH_KIND_COUNT] = {
#define X(id, word) [BENCH_##id] = (word),
		BENCH_KINDS(X)
#undef X
	};

	assert(kind < BENCH_KIND_COUNT);
	return words[kind];
}

static enum shape_packet packet_of(enum bench_kind kind)
{
	switch (kind) {
	case BENCH_NEW:
	case BENCH_LOOKUP:
		return SHAPE_SYN;
	case BENCH_NEW_UDP:
		return SHAPE_UDP;
	case BENCH_DENIED:
	case BENCH_DENIED_EVENT:
		return SHAPE_DENIED;
	case BENCH_TRANSIT:
		return SHAPE_TRANSIT;
	case BENCH_ESTABLISHED:
	case BENCH_REVOKED:
	case BENCH_CHURN:
	case BENCH_KIND_COUNT:
		break;
	}
	return SHAPE_ACK;
}

/* So many that one is forgotten when its turn comes again. */
static uint32_t fresh_flows(const struct shape *shape)
{
	uint64_t flows = (uint64_t)shape->addresses * FRESH_PORTS;

	return flows > UINT32_MAX ? 0 : (uint32_t)flows;
}

/* At least a lap: each flow, or who may open one, has its turn. */
static uint32_t packets_of(const struct course *c, uint32_t lap)
{
	uint32_t least = lap > LAP_WARM ? lap : LAPS * lap;

	return c->effort->packets < least ? least : c->effort->packets;
}

static void plan_turns(struct course *c, uint32_t flows)
{
	uint32_t packets = c->effort->packets;

	c->turns = 1;
	switch (c->task->kind) {
	case BENCH_ESTABLISHED:
	case BENCH_TRANSIT:
		c->burst.packets = packets_of(c, flows);
		break;
	case BENCH_NEW:
	case BENCH_NEW_UDP:
	case BENCH_DENIED:
	case BENCH_LOOKUP:
		c->burst.packets = packets_of(c, c->bed->shape.addresses);
		break;
	case BENCH_REVOKED:
		assert(flows);
		c->burst.packets = flows;
		c->turns = packets / 2 / flows + 1;
		break;
	case BENCH_DENIED_EVENT:
		c->burst.packets = EVENT_BURST;
		c->turns = packets / EVENT_BURST + 1;
		break;
	case BENCH_CHURN:
		c->burst.packets = packets;
		c->turns = CHURN_TURNS;
		break;
	case BENCH_KIND_COUNT:
		break;
	}
}

static bool is_of_fresh_flows(enum bench_kind kind)
{
	return kind == BENCH_NEW || kind == BENCH_NEW_UDP;
}

static void plan_course(struct course *c)
{
	const struct task *task = c->task;
	bool is_fresh = is_of_fresh_flows(task->kind);
	uint32_t flows = is_fresh ? fresh_flows(&c->bed->shape) : task->flows;

	c->burst = bed_burst(c->bed, packet_of(task->kind), task->is_v6, flows, &c->frame);
	if (is_fresh)
		c->burst.plan.port = c->burst.plan.first_port = FRESH_PORT;
	plan_turns(c, flows);
}

/* --- a round --- */

/* All events of the burst before have been read. */
static void wait_for_consumer(struct course *c)
{
	uint64_t lost;

	for (int i = 0; i < WAITS; i++) {
		uint64_t wanted = bed_delivered(c->bed, &lost) - c->delivered;

		if (consumer_count(c->consumer) >= wanted)
			return;
		usleep(WAIT_US);
	}
}

static int prepare(struct course *c)
{
	struct datapath_swap swap;

	if (c->consumer)
		wait_for_consumer(c);
	else
		bed_drain(c->bed);
	if (c->task->kind == BENCH_REVOKED)
		return bed_swap(c->bed, &swap);
	return c->task->kind == BENCH_CHURN ? bed_change_address(c->bed, c->changes++) : 0;
}

/* A program that does nothing needs nothing. */
static int run(struct course *c, const struct target *target, double *ret_ns)
{
	uint32_t turns = target->fd < 0 ? 1 : c->turns;
	double sum = 0;

	for (uint32_t i = 0; i < turns; i++) {
		double ns;
		int action, err = target->fd < 0 ? 0 : prepare(c);

		if (!err)
			err = wrapper_run(c->bed->wrapper, target, &c->burst, &ns, &action);
		if (err)
			return err;
		sum += ns;
		if (c->task->kind == BENCH_CHURN)
			c->burst.packets = (uint32_t)(CHURN_NS / (ns + 1));
	}
	*ret_ns = sum / turns;
	return 0;
}

/* Whether our program did with all packets what the metric says that it does. */
static int run_ours(struct course *c, double *ret_ns)
{
	const struct target ours = {
		c->task->hook,
		c->lookup ? lookup_program(c->lookup, c->task->is_v6)
			  : bed_program(c->bed, c->task->hook, false),
	};
	bool is_denied = packet_of(c->task->kind) == SHAPE_DENIED;
	uint64_t drops = bed_drops(c->bed), lost, lost_before;
	int err;

	bed_delivered(c->bed, &lost_before);
	err = run(c, &ours, ret_ns);
	if (err)
		return err;
	bed_delivered(c->bed, &lost);
	drops = bed_drops(c->bed) - drops;
	if (drops != (is_denied ? (uint64_t)c->burst.packets * c->turns : 0))
		c->problem = is_denied ? "not all packets were denied"
				       : "not all packets were of known connections, or allowed";
	if (c->lookup && !lookup_identity(c->lookup))
		c->problem = "no identity was found";
	if (c->task->kind == BENCH_DENIED_EVENT && lost != lost_before)
		c->problem = "events were lost";
	return 0;
}

/* --- rounds --- */

struct rounds {
	samples noop, ours;
	VEC(samples) peers;
};

static void release_rounds(struct rounds *rounds)
{
	vec_release(&rounds->noop);
	vec_release(&rounds->ours);
	vec_foreach (peer, &rounds->peers)
		vec_release(peer);
	vec_release(&rounds->peers);
}

/* Only ours can be told that its policy changes, and only ours shows a part of itself. */
static bool takes_part(const struct peer *peer, const struct task *task)
{
	if (peer->target.hook != task->hook || task->kind == BENCH_LOOKUP)
		return false;
	return !peer->is_agent || task->kind == BENCH_ESTABLISHED || task->kind == BENCH_NEW ||
	       task->kind == BENCH_DENIED;
}

static int run_peers(struct course *c, double noop, struct rounds *rounds)
{
	for (size_t i = 0; i < c->effort->peers.count; i++) {
		const struct peer *peer = &c->effort->peers.items[i];
		double ns;
		int err;

		if (!takes_part(peer, c->task))
			continue;
		err = run(c, &peer->target, &ns);
		if (err)
			return err;
		vec_push(&rounds->peers.items[i], ns - noop);
	}
	return 0;
}

static int run_round(struct course *c, struct rounds *rounds)
{
	const struct target nothing = {c->task->hook, -1};
	double noop, ours;
	int err = run(c, &nothing, &noop);

	if (!err)
		err = run_ours(c, &ours);
	if (err)
		return err;
	vec_push(&rounds->noop, noop);
	vec_push(&rounds->ours, ours - noop);
	return run_peers(c, noop, rounds);
}

/* Rounds that take seconds are fewer. */
static uint32_t rounds_of(const struct course *c)
{
	uint32_t most = c->effort->rounds;

	return c->task->flows > FLOWS_SLOW && most > ROUNDS_SLOW ? ROUNDS_SLOW : most;
}

/* The first round is thrown away: it fills caches. */
static int run_rounds(struct course *c, struct rounds *rounds)
{
	for (size_t i = 0; i < c->effort->peers.count; i++)
		vec_push(&rounds->peers, (samples){});
	for (uint32_t i = 0; i <= rounds_of(c) && !c->problem; i++) {
		int err = run_round(c, rounds);

		if (err)
			return err;
		if (i)
			continue;
		rounds->noop.count = rounds->ours.count = 0;
		vec_foreach (peer, &rounds->peers)
			peer->count = 0;
	}
	return 0;
}

static char *name_of(const struct task *task)
{
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, "%s-%s-%s-%s", kind_word(task->kind),
		  task->hook == BENCH_XDP ? "xdp" : "tc", task->is_v6 ? "v6" : "v4", task->size);
	return text_take(&name);
}

void measure_not(const struct task *task, const char *why, struct results *results)
{
	const struct metric m = {
		.name = name_of(task),
		.unit = "ns",
		.goal = task->goal,
		.problem = xstrdup(why),
	};

	results_add(results, &m);
}

static void add_metric(struct course *c, struct rounds *rounds, struct results *results)
{
	struct metric m = {
		.name = name_of(c->task),
		.unit = "ns",
		.goal = c->task->goal,
		.figure = figure_of(&rounds->ours),
		.noop = figure_of(&rounds->noop),
	};

	for (size_t i = 0; i < rounds->peers.count; i++) {
		const char *name = c->effort->peers.items[i].name;

		if (rounds->peers.items[i].count)
			vec_push(&m.peers, (struct peer_figure){
						   .name = xstrdup(name),
						   .figure = figure_of(&rounds->peers.items[i]),
					   });
	}
	results_add(results, &m);
}

static bool needs_connections(enum bench_kind kind)
{
	return packet_of(kind) == SHAPE_ACK;
}

/* Peers see the handshakes, too. */
static int establish(struct course *c)
{
	const struct task *task = c->task;
	int err = bed_establish(c->bed, task->hook, task->is_v6, task->flows);

	vec_foreach (peer, &c->effort->peers) {
		const struct handshake handshake = {peer->target, peer->reply, task->is_v6,
						    task->flows};

		if (!err && takes_part(peer, task))
			err = bed_shake_hands(c->bed, &handshake);
	}
	return err;
}

static int begin(struct course *c)
{
	const struct task *task = c->task;
	uint64_t lost;
	int err = 0;

	plan_course(c);
	if (needs_connections(task->kind))
		err = establish(c);
	if (err == -ENOSPC) {
		c->problem = "the table does not hold so many connections";
		return 0;
	}
	c->delivered = bed_delivered(c->bed, &lost);
	if (!err && task->kind == BENCH_DENIED_EVENT)
		err = consumer_begin(c->bed, &c->consumer);
	if (!err && task->kind == BENCH_LOOKUP)
		err = lookup_open(c->bed, &c->lookup);
	return err;
}

int measure(struct bed *bed, const struct task *task, const struct effort *effort,
	    struct results *results)
{
	struct course c = {.bed = bed, .task = task, .effort = effort};
	struct rounds rounds = {};
	int err = begin(&c);

	if (!err)
		err = run_rounds(&c, &rounds);
	if (!err && c.problem)
		measure_not(task, c.problem, results);
	else if (!err)
		add_metric(&c, &rounds, results);
	consumer_end(c.consumer);
	lookup_free(c.lookup);
	release_rounds(&rounds);
	return err;
}
