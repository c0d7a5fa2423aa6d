/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "datapath/lanes.h"
#include "tests/test.h"

#define LANES 3
#define EACH  4

struct made {
	struct bh_lane of[LANES];
	struct bh_event events[LANES * EACH];
	struct lanes lanes;
};

static void made_init(struct made *m, uint64_t begin)
{
	*m = (struct made){};
	for (int i = 0; i < LANES; i++)
		m->of[i].written = m->of[i].read = begin;
	lanes_init(&m->lanes, m->of, m->events, LANES, EACH);
}

static void add(struct made *m, int lane, uint64_t time)
{
	m->events[lane * EACH + m->of[lane].written++ % EACH].time_ns = time;
}

/* Times that were shown, a letter each. */
struct shown {
	char letters[64];
	size_t count;
};

static void show(const struct bh_event *event, void *user)
{
	struct shown *s = user;

	s->letters[s->count++] = (char)event->time_ns;
}

static void reads(struct made *m, size_t most, const char *letters)
{
	struct shown shown = {};

	assert_int_equal(lanes_read(&m->lanes, most, show, &shown), strlen(letters));
	assert_string_equal(shown.letters, letters);
}

static void the_oldest_event_of_all_lanes_comes_first(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 0);
	reads(&m, 10, "");
	add(&m, 0, 'b');
	add(&m, 0, 'c');
	add(&m, 0, 'g');
	add(&m, 2, 'a');
	add(&m, 2, 'd');
	add(&m, 1, 'e');
	add(&m, 1, 'f');
	reads(&m, 10, "abcdefg");
	reads(&m, 10, "");
	lanes_release(&m.lanes);
}

static void places_are_free_when_they_were_read(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, 0);
	for (char c = 'a'; c < 'a' + EACH; c++)
		add(&m, 1, (uint64_t)c);
	add(&m, 0, 'c');
	reads(&m, 3, "abc");
	assert_int_equal(m.of[0].read + m.of[1].read, 3);
	reads(&m, 1, "c");
	assert_true(m.of[0].read == 1 && m.of[1].read == 3);
	reads(&m, 10, "d");
	assert_int_equal(m.of[1].read, EACH);
	lanes_release(&m.lanes);
}

static void a_lane_begins_anew_at_its_end(void **state)
{
	struct made m;

	(void)state;
	made_init(&m, UINT64_MAX - 2);
	for (char c = 'a'; c < 'a' + 12; c += 2) {
		const char both[] = {c, (char)(c + 1), '\0'};

		add(&m, 0, (uint64_t)both[0]);
		add(&m, 2, (uint64_t)both[1]);
		reads(&m, 10, both);
	}
	lanes_release(&m.lanes);
}

static void all_cpus_share_what_room_there_is(void **state)
{
	(void)state;
	assert_int_equal(lanes_each(1), BH_LANE_EVENTS);
	assert_int_equal(lanes_each(2), BH_LANE_EVENTS / 2);
	assert_int_equal(lanes_each(3), BH_LANE_EVENTS / 4);
	assert_int_equal(lanes_each(4096), BH_LANE_EVENTS_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_event_of_all_lanes_comes_first),
		cmocka_unit_test(places_are_free_when_they_were_read),
		cmocka_unit_test(a_lane_begins_anew_at_its_end),
		cmocka_unit_test(all_cpus_share_what_room_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
