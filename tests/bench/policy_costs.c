/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/policy_costs.h"

#include <errno.h>
#include <time.h>

#include "datapath/internal.h"
#include "policy/address_change.h"
#include "tests/bench/agent_start.h"
#include "tests/bench/bed.h"
#include "tests/bench/figures.h"
#include "tests/bench/filters.h"
#include "util/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define ADDRESSES 1000

/* Goals, in the metrics' units. */
struct size {
	const char *name;
	uint32_t count; /* of addresses that others load; 0: they load none */
	struct shape shape;
	int runs, starts;
	double whole_ms, tables_ms, rule_ms;
	struct agent_goals agent;
};

/* clang-format off */
static const struct size sizes[] = {
	{"10k-rules",   10000, {10000, 10000,  10000, 0, 0, 0}, 5, 3,  30,  3,  0, {0, 0, 0}},
	{"100k-rules", 100000, {10000, 10000, 100000, 0, 0, 0}, 3, 3, 300, 30, 50, {60, 8, 64}},
	{"1M-identities",   0, {1000000, 1000000, 10000, 0, 0, 0}, 1, 1, 0, 0, 0, {0, 0, 0}},
};

#define FIGURES(X)                                                      \
	X(READ,     "read",          "ms")                              \
	X(COMPILE,  "compile",       "ms")                              \
	X(TABLES,   "tables",        "ms") /* written, and verified */  \
	X(WHOLE,    "policy",        "ms") /* all of these */           \
	X(RULE_READ, "rule-changed-read", "ms") /* of a policy that differs in one rule */ \
	X(RULE_COMPILE, "rule-changed-compile", "ms")                   \
	X(RULE_CHECK, "rule-changed-check", "ms") /* stages of the swap, on the wall */ \
	X(RULE_COUNTS, "rule-changed-counts", "ms")                     \
	X(RULE_PREFIXES, "rule-changed-prefixes", "ms")                 \
	X(RULE_TABLES, "rule-changed-tables", "ms")                     \
	X(RULE_FLIP, "rule-changed-flip", "ms") /* and nobody reads the old ones */ \
	X(RULE,     "rule-changed",  "ms") /* all of these but reading */           \
	X(IDLE,     "rule-changed-tidy", "ms") /* afterwards, when there is time */ \
	X(SWITCH,   "switch",        "us") /* the word that says what is in force */ \
	X(ADDRESS,  "address-changed", "us")

/* clang-format on */

FIGURES_DEFINE(FIGURES);

/* CPU time of this process: others use the machine, too. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static double ms_between(uint64_t start, uint64_t end)
{
	return (double)(end - start) / 1e6;
}

/* When what was done, of the CPU. */
struct course {
	uint64_t start, read, compiled, taken, end;
	struct datapath_swap swap;
};

static double ms_of_all(const struct course *c)
{
	return ms_between(c->start, c->compiled) + ms_between(c->taken, c->end);
}

static void note_whole(const struct course *c, samples *seen)
{
	vec_push(&seen[FIGURE_READ], ms_between(c->start, c->read));
	vec_push(&seen[FIGURE_COMPILE], ms_between(c->read, c->compiled));
	vec_push(&seen[FIGURE_TABLES], ms_between(c->taken, c->end));
	vec_push(&seen[FIGURE_WHOLE], ms_of_all(c));
}

static void note_rule(const struct course *c, samples *seen)
{
	vec_push(&seen[FIGURE_RULE_READ], ms_between(c->start, c->read));
	vec_push(&seen[FIGURE_RULE_COMPILE], ms_between(c->read, c->compiled));
	for (int i = 0; i < SWAP_STAGES; i++)
		vec_push(&seen[FIGURE_RULE_CHECK + i], (double)c->swap.ns[i] / 1e6);
	vec_push(&seen[FIGURE_RULE], ms_of_all(c) - ms_between(c->start, c->read));
}

/* What the agent does when there is time. */
static int tidy(struct bed *bed, samples *seen)
{
	uint64_t start = cpu_ns();
	int err;

	while ((err = datapath_tidy(bed->dp)) > 0)
		;
	vec_push(&seen[FIGURE_IDLE], ms_between(start, cpu_ns()));
	return err;
}

