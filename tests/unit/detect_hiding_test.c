/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an attacker may do so as not to be told: floods, decoys, limits of events, many addresses.
 */
#include "agent/detect/detect_suspects.h"
#include "tests/unit/detect_world.h"

#define API      "10.0.16.10"
#define POSTGRES "10.0.32.10"

/* From the wire, each source once or a few times. */
static void flood(struct world *w, uint32_t net, uint32_t count)
{
	bool was_remote = w->is_remote;

	w->is_remote = true;
	for (uint32_t i = 0; i < count; i++) {
		w->now_ns += SECOND / 10000;
		knock(w, host(net, i), "10.0.0.10", 80);
	}
	w->is_remote = was_remote;
}

static void a_flood_of_invented_sources_hides_no_scan_from_here(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port < 10; port++) {
		knock(&w, API, POSTGRES, port);
		flood(&w, INTERNAL_NET, 10000);
		flood(&w, STRANGERS, 10000);
	}
	text_reset(&w.seen);
	knock(&w, API, POSTGRES, 10);
	assert_seen(&w, "the tenth port", "BD001");
}

static void a_flood_of_invented_sources_hides_no_scan_from_another_zone(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	w.is_remote = true;
	flood(&w, STRANGERS, 100000);
	text_reset(&w.seen);
	for (uint16_t port = 1; port <= 10; port++) {
		knock(&w, API, POSTGRES, port);
		flood(&w, STRANGERS, 1000);
	}
	assert_seen(&w, "api's scan", "BD001");
	assert_non_null(strstr(w.line.buf, "api(internal) 10.0.16.10 tried"));
}

static void who_finds_no_place_is_told_as_one_of_several(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	flood(&w, STRANGERS, 100000);
	text_reset(&w.seen);
	w.is_remote = true;
	for (uint16_t port = 1; port <= 10; port++)
		knock(&w, "198.51.100.7", "10.0.0.10", port);
	assert_seen(&w, "another stranger's scan", "BD001");
	assert_non_null(strstr(w.line.buf, "several addresses of outside tried"));
	assert_null(strstr(w.json.buf, "\"source\":{\"ip\""));
}

static void addresses_that_a_workload_takes_in_turn_are_one(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint32_t i = 0; i < 4 + 10; i++)
		knock(&w, host(INTERNAL_NET, i), POSTGRES, 1000 + i);
	assert_int_equal(detect_count(w.detect, DETECT_VERTICAL), 1);
	assert_non_null(strstr(w.line.buf, "several addresses of internal"));
}

static void decoys_do_not_push_out_what_was_seen(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port < 10; port++) {
		knock(&w, API, POSTGRES, port);
		for (uint16_t i = 0; i < 1000; i++)
			knock(&w, API, host(INTERNAL_NET, i % 2), 80 + i % 2);
	}
	text_reset(&w.seen);
	knock(&w, API, POSTGRES, 10);
	assert_seen(&w, "the tenth port", "BD001");
}

/* Many packets that tell nothing use up the events of a second. */
static void who_uses_up_the_limit_of_events_is_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint32_t i = 0; i < 3000; i++, w.now_ns += SECOND / 100)
		knock(&w, API, POSTGRES, 80);
	assert_seen(&w, "noise", "BD009");
	w.now_ns += 601 * SECOND;
	for (uint32_t i = 0; i < 3000; i++) {
		struct bh_event event = event_of(&w, API, "224.0.0.251", 5353);

		event.proto = IPPROTO_UDP;
		send_event(&w, &event);
	}
	assert_seen(&w, "noise that asks for nothing", "BD009");
}

