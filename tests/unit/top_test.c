/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "cli/terminal.h"
#include "cli/top_draw.h"
#include "tests/test.h"

/* --- rows --- */

static void add(struct top_table *t, const char *word, double total)
{
	const char *const words[] = {word};

	top_table_row(t, words)->total += total;
}

/* The words in their order, with spaces between. */
static void order(const struct top_table *t, enum top_sort sort, const char *filter,
		  struct text *out)
{
	top_rows rows = {};

	top_table_order(t, sort, filter, &rows);
	vec_foreach (row, &rows)
		text_addf(out, "%s%s", out->len ? " " : "", (*row)->words[0]);
	vec_release(&rows);
}

struct order_case {
	const char *name;
	enum top_sort sort;
	const char *filter;
	const char *rows;
};

/* clang-format off */
static const struct order_case orders[] = {
	{ "by rate",                TOP_BY_RATE,  NULL,   "web api db"  },
	{ "by total",               TOP_BY_TOTAL, NULL,   "db web api"  },
	{ "by name",                TOP_BY_NAME,  NULL,   "api db web"  },
	{ "an empty filter",        TOP_BY_NAME,  "",     "api db web"  },
	{ "a filter",               TOP_BY_NAME,  "b",    "db web"      },
	{ "in whatever case",       TOP_BY_NAME,  "WE",   "web"         },
	{ "that nothing satisfies", TOP_BY_NAME,  "none", ""            },
};
/* clang-format on */

static void rows_are_in_the_order_that_is_asked_for(void **state)
{
	struct top_table t = {.words = 1};

	(void)state;
	add(&t, "db", 100);
	add(&t, "api", 5);
	top_table_tick(&t, 1);
	add(&t, "api", 4);
	add(&t, "web", 20);
	top_table_tick(&t, 2);
	for (size_t i = 0; i < COUNT(orders); i++) {
		_text_ struct text seen = TEXT_INIT;

		order(&t, orders[i].sort, orders[i].filter, &seen);
		assert_row_string(orders[i].name, seen.buf, orders[i].rows);
	}
	top_table_release(&t);
}

static void a_rate_is_what_was_added_in_the_last_interval(void **state)
{
	const char *const words[] = {"db"};
	struct top_table t = {.words = 1};

	(void)state;
	add(&t, "db", 100);
	top_table_tick(&t, 4);
	assert_int_equal(top_table_row(&t, words)->rate, 25);
	top_table_tick(&t, 4);
	assert_int_equal(top_table_row(&t, words)->rate, 0);
	top_table_row(&t, words)->total = 8; /* it counts from zero again */
	top_table_tick(&t, 4);
	assert_int_equal(top_table_row(&t, words)->rate, 2);
	top_table_release(&t);
}

static void what_comes_after_the_last_tick_is_not_shown(void **state)
{
	_text_ struct text seen = TEXT_INIT;
	struct top_table t = {.words = 1};

	(void)state;
	add(&t, "db", 1);
	top_table_tick(&t, 1);
	add(&t, "db", 5);
	add(&t, "web", 9);
	order(&t, TOP_BY_TOTAL, NULL, &seen);
	assert_string_equal(seen.buf, "db");
	assert_int_equal(t.rows.items[0].total_shown, 1);
	top_table_release(&t);
}

static void who_is_idle_is_forgotten_when_there_are_too_many(void **state)
{
	struct top_table t = {.words = 1};
	_text_ struct text seen = TEXT_INIT;
	char name[16];

	(void)state;
	for (size_t i = 0; i < TOP_ROWS_MAX; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		add(&t, name, 1);
	}
	top_table_tick(&t, 1);
	top_table_tick(&t, 1);
	add(&t, "n7", 1);
	add(&t, "one more", 1);
	assert_int_equal(t.rows.count, 2);
	assert_int_equal(t.forgotten, TOP_ROWS_MAX - 1);
	top_table_tick(&t, 1);
	order(&t, TOP_BY_TOTAL, NULL, &seen);
	assert_string_equal(seen.buf, "n7 one more");
	add(&t, "n7", 1);
	assert_int_equal(t.rows.count, 2);
	top_table_release(&t);
}

