/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/diff.h"

static void format_atom(const struct diff_atom *atom, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	if (!atom->name) {
		text_add(out, prefix_format(&atom->prefix, buf));
		if (atom->owner)
			text_addf(out, " (%s)", atom->owner);
		return;
	}
	text_add(out, atom->name);
	switch (atom->reading) {
	case READ_ALIKE:
		return;
	case READ_AS_OLD:
		text_add(out, " as in OLD");
		return;
	case READ_AS_NEW:
		text_add(out, " as in NEW");
		return;
	}
}

void diff_term_format(const struct diff_term *term, struct text *out)
{
	format_atom(&term->atom, out);
	for (size_t i = 0; i < term->except.count; i++) {
		text_add(out, i ? ", " : " except ");
		format_atom(&term->except.items[i], out);
	}
}

/* Brackets show where a list within the list ends. */
static void format_end(const struct diff_end *end, struct text *out)
{
	for (size_t i = 0; i < end->terms.count; i++) {
		const struct diff_term *term = &end->terms.items[i];
		bool has_brackets = end->terms.count > 1 && term->except.count > 0;

		text_add(out, i ? ", " : "");
		text_add(out, has_brackets ? "(" : "");
		diff_term_format(term, out);
		text_add(out, has_brackets ? ")" : "");
	}
}

void diff_region_format(const struct diff_region *region, struct text *out)
{
	bool is_plain = region->sign == '+'   ? !strcmp(region->now, "allow")
			: region->sign == '-' ? !strcmp(region->now, "deny")
					      : false;

	text_addf(out, "%c ", region->sign);
	format_end(region->from, out);
	text_add(out, " -> ");
	format_end(region->to, out);
	text_addf(out, " %s", region->service_text);
	if (!is_plain)
		text_addf(out, " (%s -> %s)", region->was, region->now);
}
