/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_draw.h"

#include <string.h>

#include <bulkhead/verdict.h>

#include "cli/output.h"
#include "cli/values.h"
#include "policy/model.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/utf8.h"

#define FULL     0.8 /* of a table: from here on it is told */
#define ROWS_MIN 3   /* of a part */
#define FRAME    3   /* lines of a part that are no rows: a blank one, its title, the heading */

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* clang-format off */
static const struct column talker_columns[] = {
	LEFT("FROM"), LEFT("TO"), LEFT("SERVICE"), LEFT("VERDICT"), LEFT("RULE"),
	RIGHT("EVENTS/S"), RIGHT("EVENTS"),
};

static const struct column zone_columns[] = {
	LEFT("FROM ZONE"), LEFT("TO ZONE"), LEFT("VERDICT"), RIGHT("EVENTS/S"), RIGHT("EVENTS"),
};

static const struct column rule_columns[] = {
	LEFT("RULE"), LEFT("ACTION"), LEFT("PLACE"), RIGHT("PACKETS/S"), RIGHT("PACKETS"),
	RIGHT("BYTES/S"), RIGHT("BYTES"),
};

static const struct {
	const char *title;
	const struct column *columns;
	size_t count;
	size_t verdict; /* which word has a colour */
	bool has_bytes;
} parts[] = {
	[TOP_TALKERS] = { "delivered events, by both ends", talker_columns,
			  COUNT(talker_columns), 3, false },
	[TOP_ZONES]   = { "delivered events, by both zones", zone_columns, COUNT(zone_columns), 2, false },
	[TOP_RULES]   = { "packets that each decided", rule_columns, COUNT(rule_columns), 1, true },
};
/* clang-format on */

const char *top_sort_word(enum top_sort sort)
{
	static const char *const words[] = {
		[TOP_BY_RATE] = "rate",
		[TOP_BY_TOTAL] = "total",
		[TOP_BY_NAME] = "name",
	};

	return words[sort];
}

/* --- the head --- */

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static void add_agent(const struct top_data *d, struct text *out)
{
	const cJSON *policy = value_of(d->status, "policy");
	const char *health = value_text(d->status, "health");
	char time[CLOCK_STRLEN];

	clock_format(clock_wall_ns(), time);
	text_addf(out, "bulkhead %s %.19sZ  policy ", or_dash(health), time);
	text_add_plain(out, or_dash(value_text(policy, "hash")),
		       strlen(or_dash(value_text(policy, "hash"))));
	text_addf(out, " (%s)  generation %.0f  rules %.0f  endpoints %.0f\n",
		  or_dash(value_text(policy, "origin")), value_number(d->status, "generation"),
		  value_number(policy, "rules"), value_number(d->status, "endpoints"));
}

static void add_drops(const struct top_data *d, struct text *out)
{
	const cJSON *drop;

	text_addf(out, "drops %.1f/s of %.0f", top_data_rate(d, PATH("dropped")),
		  top_data_number(d, PATH("dropped")));
	cJSON_ArrayForEach(drop, value_of(d->status, "drops"))
	{
		double rate = top_data_rate(d, PATH("drops", drop->string, "packets"));

		if (rate > 0)
			text_addf(out, "  %s %.1f/s", drop->string, rate);
	}
	text_addc(out, '\n');
}

static double book_rate(const struct top_data *d, const char *what)
{
	double sum = 0;

	for (unsigned int v = 0; v < BH_VERDICT_COUNT; v++)
		sum += top_data_rate(d, PATH("books", verdict_word(v), what));
	return sum;
}

static void add_tables(const struct top_data *d, struct text *out)
{
	const cJSON *table;

	cJSON_ArrayForEach(table, value_of(d->status, "tables"))
	{
		const char *name = or_dash(value_text(table, "name"));
		double used = value_number(table, "used");
		double capacity = value_number(table, "capacity");

		if (!strcmp(name, "bh_conns"))
			text_addf(out, "  connections %.0f", used);
		else if (capacity > 0 && used > FULL * capacity)
			text_addf(out, "  %s %.0f%% full", name, 100 * used / capacity);
	}
}

static void add_events(const struct top_data *d, struct text *out)
{
	text_addf(out, "events %.1f/s delivered  %.1f/s suppressed  %.1f/s lost",
		  book_rate(d, "delivered"), book_rate(d, "suppressed"), book_rate(d, "lost"));
	if (d->missed > 0)
		text_addf(out, "  %.0f missed here", d->missed);
	add_tables(d, out);
	text_addc(out, '\n');
}