static void a_crowd_that_never_rests_is_bounded_too(void **state)
{
	struct top_table t = {.words = 1};
	char name[16];

	(void)state;
	for (size_t i = 0; i < 3 * TOP_ROWS_MAX; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		add(&t, name, 1);
		assert_true(t.rows.count <= TOP_ROWS_MAX);
	}
	assert_true(t.forgotten > 0);
	top_table_release(&t);
}

/* --- what comes from the agent --- */

static const char status_line[] =
	"{\"policy\":{\"hash\":\"%s\",\"origin\":\"given\",\"rules\":1},\"generation\":3,"
	"\"health\":\"ok\",\"endpoints\":2,\"dropped\":%d,"
	"\"drops\":{\"policy\":{\"packets\":%d}},"
	"\"books\":{\"deny\":{\"delivered\":%d,\"suppressed\":0,\"lost\":0}},"
	"\"tables\":[{\"name\":\"bh_conns\",\"used\":12,\"capacity\":100}]}";

static void take_status(struct top_data *d, const char *hash, int dropped, double seconds)
{
	_text_ struct text line = TEXT_INIT;

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
	text_addf(&line, status_line, hash, dropped, dropped, dropped);
	top_data_status(d, cJSON_Parse(line.buf), seconds);
}

static void take_event(struct top_data *d, const char *line)
{
	cJSON *event = cJSON_Parse(line);

	assert_non_null(event);
	top_data_event(d, event);
	cJSON_Delete(event);
}

static void take_rule(struct top_data *d, const char *name, int packets)
{
	_text_ struct text line = TEXT_INIT;
	cJSON *rule;

	text_addf(&line,
		  "{\"rule\":\"%s\",\"action\":\"allow\",\"from_file\":\"p.yaml:3\","
		  "\"packets\":%d,\"bytes\":%d}",
		  name, packets, 10 * packets);
	rule = cJSON_Parse(line.buf);
	assert_non_null(rule);
	top_data_rule(d, rule);
	cJSON_Delete(rule);
}

#define DENIED(src, dst)                                                                           \
	"{\"verdict\":\"deny\",\"rule\":\"default\",\"proto\":\"tcp\",\"src\":{" src               \
	"},\"dst\":{" dst ",\"port\":5432},\"count\":1}"

#define APP  "\"ip\":\"10.0.0.1\",\"workload\":\"app\",\"zone\":\"internal\""
#define APP2 "\"ip\":\"10.0.0.2\",\"workload\":\"app\",\"zone\":\"internal\""
#define DB   "\"ip\":\"10.0.1.1\",\"workload\":\"db\",\"zone\":\"data\""
#define OUT  "\"ip\":\"192.0.2.9\",\"zone\":\"outside\""

static void fill(struct top_data *d)
{
	top_data_init(d);
	take_rule(d, "web-in", 1000);
	take_status(d, "abc", 10, 0);
	take_event(d, DENIED(APP, DB));
	take_event(d, DENIED(APP2, DB));
	take_event(d, DENIED(OUT, DB));
	take_event(d, "{\"missed\":7}");
	take_rule(d, "web-in", 1020);
	take_status(d, "abc", 30, 2);
}

static struct top_look look_at(size_t width, size_t height)
{
	return (struct top_look){
		.width = width,
		.height = height,
		.rows = TOP_ENDLESS,
		.filter = TEXT_INIT,
	};
}

