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
#define TALL     16  /* lines of a screen whose head may have more of them than four */

#define SHORT_FROM 99999.5

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

#define COLUMNS_MAX 8

/* What a column shows. */
enum number {
	NUMBER_NONE, /* the next word of the row */
	NUMBER_RATE,
	NUMBER_TOTAL,
	NUMBER_BYTES_RATE,
	NUMBER_BYTES,
};

struct top_column {
	struct column column;
	enum number number;
	size_t from_width; /* of the screen, where it is shown */
	bool has_verdict;  /* its words have colours */
};

/* clang-format off */
static const struct top_column talker_columns[] = {
	{ LEFT("FROM"),      NUMBER_NONE,  0,  false },
	{ LEFT("TO"),        NUMBER_NONE,  0,  false },
	{ LEFT("SERVICE"),   NUMBER_NONE,  0,  false },
	{ LEFT("VERDICT"),   NUMBER_NONE,  60, true },
	{ LEFT("RULE"),      NUMBER_NONE,  72, false },
	{ RIGHT("EVENTS/S"), NUMBER_RATE,  0,  false },
	{ RIGHT("EVENTS"),   NUMBER_TOTAL, 50, false },
};

static const struct top_column zone_columns[] = {
	{ LEFT("FROM ZONE"), NUMBER_NONE,  0,  false },
	{ LEFT("TO ZONE"),   NUMBER_NONE,  0,  false },
	{ LEFT("VERDICT"),   NUMBER_NONE,  50, true },
	{ RIGHT("EVENTS/S"), NUMBER_RATE,  0,  false },
	{ RIGHT("EVENTS"),   NUMBER_TOTAL, 36, false },
};

static const struct top_column rule_columns[] = {
	{ LEFT("RULE"),       NUMBER_NONE,       0,  false },
	{ LEFT("ACTION"),     NUMBER_NONE,       50, true },
	{ LEFT("PLACE"),      NUMBER_NONE,       76, false },
	{ RIGHT("PACKETS/S"), NUMBER_RATE,       0,  false },
	{ RIGHT("PACKETS"),   NUMBER_TOTAL,      36, false },
	{ RIGHT("BYTES/S"),   NUMBER_BYTES_RATE, 70, false },
	{ RIGHT("BYTES"),     NUMBER_BYTES,      60, false },
};

static const struct {
	const char *title;
	const struct top_column *columns;
	size_t count;
} parts[] = {
	[TOP_TALKERS] = { "delivered events, by both ends", talker_columns, COUNT(talker_columns) },
	[TOP_ZONES]   = { "delivered events, by both zones", zone_columns, COUNT(zone_columns) },
	[TOP_RULES]   = { "packets that each decided", rule_columns, COUNT(rule_columns) },
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

/* On a screen room is short: "12.3M". */
static void add_number(struct table *table, double number, bool is_rate, bool is_short)
{
	static const char units[] = "kMGTPE";
	size_t unit = 0;

	if (!is_short || number < SHORT_FROM) {
		table_addf(table, is_rate ? "%.1f" : "%.0f", number);
		return;
	}
	for (number /= 1e3; number >= 999.95 && unit + 1 < strlen(units); number /= 1e3)
		unit++;
	table_addf(table, "%.1f%c", number, units[unit]);
}

static void add_cell(struct table *table, const struct top_column *c, const struct top_row *row,
		     const char *word)
{
	bool is_short = table->width != 0;

	switch (c->number) {
	case NUMBER_NONE:
		table_add_colour(table, c->has_verdict ? colour_of_verdict(word) : COLOUR_NONE,
				 word);
		break;
	case NUMBER_RATE:
		add_number(table, row->rate, true, is_short);
		break;
	case NUMBER_TOTAL:
		add_number(table, row->total_shown, false, is_short);
		break;
	case NUMBER_BYTES_RATE:
		add_number(table, row->bytes_rate, false, is_short);
		break;
	case NUMBER_BYTES:
		add_number(table, row->bytes_shown, false, is_short);
		break;
	}
}

/* The words of a row are in the order of its columns; those of some have no room. */
static void add_row(struct table *table, enum top_part part, const struct top_row *row,
		    size_t width)
{
	size_t word = 0;

	for (size_t i = 0; i < parts[part].count; i++) {
		const struct top_column *c = &parts[part].columns[i];
		const char *text = c->number == NUMBER_NONE ? row->words[word++] : NULL;

		if (c->from_width <= width)
			add_cell(table, c, row, text);
	}
}

static size_t choose_columns(enum top_part part, size_t width,
			     struct column ret[static COLUMNS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < parts[part].count; i++) {
		if (parts[part].columns[i].from_width <= width)
			ret[count++] = parts[part].columns[i].column;
	}
	return count;
}

static void add_part(const struct top_data *d, const struct top_look *look, enum top_part part,
		     size_t room, struct text *out)
{
	struct column columns[COLUMNS_MAX];
	_table_ struct table table = {
		.columns = columns,
		.count = choose_columns(part, look->width, columns),
		.width = look->width == TOP_ENDLESS ? 0 : look->width,
	};
	const struct top_table *t = &d->parts[part];
	top_rows rows = {};

	top_table_order(t, look->sort, look->filter.buf, &rows);
	for (size_t i = look->skip; i < rows.count && i - look->skip < room; i++)
		add_row(&table, part, rows.items[i], look->width);
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

/* Lines of the head go on in the next where there is room for that. */
static void wrap(const struct text *head, const struct top_look *look, struct text *out)
{
	size_t column = 0, gap = 0;

	for (const char *s = head->buf; *s;) {
		size_t len = strcspn(s, " \n"), end;

		while (s[len] == ' ' && s[len + 1] != ' ' && s[len + 1])
			len += 1 + strcspn(s + len + 1, " \n");
		if (column && column + gap + len > look->width && look->height >= TALL) {
			text_add(out, "\n");
			column = gap = 0;
		}
		text_addf(out, "%*s%.*s", (int)gap, "", (int)len, s);
		column += gap + len;
		end = len + strspn(s + len, " ");
		gap = end - len;
		s += end;
		if (*s == '\n') {
			text_addc(out, '\n');
			column = gap = 0;
			s++;
		}
	}
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
	_text_ struct text head = TEXT_INIT;
	_text_ struct text all = TEXT_INIT;

	add_agent(d, &head);
	add_drops(d, &head);
	add_events(d, &head);
	add_look(look, &head);
	wrap(&head, look, &all);
	add_parts(d, look, &all);
	clip(&all, look, out);
}
