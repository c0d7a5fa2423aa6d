/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where things are in a policy's text, for tests that read it in two ways. */
#ifndef UNIT_TOLD_PLACES_H
#define UNIT_TOLD_PLACES_H

#include "policy/model.h"
#include "util/diag.h"
#include "util/text.h"

static inline void tell_span(const struct span *at, struct text *out)
{
	text_addf(out, " %u:%u+%u", at->line, at->column, at->len);
}

/* Workloads, their addresses and labels. */
static inline void tell_workload_places(const struct policy *p, struct text *out)
{
	vec_foreach (w, &p->workloads) {
		tell_span(&w->at, out);
		vec_foreach (placed, &w->prefixes)
			tell_span(&placed->at, out);
		vec_foreach (label, &w->labels)
			tell_span(&label->at, out);
	}
}

/* Every diagnostic, with @mark before it. */
static inline void tell_diags(const struct diags *diags, char mark, struct text *out)
{
	vec_foreach (diag, &diags->list) {
		text_addf(out, "%c%s", mark, diag->message);
		tell_span(&diag->at, out);
	}
}

#endif
