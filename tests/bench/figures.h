/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several figures of one run: FIGURES(X), a list of X(ID, "name", "unit"), is the includer's. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "tests/bench/results.h"
#include "util/mem.h"
#include "util/text.h"

struct figure_name {
	const char *name, *unit;
};

#define FIGURE_ID(id, name, unit)   FIGURE_##id,
#define FIGURE_NAME(id, name, unit) {name, unit},

/* The figures' numbers, FIGURE_COUNT of them, and how they are called. */
#define FIGURES_DEFINE(FIGURES)                                                                    \
	enum figure_id {                                                                           \
		FIGURES(FIGURE_ID) FIGURE_COUNT                                                    \
	};                                                                                         \
	static const struct figure_name figures[] = {FIGURES(FIGURE_NAME)}

/* What was seen of one, as "NAME-SIZE"; releases the samples.  @problem: why there are none. */
static inline void figure_add(const struct figure_name *f, const char *size, samples *seen,
			      double goal, const char *problem, struct results *results)
{
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, "%s-%s", f->name, size);
	results_add(results, &(struct metric){
				     .name = text_take(&name),
				     .unit = f->unit,
				     .figure = figure_of(seen),
				     .goal = goal,
				     .problem = problem ? xstrdup(problem) : NULL,
			     });
	vec_release(seen);
}

#endif
