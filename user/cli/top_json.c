/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "cli/top_draw.h"
#include "cli/values.h"
#include "util/clock.h"
#include "util/json.h"

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* clang-format off */
static const char *const talker_keys[] = { "from", "to", "service", "verdict", "rule" };
static const char *const zone_keys[]   = { "from_zone", "to_zone", "verdict" };
static const char *const rule_keys[]   = { "rule", "action", "from_file" };
static const char *const *const keys[] = {
	[TOP_TALKERS] = talker_keys, [TOP_ZONES] = zone_keys, [TOP_RULES] = rule_keys,
};
/* clang-format on */

static void add_real(struct json *j, const char *key, double value)
{
	_text_ struct text number = TEXT_INIT;

	text_addf(&number, "%.3f", value);
	json_raw(j, key, number.buf);
}

static void add_row(struct json *j, enum top_part part, size_t words, const struct top_row *row)
{
	bool is_rule = part == TOP_RULES;

	json_object(j, NULL);
	for (size_t i = 0; i < words; i++)
		json_string(j, keys[part][i], strcmp(row->words[i], "-") ? row->words[i] : NULL);
	json_number(j, is_rule ? "packets" : "events", (uint64_t)row->total_shown);
	add_real(j, is_rule ? "packets_rate" : "events_rate", row->rate);
	if (is_rule) {
		json_number(j, "bytes", (uint64_t)row->bytes_shown);
		add_real(j, "bytes_rate", row->bytes_rate);
	}
	json_end(j, '}');
}

static void add_part(struct json *j, const struct top_data *d, const struct top_look *look,
		     enum top_part part)
{
	top_rows rows = {};

	top_table_order(&d->parts[part], look->sort, look->filter.buf, &rows);
	json_array(j, top_part_word(part));
	for (size_t i = 0; i < rows.count && i < look->rows; i++)
		add_row(j, part, d->parts[part].words, rows.items[i]);
	json_end(j, ']');
	vec_release(&rows);
}

static void add_drops(struct json *j, const struct top_data *d)
{
	const cJSON *drop;

	json_number(j, "dropped", (uint64_t)top_data_number(d, PATH("dropped")));
	add_real(j, "dropped_rate", top_data_rate(d, PATH("dropped")));
	json_object(j, "drops_rate");
	cJSON_ArrayForEach(drop, value_of(d->status, "drops"))
		add_real(j, drop->string, top_data_rate(d, PATH("drops", drop->string, "packets")));
	json_end(j, '}');
}

void top_json(const struct top_data *d, const struct top_look *look, struct text *out)
{
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	json_object(&j, NULL);
	json_string(&j, "time", clock_format(clock_wall_ns(), time));
	add_real(&j, "seconds", d->seconds);
	json_number(&j, "generation", (uint64_t)value_number(d->status, "generation"));
	add_drops(&j, d);
	json_number(&j, "missed", (uint64_t)d->missed);
	for (enum top_part part = 0; part < TOP_PARTS; part++) {
		if (!look->is_single || part == look->part)
			add_part(&j, d, look, part);
	}
	json_end(&j, '}');
	text_addc(out, '\n');
}
