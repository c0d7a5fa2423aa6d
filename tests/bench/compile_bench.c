/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What compiling costs: time, memory, and the size of the tables.  Prints; judges nothing. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/address_change.h"
#include "policy/compile.h"
#include "policy/compiled_index.h"
#include "policy/grid.h"
#include "tests/bench/bench_policy.h"
#include "tests/bench/cost.h"
#include "util/bitset.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define RUNS 7 /* of which the median is shown */

/* --- compiling --- */

static struct compiled *compile(const struct policy *p)
{
	const struct environment env = {};
	_diags_ struct diags d = {};
	struct compiled *c = NULL;

	if (!policy_compile(p, &env, &d, &c))
		return c;
	diags_print(&d, stderr);
	exit(EXIT_FAILURE);
}

static void time_compile(const struct policy *p)
{
	struct cost costs[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		struct cost start = cost_now();
		struct compiled *c = compile(p);

		costs[i] = cost_since(start);
		compiled_free(c);
	}
	cost_print("compile", cost_median(costs, RUNS));
}

static void time_recompile(const struct policy *p, const struct bench_shape *s)
{
	const struct environment env = {};
	_policy_ struct policy *changed = bench_policy(s);
	struct compiled *old = compile(p);
	struct cost costs[RUNS];
	bool is_reused = true;

	bench_change_rule(changed);
	for (size_t i = 0; i < RUNS; i++) {
		_diags_ struct diags d = {};
		struct compiled *c = NULL;
		struct cost start = cost_now();

		if (policy_recompile(old, changed, &env, &d, &c))
			exit(EXIT_FAILURE);
		costs[i] = cost_since(start);
		is_reused &= c->index->reused > 0;
		compiled_free(c);
	}
	cost_print(is_reused ? "one rule changed: recompile" : "one rule changed: compile anew",
		   cost_median(costs, RUNS));
	compiled_free(old);
}

static void print_peak(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("  %-44s %9.1f MiB\n", "peak memory of the process, text included",
	       (double)usage.ru_maxrss / 1024);
}

/* In a process of its own, so that the peak is that of this policy. */
static void bench_shape_alone(const struct bench_shape *s)
{
	struct cost start = cost_now();
	_policy_ struct policy *p = bench_policy(s);

	cost_print("load (YAML)", cost_since(start));
	time_compile(p);
	print_peak();
	time_recompile(p, s);
}

static void bench_apart(const struct bench_shape *s)
{
	pid_t pid;
	int status;

	printf("%u rules, %u workloads, %u services\n", s->rules, s->workloads, s->ports);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		bench_shape_alone(s);
		fflush(stdout);
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		exit(EXIT_FAILURE);
}

/* --- sizes --- */

struct sizes {
	size_t prefixes, identities, services, grids; /* bytes */
};

static struct sizes sizes_of(const struct image *image)
{
	size_t lines = grid_lines(&image->pairs) + grid_lines(&image->cells);
	size_t blocks = image->pairs.blocks.count + image->cells.blocks.count;

	return (struct sizes){
		.prefixes = prefix_table_entries(image) * sizeof(struct bh_prefix),
		.identities = image->identities.count * sizeof(struct bh_identity),
		.services = BH_SERVICE_LINES * sizeof(struct bh_service_line),
		.grids = lines * sizeof(struct bh_directory_line) +
			 blocks * sizeof(struct bh_block),
	};
}

static bool is_selected(uint32_t set, enum bench_end end, uint32_t number)
{
	return number == (end == BENCH_APP ? set : set % BENCH_TIERS);
}

/* What the rules come to if every (source, destination, port) that they allow is an entry. */
static size_t count_entries(const struct bench_pods *b)
{
	size_t bits = (size_t)b->sets * b->sets * (b->ports + 1);
	_free_ uint64_t *entries = bitset_new(bits);

	for (uint32_t i = 0; i < b->rules; i++) {
		struct bench_rule rule = bench_pods_rule(b, i);

		for (uint32_t from = 0; from < b->sets; from++) {
			if (!is_selected(from, b->from, rule.from))
				continue;
			for (uint32_t to = 0; to < b->sets; to++) {
				size_t pair = (size_t)from * b->sets + to;

				if (is_selected(to, b->to, rule.to))
					bitset_add(entries, pair * (b->ports + 1) + rule.port);
			}
		}
	}
	return bitset_count(entries, bits);
}

#define ENTRY_BYTES (16 + 8) /* a key of two identities and a port, a value */

