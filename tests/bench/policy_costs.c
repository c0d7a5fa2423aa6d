/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/policy_costs.h"

#include <time.h>

#include "policy/address_change.h"
#include "tests/bench/agent_start.h"
#include "tests/bench/bed.h"
#include "util/mem.h"
#include "util/text.h"

#define ADDRESSES 1000

/* Goals, in the metrics' units. */
struct size {
	const char *name;
	struct shape shape;
	int runs;
	double whole_ms, tables_ms, rule_ms, start_ms;
};

/* clang-format off */
static const struct size sizes[] = {
	{"10k-rules",  {10000, 10000, 10000, 0, false},  5, 30,  3,  0,  0},
	{"100k-rules", {10000, 10000, 100000, 0, false}, 3, 300, 30, 50, 60},
};

#define FIGURES(X)                                                      \
	X(READ,     "read",          "ms")                              \
	X(COMPILE,  "compile",       "ms")                              \
	X(TABLES,   "tables",        "ms") /* written, and verified */  \
	X(FLIP,     "flip",          "us") /* and nobody reads the old ones */ \
	X(WHOLE,    "policy",        "ms") /* all of these */           \
	X(RULE,     "rule-changed",  "ms") /* the same, of a policy that differs in one rule */ \
	X(ADDRESS,  "address-changed", "us")

enum figure_id {
#define X(id, name, unit) FIGURE_##id,
	FIGURES(X)
#undef X
	FIGURE_COUNT
};
/* clang-format on */

static const struct {
	const char *name, *unit;
} figures[] = {
#define X(id, name, unit) {name, unit},
	FIGURES(X)
#undef X
};

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

/* Text to tables in force; @is_changed: one rule is another than in the policy in force. */
static int put_in_force(struct bed *bed, bool is_changed, samples *seen)
{
	_text_ struct text text = TEXT_INIT;
	struct policy *policy;
	struct compiled *compiled;
	struct datapath_swap swap;
	uint64_t start, read, done, taken, end;
	int err;

	shape_text(&bed->shape, is_changed, &text);
	start = cpu_ns();
	policy = shape_read(&text);
	read = cpu_ns();
	err = bed_compile(policy, is_changed ? bed->compiled : NULL, &compiled);
	done = cpu_ns();
	if (err)
		return err;
	bed_take(bed, policy, compiled);
	taken = cpu_ns(); /* to free the old policy is not part of it */
	err = bed_swap(bed, &swap);
	end = cpu_ns();
	if (is_changed) {
		vec_push(&seen[FIGURE_RULE], ms_between(start, done) + ms_between(taken, end));
		return err;
	}
	vec_push(&seen[FIGURE_READ], ms_between(start, read));
	vec_push(&seen[FIGURE_COMPILE], ms_between(read, done));
	vec_push(&seen[FIGURE_TABLES], ms_between(taken, end));
	vec_push(&seen[FIGURE_FLIP], (double)swap.ns[SWAP_FLIP] / 1e3);
	vec_push(&seen[FIGURE_WHOLE], ms_between(start, done) + ms_between(taken, end));
	return err;
}

static int change_addresses(struct bed *bed, samples *seen)
{
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		const struct bh_addr a = shape_other(i / 2);
		struct address_entry entry;
		uint64_t start = cpu_ns();
		int err = i % 2 ? address_remove(bed->compiled, &a, &entry)
				: address_add(bed->compiled, &a, 1, &entry);

		if (!err)
			err = datapath_set_identity(bed->dp, &entry.addr, entry.identity,
						    entry.is_listed);
		if (err)
			return err;
		vec_push(&seen[FIGURE_ADDRESS], (double)(cpu_ns() - start) / 1e3);
	}
	return 0;
}

static double goal_of(const struct size *size, enum figure_id id)
{
	switch (id) {
	case FIGURE_TABLES:
		return size->tables_ms;
	case FIGURE_WHOLE:
		return size->whole_ms;
	case FIGURE_RULE:
		return size->rule_ms;
	case FIGURE_ADDRESS:
		return 10;
	case FIGURE_READ:
	case FIGURE_COMPILE:
	case FIGURE_FLIP:
	case FIGURE_COUNT:
		break;
	}
	return 0;
}

static void add_figures(const struct size *size, samples *seen, struct results *results)
{
	for (int i = 0; i < FIGURE_COUNT; i++) {
		_text_ struct text name = TEXT_INIT;

		text_addf(&name, "%s-%s", figures[i].name, size->name);
		results_add(results, &(struct metric){
					     .name = text_take(&name),
					     .unit = figures[i].unit,
					     .figure = figure_of(&seen[i]),
					     .goal = goal_of(size, i),
				     });
		vec_release(&seen[i]);
	}
}

static void add_memory(const struct bed *bed, const struct size *size, struct results *results)
{
	struct table_fill tables[32];
	size_t count = datapath_tables(bed->dp, tables, COUNT(tables));
	_text_ struct text name = TEXT_INIT;
	double bytes = 0;

	for (size_t i = 0; i < count && i < COUNT(tables); i++)
		bytes += (double)tables[i].bytes;
	text_addf(&name, "maps-%s", size->name);
	results_add(results, &(struct metric){.name = text_take(&name),
					      .unit = "MB",
					      .figure = {bytes / 1e6, bytes / 1e6, bytes / 1e6},
					      .goal = 64});
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
		add_memory(&bed, size, results);
	add_figures(size, seen, results);
	bed_release(&bed);
	return err ? err : agent_start_measure(&size->shape, size->name, size->start_ms, results);
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
