/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/table.h"

#include <stdio.h>

static const char *const reason_words[] = {
#define X(id, word, help) [BH_REASON_##id] = (word),
	BH_REASONS(X)
#undef X
};

const char *table_place(const char *name, bool is_v6, enum program program)
{
	static char place[256];

	snprintf(place, sizeof(place), "%s (%s, %s)", name, is_v6 ? "IPv6" : "IPv4",
		 program_word(program));
	return place;
}

bool family_has(enum family family, bool is_v6)
{
	return family == FAMILY_BOTH || (family == FAMILY_V6) == is_v6;
}

static void check(const struct rig *rig, const struct row *row, const char *place,
		  const struct outcome *outcome)
{
	if (outcome->reason != row->reason)
		fail_msg("%s: seen '%s', wanted '%s'", place, reason_words[outcome->reason],
			 reason_words[row->reason]);
	if (row->rule)
		assert_row_string(place, rig_rule_name(rig, outcome->rule), row->rule);
	if (outcome->is_passed)
		assert_row(place, outcome->events == row->is_reported);
}

static bool run_row(struct rig *rig, struct visit *v, bool is_v6, visit_fn *fn)
{
	const struct row *row = v->row;
	struct frame frame;

	v->place = table_place(row->name, is_v6, v->program);
	v->packet = row->packet;
	v->packet.is_v6 = is_v6;
	frame = packet_build(&v->packet);
	v->length = frame.len;
	if (!rig_can_run(v->program, &frame))
		return false;
	if (row->stand)
		rig_stand(rig, row->stand);
	else if (program_is_ingress(v->program))
		rig_stand(rig, v->packet.to ? v->packet.to : SERVER);
	else
		rig_stand(rig, v->packet.from ? v->packet.from : CLIENT);
	rig->is_forwarded = row->is_forwarded;
	rig->is_returned = row->is_returned;
	rig_forget(rig);
	v->outcome = rig_run_frame(rig, v->place, v->program, &frame);
	check(rig, row, v->place, &v->outcome);
	if (fn)
		fn(rig, v);
	return true;
}

void table_each(struct rig *rig, const struct row *rows, size_t count, visit_fn *fn)
{
	for (const struct row *row = rows; row < rows + count; row++) {
		int ran = 0;

		for (enum program program = 0; program < PROGRAMS; program++) {
			struct visit v = {.row = row, .program = program};

			if (row->programs && !(row->programs & ON(program)))
				continue;
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				ran += family_has(row->family, is_v6) &&
				       run_row(rig, &v, is_v6, fn);
		}
		assert_row(row->name, ran);
	}
	rig->is_forwarded = rig->is_returned = false;
}

void table_run(struct rig *rig, const struct row *rows, size_t count)
{
	table_each(rig, rows, count, NULL);
}