static void add_look(const struct top_look *look, struct text *out)
{
	text_addf(out, "by %s", top_sort_word(look->sort));
	if (look->filter.len || look->is_typing) {
		text_add(out, "  filter '");
		text_add_plain(out, look->filter.buf, look->filter.len);
		text_add(out, look->is_typing ? "_'" : "'");
	}
	if (look->is_paused)
		text_add(out, "  PAUSED");
	if (look->error)
		text_addf(out, "  %s", look->error);
	else if (look->is_interactive)
		text_add(out, "  q quit  tab part  s sort  / filter  p pause");
	text_addc(out, '\n');
}

/* --- the parts --- */

static void add_row(struct table *table, enum top_part part, size_t words,
		    const struct top_row *row)
{
	for (size_t i = 0; i < words; i++)
		table_add_colour(table,
				 i == parts[part].verdict ? colour_of_verdict(row->words[i])
							  : COLOUR_NONE,
				 row->words[i]);
	table_addf(table, "%.1f", row->rate);
	table_addf(table, "%.0f", row->total_shown);
	if (!parts[part].has_bytes)
		return;
	table_addf(table, "%.0f", row->bytes_rate);
	table_addf(table, "%.0f", row->bytes_shown);
}

static void add_part(const struct top_data *d, const struct top_look *look, enum top_part part,
		     size_t room, struct text *out)
{
	_table_ struct table table = {
		.columns = parts[part].columns,
		.count = parts[part].count,
		.width = look->width == TOP_ENDLESS ? 0 : look->width,
	};
	const struct top_table *t = &d->parts[part];
	top_rows rows = {};

	top_table_order(t, look->sort, look->filter.buf, &rows);
	for (size_t i = look->skip; i < rows.count && i - look->skip < room; i++)
		add_row(&table, part, t->words, rows.items[i]);
	text_addf(out, "\n%zu %s: %s", rows.count, top_part_word(part), parts[part].title);
	if (t->forgotten)
		text_addf(out, ", %zu forgotten", t->forgotten);
	text_addc(out, '\n');
	table_format(&table, look->has_colour, out);
	vec_release(&rows);
}

static size_t count_lines(const char *s)
{
	size_t count = 0;

	for (; *s; s++)
		count += *s == '\n';
	return count;
}

static void add_parts(const struct top_data *d, const struct top_look *look, struct text *out)
{
	size_t head = count_lines(out->buf);
	size_t left = look->height > head ? look->height - head : 0;
	size_t count = look->is_single ? 1 : TOP_PARTS;

	for (enum top_part part = 0; part < TOP_PARTS; part++) {
		size_t share = left / (look->is_single ? 1 : count);
		size_t before = count_lines(out->buf);

		if (look->is_single && part != look->part)
			continue;
		share = share > FRAME + ROWS_MIN ? share - FRAME : ROWS_MIN;
		add_part(d, look, part, share < look->rows ? share : look->rows, out);
		before = count_lines(out->buf) - before;
		left = left > before ? left - before : 0;
		count--;
	}
}

/* --- what fits --- */

/* A sequence of colour takes no room. */
static size_t sequence_len(const char *s)
{
	const char *end;

	if (s[0] != '\033')
		return 0;
	end = strchr(s, 'm');
	return end ? (size_t)(end - s) + 1 : 0;
}

static void add_clipped(struct text *out, const char *line, size_t len, size_t width)
{
	size_t columns = 0;
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		uint32_t point;

		step = sequence_len(line + at);
		if (step) {
			text_addn(out, line + at, step);
			continue;
		}
		step = utf8_next(line + at, len - at, &point);
		if (columns++ < width)
			text_addn(out, line + at, step);
	}
	text_addc(out, '\n');
}

static void clip(const struct text *all, const struct top_look *look, struct text *out)
{
	const char *line = all->buf;

	for (size_t i = 0; *line && i < look->height; i++) {
		size_t len = strcspn(line, "\n");

		add_clipped(out, line, len, look->width);
		line += len + (line[len] == '\n');
	}
}

void top_draw(const struct top_data *d, const struct top_look *look, struct text *out)
{
	_text_ struct text all = TEXT_INIT;

	add_agent(d, &all);
	add_drops(d, &all);
	add_events(d, &all);
	add_look(look, &all);
	add_parts(d, look, &all);
	clip(&all, look, out);
}