static void events_are_added_up_by_workload_and_by_zone(void **state)
{
	const struct top_look look = look_at(TOP_ENDLESS, TOP_ENDLESS);
	_text_ struct text out = TEXT_INIT;
	struct top_data d;

	(void)state;
	fill(&d);
	top_draw(&d, &look, &out);
	/* The time is the only thing that we don't know. */
	assert_string_equal(
		strstr(out.buf, "  policy"),
		"  policy abc (given)  generation 3  rules 1  endpoints 2\n"
		"drops 10.0/s of 30  policy 10.0/s\n"
		"events 10.0/s delivered  0.0/s suppressed  0.0/s lost  7 missed here"
		"  connections 12\n"
		"by rate\n"
		"\n"
		"2 talkers: delivered events, by both ends\n"
		"FROM               TO        SERVICE   VERDICT  RULE     EVENTS/S  EVENTS\n"
		"app(internal)      db(data)  tcp/5432  deny     default       1.0       2\n"
		"outside 192.0.2.9  db(data)  tcp/5432  deny     default       0.5       1\n"
		"\n"
		"2 zones: delivered events, by both zones\n"
		"FROM ZONE  TO ZONE  VERDICT  EVENTS/S  EVENTS\n"
		"internal   data     deny          1.0       2\n"
		"outside    data     deny          0.5       1\n"
		"\n"
		"1 rules: packets that each decided\n"
		"RULE    ACTION  PLACE     PACKETS/S  PACKETS  BYTES/S  BYTES\n"
		"web-in  allow   p.yaml:3       10.0     1020      100  10200\n");
	top_data_release(&d);
}

static void the_rules_of_another_policy_replace_these(void **state)
{
	const struct top_look look = look_at(TOP_ENDLESS, TOP_ENDLESS);
	_text_ struct text out = TEXT_INIT;
	struct top_data d;

	(void)state;
	fill(&d);
	take_rule(&d, "web-in", 1030);
	take_rule(&d, "api-in", 500);
	take_status(&d, "def", 30, 2);
	take_rule(&d, "api-in", 500);
	take_status(&d, "def", 30, 2);
	top_json(&d, &look, &out);
	assert_non_null(strstr(out.buf, "\"rules\":[{\"rule\":\"api-in\",\"action\":\"allow\","
					"\"from_file\":\"p.yaml:3\",\"packets\":500,"
					"\"packets_rate\":0.000"));
	top_data_release(&d);
}

/* --- the screen --- */

/* Of the longest line; sequences of colour take no room. */
static size_t widest(const char *s)
{
	size_t widest = 0, width = 0;

	for (; *s; s++) {
		if (*s == '\033')
			s = strchr(s, 'm');
		else if (*s == '\n')
			width = 0;
		else
			width += ((unsigned char)*s & 0xc0) != 0x80; /* of UTF-8 the first byte */
		widest = width > widest ? width : widest;
	}
	return widest;
}

static size_t count_lines(const char *s)
{
	size_t count = 0;

	while ((s = strchr(s, '\n'))) {
		count++;
		s++;
	}
	return count;
}

static void no_screen_is_too_small(void **state)
{
	struct top_data d;

	(void)state;
	fill(&d);
	for (size_t width = 1; width < 140; width += 6) {
		for (size_t height = 1; height < 40; height++) {
			struct top_look look = look_at(width, height);
			_text_ struct text out = TEXT_INIT;

			look.has_colour = height % 2;
			top_draw(&d, &look, &out);
			assert_true(widest(out.buf) <= width);
			assert_true(count_lines(out.buf) <= height);
		}
	}
	top_data_release(&d);
}

/* From this width on, the last number of a part is whole, however great it is. */
#define NUMBERS_WIDTH 40

