/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Has the stations send all probes, and once more those whose answer is missing. */
#ifndef LAB_ROUNDS_H
#define LAB_ROUNDS_H

#include "lab/lab.h"

struct rounds {
	struct lab_plan *plan; /* `seen` of its probes is written */
	const struct lab_space *spaces;
	int signals;
	uint32_t timeout_ms;
	uint32_t repetitions;
	const struct lab_view *view;
};

/* 0, -EINTR, or -EIO when a station is gone. */
int rounds_run(const struct rounds *r);

#endif
