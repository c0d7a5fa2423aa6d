/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/events.h"

#include "tests/bench/consumer.h"
#include "tests/bench/event_costs.h"
#include "util/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define PACKETS 2000000 /* a run ends with a wait of 20 ms, which is nobody's */
#define WAIT_US 20
#define WAITS   50000

/* What happened since the start. */
struct tally {
	uint64_t dropped, delivered, lost, read;
};

static struct tally tally_of(const struct bed *bed, const struct consumer *consumer)
{
	struct tally t = {.dropped = bed_drops(bed), .read = consumer_count(consumer)};

	t.delivered = bed_delivered(bed, &t.lost);
	return t;
}

static bool is_all_read(const struct tally *before, const struct tally *now)
{
	return now->read - before->read == now->delivered - before->delivered;
}

struct flood {
	samples per_second, lost;
	bool is_exact; /* delivered + lost = dropped, and all that was delivered was read */
};

static int flood_once(struct bed *bed, const struct consumer *consumer, struct flood *flood)
{
	const struct target target = {BENCH_XDP, bed_program(bed, BENCH_XDP, false)};
	struct shape_frame frame;
	struct burst burst = bed_burst(bed, SHAPE_DENIED, false, 0, &frame);
	struct tally before = tally_of(bed, consumer), now;
	uint64_t start = clock_monotonic_ns(), dropped;
	double ns;
	int action, err;

	burst.packets = PACKETS;
	err = wrapper_run(bed->wrapper, &target, &burst, &ns, &action);
	now = tally_of(bed, consumer);
	for (int i = 0; !err && i < WAITS && !is_all_read(&before, &now); i++) {
		usleep(WAIT_US);
		now = tally_of(bed, consumer);
	}
	if (err)
		return err;
	dropped = now.dropped - before.dropped;
	flood->is_exact &= is_all_read(&before, &now) && dropped == PACKETS &&
			   now.delivered - before.delivered + now.lost - before.lost == dropped;
	vec_push(&flood->per_second,
		 (double)(now.read - before.read) * 1e3 / (double)(clock_monotonic_ns() - start));
	vec_push(&flood->lost, (double)(now.lost - before.lost) * 100 / PACKETS);
	return 0;
}

static void add(const char *what, const char *size, const struct metric *m, struct results *results)
{
	_text_ struct text name = TEXT_INIT;
	struct metric named = *m;

	text_addf(&name, "%s%s", what, size);
	named.name = text_take(&name);
	results_add(results, &named);
}

static void add_metrics(struct flood *flood, const char *size, struct results *results)
{
	static const char wrong[] = "delivered and lost events are not all dropped packets";

	add("events", size,
	    &(struct metric){
		    .unit = "M/s",
		    .figure = figure_of(&flood->per_second),
		    .goal = 10,
		    .is_more_better = true,
		    .problem = flood->is_exact ? NULL : xstrdup(wrong),
	    },
	    results);
	add("events-lost", size,
	    &(struct metric){
		    .unit = "%",
		    .figure = figure_of(&flood->lost),
		    .problem = flood->is_exact ? NULL : xstrdup(wrong),
	    },
	    results);
	vec_release(&flood->per_second);
	vec_release(&flood->lost);
}

static int run_floods(struct wrapper *w, uint32_t size, int rounds, struct flood *flood)
{
	const struct shape shape = {.identities = size, .addresses = size, .rules = size};
	struct consumer *consumer = NULL;
	struct bed bed;
	int err = bed_open(w, &shape, 0, &bed);

	if (err)
		return err;
	err = consumer_begin(&bed, &consumer);
	for (int i = 0; !err && i < rounds; i++)
		err = flood_once(&bed, consumer, flood);
	consumer_end(consumer);
	bed_release(&bed);
	return err;
}

int events_measure(bool is_long, struct results *results)
{
	static const struct {
		uint32_t size;
		const char *name;
	} floods[] = {{10000, ""}, {10, "-10"}};
	struct wrapper *w;
	int err = wrapper_open(&w);

	if (err)
		return err;
	fprintf(stderr, "events\n");
	for (size_t i = 0; !err && i < COUNT(floods); i++) {
		struct flood flood = {.is_exact = true};

		err = run_floods(w, floods[i].size, is_long ? 15 : 5, &flood);
		add_metrics(&flood, floods[i].name, results);
	}
	if (!err)
		err = event_costs_measure(w, is_long, results);
	wrapper_free(w);
	return err;
}
