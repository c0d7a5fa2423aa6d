/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_table.h"

#include <assert.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"
#include "util/text.h"

static void make_key(const struct top_table *t, const char *const *words, struct text *ret)
{
	for (size_t i = 0; i < t->words; i++)
		text_addn(ret, words[i], strlen(words[i]) + 1);
}

static void free_words(struct top_row *row)
{
	for (size_t i = 0; i < TOP_WORDS; i++)
		free(row->words[i]);
}

static void index_rows(struct top_table *t)
{
	map_release(&t->places);
	for (size_t i = 0; i < t->rows.count; i++) {
		_text_ struct text key = TEXT_INIT;

		make_key(t, (const char *const *)t->rows.items[i].words, &key);
		map_put(&t->places, key.buf, key.len, i, NULL);
	}
}

static bool grows(const struct top_row *row)
{
	return row->rate > 0 || row->total > row->total_shown;
}

static size_t count_growing(const struct top_table *t)
{
	size_t count = 0;

	vec_foreach (row, &t->rows)
		count += grows(row);
	return count;
}

/* Where a crowd of spoofed addresses keeps all of them growing, it starts over. */
static void forget(struct top_table *t)
{
	bool is_crowd = count_growing(t) > TOP_ROWS_MAX / 2;
	size_t kept = 0;

	vec_foreach (row, &t->rows) {
		if (grows(row) && !is_crowd) {
			t->rows.items[kept++] = *row;
		} else {
			free_words(row);
			t->forgotten++;
		}
	}
	t->rows.count = kept;
	index_rows(t);
}

static struct top_row row_of(const struct top_table *t, const char *const *words)
{
	struct top_row row = {};

	for (size_t i = 0; i < t->words; i++)
		row.words[i] = xstrdup(words[i]);
	return row;
}

struct top_row *top_table_row(struct top_table *t, const char *const *words)
{
	_text_ struct text key = TEXT_INIT;
	uint64_t place;
	bool is_new;

	make_key(t, words, &key);
	if (t->rows.count >= TOP_ROWS_MAX && !map_get(&t->places, key.buf, key.len))
		forget(t);
	place = *map_put(&t->places, key.buf, key.len, t->rows.count, &is_new);
	if (is_new)
		vec_push(&t->rows, row_of(t, words));
	assert(place < t->rows.count);
	return &t->rows.items[place];
}

/* What counts less than before has begun anew. */
static double growth(double now, double before)
{
	return now >= before ? now - before : now;
}

void top_table_tick(struct top_table *t, double seconds)
{
	vec_foreach (row, &t->rows) {
		bool has_rate = seconds > 0;

		row->rate = has_rate ? growth(row->total, row->total_shown) / seconds : 0;
		row->bytes_rate = has_rate ? growth(row->bytes, row->bytes_shown) / seconds : 0;
		row->total_shown = row->total;
		row->bytes_shown = row->bytes;
		row->is_ticked = true;
	}
}

static bool is_wanted(const struct top_table *t, const struct top_row *row, const char *filter)
{
	if (!row->is_ticked)
		return false;
	if (!filter || !*filter)
		return true;
	for (size_t i = 0; i < t->words; i++) {
		if (strcasestr(row->words[i], filter))
			return true;
	}
	return false;
}

static int by_name(const struct top_row *a, const struct top_row *b)
{
	for (size_t i = 0; i < TOP_WORDS && a->words[i]; i++) {
		int order = strcmp(a->words[i], b->words[i]);

		if (order)
			return order;
	}
	return 0;
}

static int by_number(double a, double b)
{
	return (a < b) - (a > b);
}

static int by_total(const struct top_row *a, const struct top_row *b)
{
	int order = by_number(a->total_shown, b->total_shown);

	return order ? order : by_name(a, b);
}

static int by_rate(const struct top_row *a, const struct top_row *b)
{
	int order = by_number(a->rate, b->rate);

	return order ? order : by_total(a, b);
}

static int compare_rows(const void *a, const void *b, void *user)
{
	static int (*const orders[])(const struct top_row *, const struct top_row *) = {
		[TOP_BY_RATE] = by_rate,
		[TOP_BY_TOTAL] = by_total,
		[TOP_BY_NAME] = by_name,
	};
	const struct top_row *const *first = a, *const *second = b;
	const enum top_sort *sort = user;

	return orders[*sort](*first, *second);
}

void top_table_order(const struct top_table *t, enum top_sort sort, const char *filter,
		     top_rows *ret)
{
	vec_foreach (row, &t->rows) {
		if (is_wanted(t, row, filter))
			vec_push(ret, row);
	}
	if (ret->count)
		qsort_r(ret->items, ret->count, sizeof(*ret->items), compare_rows, &sort);
}

void top_table_release(struct top_table *t)
{
	vec_foreach (row, &t->rows)
		free_words(row);
	vec_release(&t->rows);
	map_release(&t->places);
}