/* Text to tables in force; @is_changed: one rule is another than in the policy in force. */
static int put_in_force(struct bed *bed, bool is_changed, samples *seen)
{
	_text_ struct text text = TEXT_INIT;
	struct policy *policy;
	struct compiled *compiled;
	struct course c;
	int err;

	shape_text(&bed->shape, is_changed, &text);
	c.start = cpu_ns();
	policy = shape_read(&text);
	c.read = cpu_ns();
	err = bed_compile(policy, is_changed ? bed->compiled : NULL, &compiled);
	c.compiled = cpu_ns();
	if (err)
		return err;
	bed_take(bed, policy, compiled);
	c.taken = cpu_ns(); /* to free the old policy is not part of it */
	err = bed_swap(bed, &c.swap);
	c.end = cpu_ns();
	if (err)
		return err;
	if (is_changed)
		note_rule(&c, seen);
	else
		note_whole(&c, seen);
	return tidy(bed, seen);
}

static void flip_switch(struct bed *bed, samples *seen)
{
	uint64_t start = clock_monotonic_ns();

	for (int i = 0; i < ADDRESSES; i++)
		slots_raise(bed->dp);
	vec_push(&seen[FIGURE_SWITCH], (double)(clock_monotonic_ns() - start) / 1e3 / ADDRESSES);
}

static int change_addresses(struct bed *bed, samples *seen)
{
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		const struct bh_addr a = shape_other(i / 2);
		struct address_entry entry;
		struct datapath_swap swap;
		uint64_t start = cpu_ns();
		int err = i % 2 ? address_remove(bed->compiled, &a, &entry)
				: address_add(bed->compiled, &a, 1, &entry);

		if (!err)
			err = datapath_set_identity(bed->dp, &entry.addr, entry.identity,
						    entry.is_listed);
		/* Where an address finds no place the whole is put in force, as by the agent. */
		if (err == -ENOSPC)
			err = bed_swap(bed, &swap);
		if (err)
			return err;
		vec_push(&seen[FIGURE_ADDRESS], (double)(cpu_ns() - start) / 1e3);
	}
	return 0;
}

static double goal_of(const struct size *size, enum figure_id id)
{
	const double goals[FIGURE_COUNT] = {
		[FIGURE_TABLES] = size->tables_ms,
		[FIGURE_WHOLE] = size->whole_ms,
		[FIGURE_RULE] = size->rule_ms,
		[FIGURE_SWITCH] = 1,
		[FIGURE_ADDRESS] = 10,
	};

	return goals[id];
}

/* The time that loading as many addresses takes others stands beside our whole. */
static void add_loads(const struct size *size, struct results *results)
{
	static const char *const kinds[] = {"nft-set", "ipset", "iptables-legacy"};
	_text_ struct text name = TEXT_INIT;
	struct metric *m;

	text_addf(&name, "policy-%s", size->name);
	m = results_find(results, name.buf);
	for (size_t i = 0; m && size->count && i < COUNT(kinds); i++) {
		struct peer_figure peer = {.name = xstrdup(kinds[i])};
		int err = filter_time_load(kinds[i], size->count, &peer.figure.median);

		if (err)
			peer.problem = err == -ENOENT ? "not installed" : "does not load";
		vec_push(&m->peers, peer);
	}
}

static int measure_size(const struct size *size, struct results *results)
{
	samples seen[FIGURE_COUNT] = {};
	struct bed bed;
	int err = bed_open(NULL, &size->shape, 0, &bed);

	if (err)
		return err;
	for (int i = 0; !err && i < size->runs; i++) {
		err = put_in_force(&bed, false, seen);
		if (!err)
			err = put_in_force(&bed, true, seen);
	}
	if (!err)
		err = change_addresses(&bed, seen);
	if (!err)
		flip_switch(&bed, seen);
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_add(&figures[i], size->name, &seen[i], goal_of(size, i), NULL, results);
	add_loads(size, results);
	bed_release(&bed);
	if (!err)
		agent_start_measure(&size->shape, size->name, size->starts, &size->agent, results);
	return err;
}

int policy_costs_measure(bool is_long, struct results *results)
{
	int err = 0;

	for (size_t i = 0; !err && i < (is_long ? COUNT(sizes) : 1); i++) {
		fprintf(stderr, "policies: %s\n", sizes[i].name);
		err = measure_size(&sizes[i], results);
	}
	return err;
}
