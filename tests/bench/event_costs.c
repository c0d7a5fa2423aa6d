/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/event_costs.h"

#include "tests/bench/bed.h"
#include "util/mem.h"
#include "util/text.h"

#define PACKETS 16384 /* at once: their events find room */
#define ROUNDS  5     /* of each bed; the first fills caches */

enum telling {
	TELLING_NOTHING,
	TELLING_SUPPRESSED,
	TELLING_ALL,
	TELLING_COUNT,
};

static const struct bed_events tellings[TELLING_COUNT] = {
	[TELLING_NOTHING] = {.is_silent = true},
	[TELLING_SUPPRESSED] = {.rate = 1},
	[TELLING_ALL] = {.rate = 0},
};

static const struct {
	const char *size;
	struct shape shape;
	uint32_t flows;
} sizes[] = {
	{"10", {.identities = 10, .addresses = 10, .rules = 10}, 10},
	{"10k", {.identities = 10000, .addresses = 10000, .rules = 10000}, 10000},
};

/* Events are read between the rounds. */
static int run_rounds(struct bed *bed, uint32_t flows, samples *ns)
{
	const struct target target = {BENCH_XDP, bed_program(bed, BENCH_XDP, false)};
	struct shape_frame frame;
	struct burst burst = bed_burst(bed, SHAPE_DENIED, false, flows, &frame);
	uint64_t count = 0;
	double one;
	int action, err = bed_listen(bed, &count);

	burst.packets = PACKETS;
	for (int i = 0; !err && i < ROUNDS; i++) {
		err = wrapper_run(bed->wrapper, &target, &burst, &one, &action);
		if (!err && i)
			vec_push(ns, one);
		bed_drain(bed);
	}
	return err;
}

static int run_all(struct wrapper *w, size_t size, int times, samples ns[static TELLING_COUNT])
{
	int err = 0;

	for (int i = 0; !err && i < times * TELLING_COUNT; i++) {
		enum telling telling = i % TELLING_COUNT;
		struct bed bed;

		err = bed_open_telling(w, &sizes[size].shape, &tellings[telling], &bed);
		if (err)
			break;
		err = run_rounds(&bed, sizes[size].flows, &ns[telling]);
		bed_release(&bed);
	}
	return err;
}

static void add(const char *what, const char *size, double goal, struct results *results,
		const struct figure figures[static 2])
{
	const struct figure *drop = &figures[0], *told = &figures[1];
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, "%s-%s", what, size);
	results_add(results,
		    &(struct metric){
			    .name = text_take(&name),
			    .unit = "ns",
			    .goal = goal,
			    .noop = *drop,
			    .figure = {told->median - drop->median, told->low - drop->median,
				       told->high - drop->median},
		    });
}

static int measure_size(struct wrapper *w, size_t size, int times, struct results *results)
{
	samples ns[TELLING_COUNT] = {};
	struct figure figures[TELLING_COUNT];
	int err = run_all(w, size, times, ns);

	for (int i = 0; i < TELLING_COUNT; i++) {
		figures[i] = figure_of(&ns[i]);
		vec_release(&ns[i]);
	}
	if (err)
		return err;
	add("suppressed-cost", sizes[size].size, 20, results,
	    (const struct figure[]){figures[TELLING_NOTHING], figures[TELLING_SUPPRESSED]});
	add("event-cost", sizes[size].size, 150, results,
	    (const struct figure[]){figures[TELLING_NOTHING], figures[TELLING_ALL]});
	return 0;
}

int event_costs_measure(struct wrapper *w, bool is_long, struct results *results)
{
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(sizes); i++)
		err = measure_size(w, i, is_long ? 5 : 3, results);
	return err;
}