/* Of a scan at @rate a second, the first @limit events of each second. */
static uint64_t scan_behind_limit(uint32_t rate, uint32_t limit, uint32_t count)
{
	_world_ struct world w;
	uint64_t start_ns, second = 0;
	uint32_t passed = 0;

	world_begin(&w);
	start_ns = w.now_ns;
	for (uint32_t i = 0; i < count && !w.seen.len; i++) {
		w.now_ns = start_ns + i * (SECOND / rate);
		passed = (w.now_ns - start_ns) / SECOND == second ? passed : 0;
		second = (w.now_ns - start_ns) / SECOND;
		if (passed++ < limit)
			knock(&w, API, POSTGRES, i);
	}
	assert_seen(&w, "behind the limit", "BD001");
	return w.now_ns - start_ns;
}

static void a_scan_is_told_behind_the_limit_of_events(void **state)
{
	(void)state;
	assert_true(scan_behind_limit(10000, 100, 65535) < SECOND);
	assert_true(scan_behind_limit(10000, 10, 65535) < SECOND);
	assert_true(scan_behind_limit(5000, 1, 65535) < 10 * SECOND);
}

static void a_target_is_not_pushed_out_by_a_sweep(void **state)
{
	_world_ struct world w;
	uint64_t before;

	(void)state;
	world_begin(&w);
	w.is_remote = true;
	for (uint32_t i = 0; i < 19; i++) {
		knock(&w, host(INTERNAL_NET, i), POSTGRES, 5432);
		for (uint32_t k = 0; k < 900; k++)
			knock(&w, "10.0.0.66", host(DATA_NET, i * 900 + k), 22);
	}
	before = detect_count(w.detect, DETECT_CROWD);
	knock(&w, host(INTERNAL_NET, 99), POSTGRES, 5432);
	assert_int_equal(detect_count(w.detect, DETECT_CROWD), before + 1);
}

/* Of every kind, more than there is room for, and then all of it again later. */
static void memory_is_bounded(void **state)
{
	struct suspects *s = suspects_new(600 * SECOND);
	char zone[16];

	(void)state;
	for (uint64_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 200000; i++) {
			struct bh_addr addr = {.word = {0, 0, htonl(0xffff), htonl(i)}};
			struct origin_key key = {.kind = i & 1, .ifindex = i % 5000, .zone = zone};

			snprintf(zone, sizeof(zone), "z%u", i % 3000);
			assert_non_null(suspects_take(s, &key, &addr, round * 1000 * SECOND));
		}
	}
	assert_true(suspects_count(s, ORIGIN_LOCAL) <= SUSPECT_LOCAL_MAX);
	assert_true(suspects_count(s, ORIGIN_LOCAL) > SUSPECT_LOCAL_MAX / 2);
	assert_true(suspects_count(s, ORIGIN_REMOTE) <= SUSPECT_REMOTE_MAX);
	assert_true(suspects_count(s, ORIGIN_REMOTE) > SUSPECT_REMOTE_MAX / 2);
	suspects_free(s);
}

static void all_of_it_fits_into_what_is_declared(void **state)
{
	size_t suspects = ORIGIN_LOCAL_MAX + ORIGIN_REMOTE_MAX + ORIGIN_KINDS + SUSPECT_LOCAL_MAX +
			  SUSPECT_REMOTE_MAX;
	size_t each = sizeof(struct suspect) + PAIRS_MAX * sizeof(struct pair) + 128;

	(void)state;
	assert_true(suspects * each < DETECT_BYTES_MAX * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_invented_sources_hides_no_scan_from_here),
		cmocka_unit_test(a_flood_of_invented_sources_hides_no_scan_from_another_zone),
		cmocka_unit_test(who_finds_no_place_is_told_as_one_of_several),
		cmocka_unit_test(addresses_that_a_workload_takes_in_turn_are_one),
		cmocka_unit_test(decoys_do_not_push_out_what_was_seen),
		cmocka_unit_test(who_uses_up_the_limit_of_events_is_told),
		cmocka_unit_test(a_scan_is_told_behind_the_limit_of_events),
		cmocka_unit_test(a_target_is_not_pushed_out_by_a_sweep),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(all_of_it_fits_into_what_is_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