static void bench_sizes(const char *name, const struct bench_pods *b)
{
	_policy_ struct policy *p = bench_pods_policy(b);
	struct compiled *c = compile(p);
	struct sizes sizes = sizes_of(&c->image);
	size_t ours = sizes.identities + sizes.services + sizes.grids;
	size_t entries = count_entries(b);

	printf("  %-16s %7.1f + %.1f + %.1f = %.1f KiB against %zu entries = %.1f KiB: 1/%.1f\n",
	       name, (double)sizes.grids / 1024, (double)sizes.services / 1024,
	       (double)sizes.identities / 1024, (double)ours / 1024, entries,
	       (double)(entries * ENTRY_BYTES) / 1024, (double)(entries * ENTRY_BYTES) / ours);
	compiled_free(c);
}

static void bench_pod_sizes(void)
{
	/* clang-format off */
	static const struct { const char *name; struct bench_pods pods; } rows[] = {
		{ "app to app",   { 5000, 500, 1000, 20, BENCH_APP,  BENCH_APP,  false } },
		{ "tier to app",  { 5000, 500, 1000, 20, BENCH_TIER, BENCH_APP,  false } },
		{ "tier to tier", { 5000, 500, 1000, 20, BENCH_TIER, BENCH_TIER, false } },
	};
	/* clang-format on */

	printf("5000 pods of 500 label sets, 1000 rules: grids + services + identities, against "
	       "one entry of %d bytes for each (source, destination, port)\n",
	       ENTRY_BYTES);
	for (size_t i = 0; i < COUNT(rows); i++)
		bench_sizes(rows[i].name, &rows[i].pods);
	printf("  (the %zu KiB of services are there whatever the policy; both need prefixes)\n",
	       BH_SERVICE_LINES * sizeof(struct bh_service_line) / 1024);
}

static void bench_identical_rules(void)
{
	printf("identical rules between two tiers of 500 label sets\n");
	for (uint32_t rules = 1; rules <= 100; rules += 99) {
		const struct bench_pods b = {.pods = 5000,
					     .sets = 500,
					     .rules = rules,
					     .ports = 20,
					     .from = BENCH_TIER,
					     .to = BENCH_TIER,
					     .is_same = true};
		_policy_ struct policy *p = bench_pods_policy(&b);
		struct compiled *c = compile(p);
		struct sizes sizes = sizes_of(&c->image);

		printf("  %3u rules %31zu prefix, %zu identity, %zu grid bytes\n", rules,
		       sizes.prefixes, sizes.identities, sizes.grids);
		compiled_free(c);
	}
}

/* --- addresses --- */

#define ADDRESSES 1000 /* added, then removed, one by one */

/* Among the first ones, so that all the others must make room. */
static struct bh_addr new_address(uint32_t i)
{
	return (struct bh_addr){
		{0, 0, htonl(0xffff), htonl(0x0a0000c9 + (i % 200 << 8) + i / 200)}};
}

static void bench_addresses(uint32_t pods)
{
	const struct bench_pods b = {.pods = pods, .sets = 500, .rules = 1000, .ports = 20};
	_policy_ struct policy *p = bench_pods_policy(&b);
	struct compiled *c = compile(p);
	struct address_entry entry;
	struct cost start, add, remove;

	start = cost_now();
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		struct bh_addr a = new_address(i);

		if (address_add(c, &a, i % p->workloads.count, &entry))
			exit(EXIT_FAILURE);
	}
	add = cost_since(start);
	start = cost_now();
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		struct bh_addr a = new_address(i);

		if (address_remove(c, &a, &entry))
			exit(EXIT_FAILURE);
	}
	remove = cost_since(start);
	printf("  beside %6u pods: %21.2f us CPU to add, %.2f us to remove\n", pods,
	       add.cpu_ms * 1e3 / ADDRESSES, remove.cpu_ms * 1e3 / ADDRESSES);
	compiled_free(c);
}

int main(void)
{
	static const struct bench_shape shapes[] = {
		{.workloads = 5000, .rules = 10000, .ports = 200},
		{.workloads = 5000, .rules = 100000, .ports = 200},
	};

	printf("medians of %d; CPU time is what counts on a machine that others use\n", RUNS);
	for (size_t i = 0; i < COUNT(shapes); i++)
		bench_apart(&shapes[i]);
	bench_pod_sizes();
	bench_identical_rules();
	printf("one address of a known kind of pod, without compiling\n");
	bench_addresses(5000);
	bench_addresses(100000);
	return EXIT_SUCCESS;
}
