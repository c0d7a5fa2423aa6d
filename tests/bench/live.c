/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/live.h"

#include <errno.h>
#include <string.h>

#include "tests/bench/live_path.h"
#include "util/mem.h"

/* What a mode adds, and the metric of test runs that its peers stand beside. */
static const struct {
	const char *name;
	const char *beside;
	enum filter base; /* what costs are above of */
} modes[LIVE_MODES] = {
	[LIVE_PASS] = {"live-pass", "established-xdp-v4-10k", FILTER_NONE},
	[LIVE_NEW] = {"live-new", "new-xdp-v4-10k", FILTER_NONE},
	[LIVE_DROP] = {"live-drop", "denied-xdp-v4-10k", FILTER_XDP_DROP},
};

struct field {
	enum live_mode mode;
	bool is_long;
	samples seen[FILTERS];
	const char *problem[FILTERS];
	struct figure figures[FILTERS];
};

static void run_filter(struct live *l, enum filter filter, struct field *field)
{
	double mpps = 0;
	int err = live_run(l, filter, field->mode, &mpps);

	if (!err)
		vec_push(&field->seen[filter], mpps);
	else if (err == -ENOENT)
		field->problem[filter] = "not installed";
	else if (err == -EPROTO)
		field->problem[filter] = "not all flows were answered";
	else
		field->problem[filter] = "does not start";
}

static void run_rounds(struct live *l, int rounds, struct field *field)
{
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < FILTERS; i++) {
			if (filter_has(i, field->mode, field->is_long) && !field->problem[i])
				run_filter(l, i, field);
		}
	}
	for (int i = 0; i < FILTERS; i++) {
		field->figures[i] = figure_of(&field->seen[i]);
		vec_release(&field->seen[i]);
	}
}

/* Ours in parts of the bare hook's, or in what a packet takes more than without a filter. */
static void add_ratio(const struct field *field, struct results *results)
{
	bool is_drop = field->mode == LIVE_DROP;
	enum filter base_id = modes[field->mode].base;
	const struct figure *ours = &field->figures[FILTER_OURS];
	const struct figure *base = &field->figures[base_id];
	struct metric m = {
		.name = xstrdup(is_drop ? "live-drop-share" : "live-pass-cost"),
		.unit = "x",
		.goal = is_drop ? 0.8 : 1.05,
		.is_more_better = is_drop,
	};

	m.figure.median = is_drop ? ours->median / base->median : base->median / ours->median;
	m.figure.low = is_drop ? ours->low / base->high : base->low / ours->high;
	m.figure.high = is_drop ? ours->high / base->low : base->high / ours->low;
	if (field->problem[FILTER_OURS] || field->problem[base_id])
		m.problem = xstrdup("there is no figure of both");
	results_add(results, &m);
}

static void add_frames(const struct field *field, struct results *results)
{
	struct metric m = {
		.name = xstrdup(modes[field->mode].name),
		.unit = "Mpps",
		.is_more_better = true,
		.figure = field->figures[FILTER_OURS],
	};

	for (int i = 0; i < FILTERS; i++) {
		if (i == FILTER_OURS || !filter_has(i, field->mode, field->is_long))
			continue;
		vec_push(&m.peers, (struct peer_figure){
					   .name = xstrdup(filter_name(i)),
					   .figure = field->figures[i],
					   .problem = field->problem[i],
				   });
	}
	if (field->problem[FILTER_OURS])
		m.problem = xstrdup(field->problem[FILTER_OURS]);
	results_add(results, &m);
}

/* What others take above a path without them, in ns, stands beside what we take above a no-op. */
static void add_beside(const struct field *field, struct results *results)
{
	struct metric *m = results_find(results, modes[field->mode].beside);
	double base = field->figures[modes[field->mode].base].median;

	for (int i = FILTER_FIRST_OTHER; m && base > 0 && i < FILTERS; i++) {
		double mpps = field->figures[i].median;

		if (mpps > 0)
			vec_push(&m->peers, (struct peer_figure){
						    .name = xstrdup(filter_name(i)),
						    .figure.median = 1e3 / mpps - 1e3 / base,
					    });
	}
}

int live_measure(bool is_long, struct results *results)
{
	struct live l;
	int err = live_open(&l);

	for (int mode = 0; !err && mode < LIVE_MODES; mode++) {
		struct field field = {.mode = mode, .is_long = is_long};

		fprintf(stderr, "live frames: %s\n", modes[mode].name);
		run_rounds(&l, is_long ? 9 : 3, &field);
		add_frames(&field, results);
		if (mode != LIVE_NEW)
			add_ratio(&field, results);
		add_beside(&field, results);
	}
	live_close(&l);
	return err;
}