static void numbers_stay_in_sight(void **state)
{
	struct top_data d;

	(void)state;
	fill(&d);
	take_event(&d, "{\"verdict\":\"deny\",\"rule\":\"deny-everything-from-there\","
		       "\"proto\":\"tcp\",\"src\":{" OUT "},\"dst\":{\"ip\":\"2001:db8::1\","
		       "\"port\":5432},\"count\":1234567890123}");
	take_rule(&d, "web-in", 2147483640 / 10);
	take_status(&d, "abc", 40, 3);
	for (size_t width = NUMBERS_WIDTH; width < 200; width++) {
		const struct top_look look = look_at(width, 40);
		_text_ struct text out = TEXT_INIT;

		top_draw(&d, &look, &out);
		assert_row(out.buf, strstr(out.buf, width < 50 ? "411.5G\n" : "1.2T\n"));
		assert_row(out.buf, strstr(out.buf, width < 60 ? "214.7M\n" : "2.1G\n"));
	}
	top_data_release(&d);
}

static void the_head_has_more_lines_where_it_is_narrow(void **state)
{
	const struct top_look look = look_at(44, 40);
	_text_ struct text out = TEXT_INIT;
	struct top_data d;

	(void)state;
	fill(&d);
	top_draw(&d, &look, &out);
	assert_string_equal(strstr(out.buf, "rules 1"),
			    "rules 1\n"
			    "endpoints 2\n"
			    "drops 10.0/s of 30  policy 10.0/s\n"
			    "events 10.0/s delivered  0.0/s suppressed\n"
			    "0.0/s lost  7 missed here  connections 12\n"
			    "by rate\n"
			    "\n"
			    "2 talkers: delivered events, by both ends\n"
			    "FROM            TO        SERVICE   EVENTS/S\n"
			    "app(internal)   db(data)  tcp/5432       1.0\n"
			    "outside 192.0…  db(data)  tcp/5432       0.5\n"
			    "\n"
			    "2 zones: delivered events, by both zones\n"
			    "FROM ZONE  TO ZONE  EVENTS/S  EVENTS\n"
			    "internal   data          1.0       2\n"
			    "outside    data          0.5       1\n"
			    "\n"
			    "1 rules: packets that each decided\n"
			    "RULE    PACKETS/S  PACKETS\n"
			    "web-in       10.0     1020\n");
	top_data_release(&d);
}

struct key_case {
	const char *bytes;
	unsigned int key;
	size_t len;
};

/* clang-format off */
static const struct key_case keys[] = {
	{ "q",        'q',           1 },
	{ "/a",       '/',           1 },
	{ "\t",       '\t',          1 },
	{ "\033[A",   KEY_UP,        3 },
	{ "\033OB",   KEY_DOWN,      3 },
	{ "\033[5~q", KEY_PAGE_UP,   4 },
	{ "\033[6~",  KEY_PAGE_DOWN, 4 },
	{ "\033[1;5C", KEY_NONE,     6 },
	{ "\033[",    KEY_NONE,      2 },
	{ "\033",     KEY_ESCAPE,    1 },
	{ "\033q",    KEY_ESCAPE,    1 },
	{ "\177",     KEY_BACKSPACE, 1 },
	{ "\003",     KEY_END,       1 },
	{ "",         KEY_END,       0 },
	{ "\303\274", 0xc3,          1 },
};
/* clang-format on */

static void keys_are_known_by_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		size_t len;

		assert_row(keys[i].bytes,
			   terminal_key(keys[i].bytes, strlen(keys[i].bytes), &len) == keys[i].key);
		assert_row(keys[i].bytes, len == keys[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_the_order_that_is_asked_for),
		cmocka_unit_test(a_rate_is_what_was_added_in_the_last_interval),
		cmocka_unit_test(what_comes_after_the_last_tick_is_not_shown),
		cmocka_unit_test(who_is_idle_is_forgotten_when_there_are_too_many),
		cmocka_unit_test(a_crowd_that_never_rests_is_bounded_too),
		cmocka_unit_test(events_are_added_up_by_workload_and_by_zone),
		cmocka_unit_test(the_rules_of_another_policy_replace_these),
		cmocka_unit_test(no_screen_is_too_small),
		cmocka_unit_test(numbers_stay_in_sight),
		cmocka_unit_test(the_head_has_more_lines_where_it_is_narrow),
		cmocka_unit_test(keys_are_known_by_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
