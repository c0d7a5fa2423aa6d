/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect.h"

#include "policy/load.h"
#include "tests/unit/detect_world.h"

#define API      "10.0.16.10"
#define POSTGRES "10.0.32.10"
#define BASTION  "10.0.48.5"
#define STRANGER "198.51.100.7"
#define TCP_FIN  0x01

static void a_scan_of_one_host_is_told_once(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port <= 9; port++)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "nine ports", "");
	knock(&w, API, POSTGRES, 10);
	assert_seen(&w, "ten ports", "BD001");
	for (uint16_t port = 11; port < 1000; port++)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "all the others", "");
	assert_int_equal(detect_count(w.detect, DETECT_VERTICAL), 1);
}

static void the_next_alert_tells_how_many_were_held_back(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port <= 100; port++)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "at once", "BD001");
	w.now_ns += 601 * SECOND;
	for (uint16_t port = 1; port <= 10; port++)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "after the cooldown", "BD001");
	assert_int_equal(w.count, 91);
}

static void a_scan_of_one_probe_in_ten_seconds_is_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port <= 10; port++, w.now_ns += 10 * SECOND)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "ports", "BD001");
	for (uint32_t i = 0; i < 10; i++, w.now_ns += 10 * SECOND)
		knock(&w, API, host(INTERNAL_NET, i), 22);
	assert_seen(&w, "hosts", "BD002");
}

static void what_is_older_than_the_window_does_not_count(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t port = 1; port <= 100; port++, w.now_ns += 67 * SECOND)
		knock(&w, API, POSTGRES, port);
	assert_seen(&w, "nine in ten minutes", "");
}

static void a_sweep_is_told_for_every_protocol(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint32_t i = 0; i < 10; i++)
		knock(&w, API, host(INTERNAL_NET, i), 22);
	assert_seen(&w, "tcp", "BD002");
	for (uint32_t i = 0; i < 10; i++) {
		struct bh_event event = event_of(&w, "10.0.16.11", host(INTERNAL_NET, i), 0);

		event.proto = IPPROTO_ICMP;
		event.icmp_type = 8;
		event.sport = 0;
		send_event(&w, &event);
	}
	assert_seen(&w, "pings", "BD002");
	for (uint32_t i = 0; i < 10; i++) {
		struct bh_event event = event_of(&w, "10.0.16.12", host(INTERNAL_NET, i), 161);

		event.proto = IPPROTO_UDP;
		send_event(&w, &event);
	}
	assert_seen(&w, "udp", "BD002");
}

/* Every pair is another host and another port: no row or column of them is long. */
static void a_scan_in_both_directions_at_once_is_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	for (uint16_t i = 0; i < 30; i++)
		knock(&w, API, host(INTERNAL_NET, i), 1000 + i);
	assert_seen(&w, "thirty pairs", "BD002");
	for (uint16_t i = 0; i < 1000; i++, w.now_ns += SECOND / 10)
		knock(&w, API, host(INTERNAL_NET, i % 100), 2000 + i);
	assert_seen(&w, "and is told once", "");
}

struct flag_case {
	const char *name;
	uint8_t flags;
	uint16_t sport, dport; /* 0: another with each packet */
	const char *seen;
};

/* clang-format off */
static const struct flag_case flag_cases[] = {
	{ "a scan with FIN",                 TCP_FIN, 50000, 0,    "BD001" },
	{ "a scan without flags",            0,       50000, 0,    "BD001" },
	{ "a scan with ACK",                 ACK,     50000, 0,    "BD001" },
	{ "the server's late FINs",          TCP_FIN, 443,   1,    "" },
	{ "the server's late data",          ACK,     443,   1,    "" },
	{ "a client's connection timed out", ACK,     50000, 5432, "" },
};
/* clang-format on */

static void scans_without_syn_are_told_from_late_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(flag_cases); i++) {
		const struct flag_case *c = &flag_cases[i];
		_world_ struct world w;

		world_begin(&w);
		for (uint16_t k = 0; k < 40; k++) {
			struct bh_event event = event_of(&w, API, POSTGRES, 20 + k);

			if (c->dport)
				event.dport = htons(c->dport == 1 ? 40000 + k : c->dport);
			event.sport = htons(c->sport);
			event.tcp_flags = c->flags;
			event.reason = BH_REASON_NO_CONNECTION;
			send_event(&w, &event);
		}
		assert_seen(&w, c->name, c->seen);
	}
}

/* --- by role --- */

struct role_case {
	const char *name, *src, *dst;
	const char *seen;
};

/* clang-format off */
static const struct role_case role_cases[] = {
	{ "data to outside",              POSTGRES,    STRANGER,        "BD003" },
	{ "data to internal",             POSTGRES,    API,             "BD003" },
	{ "data to management",           POSTGRES,    BASTION,         "BD003" },
	{ "data to data",                 POSTGRES,    "10.0.32.11",    "" },
	{ "data to a group of addresses", POSTGRES,    "224.0.0.251",   "" },
	{ "data to everybody",            POSTGRES,    "255.255.255.255", "" },
	{ "internal to management",       API,         BASTION,         "BD004" },
	{ "front to management",          "10.0.0.10", BASTION,         "BD004" },
	{ "management to management",     BASTION,     "10.0.48.6",     "" },
	{ "outside to management",        STRANGER,    BASTION,         "" },
	{ "internal to data",             API,         POSTGRES,        "" },
	{ "over IPv6",                    "fd00:0:0:20::7", "2001:db8::1", "" },
};
/* clang-format on */

static void roles_tell_who_may_not_even_try(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(role_cases); i++) {
		const struct role_case *c = &role_cases[i];
		_world_ struct world w;

		world_begin(&w);
		knock(&w, c->src, c->dst, 443);
		knock(&w, c->src, c->dst, 443);
		assert_seen(&w, c->name, c->seen);
	}
}

static void an_answer_does_not_reach_out(void **state)
{
	_world_ struct world w;
	struct bh_event event;

	(void)state;
	world_begin(&w);
	event = event_of(&w, POSTGRES, API, 50000);
	event.sport = htons(5432);
	event.tcp_flags = SYN | ACK;
	event.reason = BH_REASON_NO_CONNECTION;
	send_event(&w, &event);
	event.proto = IPPROTO_UDP;
	event.sport = htons(53);
	event.reason = BH_REASON_POLICY;
	send_event(&w, &event);
	assert_seen(&w, "answers", "");
}

/* --- who was quiet --- */

static void let_know(struct world *w)
{
	static const char text[] =
		"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: t}\nspec:\n"
		"  workloads:\n"
		"    - {name: api, addresses: [10.0.16.10]}\n"
		"    - {name: postgres, addresses: [10.0.32.10]}\n"
		"  rules:\n    - {name: r, from: api, to: postgres, services: tcp/5432}\n";
	struct source source = source_of("p.yaml", text, strlen(text));
	_diags_ struct diags diags = {};
	_policy_ struct policy *policy = NULL;

	assert_int_equal(policy_load_sources(&source, 1, &diags, &policy), 0);
	detect_workloads(w->detect, policy, w->now_ns);
}

static void the_first_denial_of_a_quiet_workload_is_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	let_know(&w);
	w.now_ns += 86399 * SECOND;
	knock(&w, API, POSTGRES, 1);
	assert_seen(&w, "a second too early", "");
	w.now_ns += 2 * SECOND;
	let_know(&w);
	knock(&w, POSTGRES, "10.0.32.11", 1);
	assert_seen(&w, "a day of quiet", "BD005");
	knock(&w, API, POSTGRES, 1);
	knock(&w, POSTGRES, "10.0.32.11", 2);
	knock(&w, "10.0.0.10", POSTGRES, 2);
	assert_seen(&w, "never again, and of nobody unknown", "");
}

/* --- regular intervals --- */

struct beat_case {
	const char *name;
	uint64_t interval_ms[12]; /* ended by 0 */
	bool is_same_port;
	uint8_t proto;
	const char *seen;
};

/* clang-format off */
static const struct beat_case beat_cases[] = {
	{ "every minute", { 60000, 60000, 60000, 60000, 60000 }, false, IPPROTO_TCP, "BD006" },
	{ "with some jitter", { 60000, 52000, 66000, 59000, 71000 }, false, IPPROTO_TCP, "BD006" },
	{ "once an hour", { 3600000, 3610000, 3590000, 3600000, 3600000 }, false, IPPROTO_TCP, "BD006" },
	{ "always two at once", { 30000, 1, 30000, 1, 30000, 1, 30000, 1, 30000, 1 }, false, IPPROTO_UDP, "BD006" },
	{ "from one port, by UDP", { 10000, 10000, 10000, 10000, 10000 }, true, IPPROTO_UDP, "BD006" },
	{ "from one port, by TCP, for long", { 150000, 150000, 150000, 150000, 150000 }, true, IPPROTO_TCP, "BD006" },
	{ "five times", { 60000, 60000, 60000, 60000 }, false, IPPROTO_TCP, "" },
	{ "a SYN and its repetitions", { 1000, 2000, 4000, 8000, 16000, 32000, 64000 }, true, IPPROTO_TCP, "" },
	{ "repetitions of later kernels", { 1000, 1000, 1000, 1000, 1000, 2000, 4000, 8000 }, true, IPPROTO_TCP, "" },
	{ "a client that waits ever longer", { 2000, 4000, 8000, 16000, 32000, 64000 }, false, IPPROTO_TCP, "" },
	{ "people", { 5000, 90000, 12000, 40000, 300000, 7000, 33000 }, false, IPPROTO_TCP, "" },
	{ "a flood", { 10, 10, 10, 10, 10, 10, 10, 10, 10 }, false, IPPROTO_TCP, "" },
};
/* clang-format on */

static void regular_attempts_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beat_cases); i++) {
		const struct beat_case *c = &beat_cases[i];
		_world_ struct world w;

		world_begin(&w);
		for (size_t k = 0; !k || c->interval_ms[k - 1]; k++) {
			struct bh_event event = event_of(&w, API, STRANGER, 443);

			event.proto = c->proto;
			send_event(&w, &event);
			w.sport += !c->is_same_port;
			w.now_ns += c->interval_ms[k] * (SECOND / 1000);
		}
		assert_seen(&w, c->name, c->seen);
	}
}

/* --- many to one --- */

static void many_denied_sources_are_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	w.is_remote = true;
	for (uint32_t i = 0; i < 19; i++)
		knock(&w, host(INTERNAL_NET, i), POSTGRES, 5432);
	knock(&w, host(INTERNAL_NET, 7), POSTGRES, 5432);
	assert_seen(&w, "nineteen", "");
	knock(&w, host(INTERNAL_NET, 20), POSTGRES, 22);
	assert_seen(&w, "twenty", "BD007");
	for (uint32_t i = 0; i < 200; i++)
		knock(&w, host(STRANGERS, i), "10.0.0.10", 23);
	assert_seen(&w, "strangers at the front", "");
	for (uint32_t i = 0; i < 20; i++)
		knock(&w, host(STRANGERS, i), "10.0.32.11", 23);
	assert_seen(&w, "strangers deep inside", "BD007");
}

/* --- spoofed --- */

static void pretend(struct world *w, const char *src, int times)
{
	struct bh_event event = event_of(w, src, POSTGRES, 5432);

	event.reason = BH_REASON_SPOOFED_SOURCE;
	while (times--)
		send_event(w, &event);
}

static void spoofed_sources_are_told_of_their_interface(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	pretend(&w, "0.0.0.0", 100);
	pretend(&w, "::", 100);
	pretend(&w, "169.254.7.7", 100);
	pretend(&w, "fe80::7", 100);
	assert_seen(&w, "who has no address yet", "");
	pretend(&w, "10.0.48.5", 2);
	pretend(&w, "10.0.48.6", 2);
	w.ifindex = 4;
	pretend(&w, "10.0.48.5", 4);
	assert_seen(&w, "four of each", "");
	pretend(&w, "10.0.48.7", 1);
	assert_seen(&w, "five", "BD008");
	w.now_ns += 601 * SECOND;
	pretend(&w, "10.0.48.7", 4);
	assert_seen(&w, "long ago", "");
}

/* --- none --- */

static void benign_traffic_raises_nothing(void **state)
{
	_world_ struct world w;
	struct bh_event event;

	(void)state;
	world_begin(&w);
	let_know(&w);
	knock(&w, API, POSTGRES, 9);
	w.now_ns += SECOND;
	knock(&w, API, POSTGRES, 9);
	assert_seen(&w, "a client that tries again", "");
	for (uint32_t i = 0; i < 500; i++, w.now_ns += SECOND / 10) {
		event = event_of(&w, "10.0.48.5", host(INTERNAL_NET, i), 9100);
		event.verdict = BH_VERDICT_ALLOW;
		event.reason = BH_REASON_NONE;
		send_event(&w, &event);
	}
	assert_seen(&w, "monitoring whose rule logs", "");
	for (uint32_t i = 0; i < 500; i++) {
		event = event_of(&w, "10.0.16.53", API, 40000 + i);
		event.proto = IPPROTO_UDP;
		event.sport = htons(53);
		send_event(&w, &event);
	}
	assert_seen(&w, "DNS answers that came too late", "");
	for (uint32_t i = 0; i < 500; i++) {
		event = event_of(&w, API, host(INTERNAL_NET, i), 40000);
		event.proto = IPPROTO_ICMP;
		event.icmp_type = 3;
		event.reason = BH_REASON_ICMP_UNRELATED;
		send_event(&w, &event);
	}
	assert_seen(&w, "ICMP errors", "");
	for (uint32_t i = 0; i < 500; i++) {
		event = event_of(&w, API, "224.0.0.251", 5353);
		event.proto = IPPROTO_UDP;
		event.dst.word[3] = htonl(0xe0000000 + i);
		send_event(&w, &event);
	}
	assert_seen(&w, "announcements to groups", "");
}

static void audited_attempts_are_told_as_let_through(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	w.verdict = BH_VERDICT_AUDIT;
	knock(&w, POSTGRES, STRANGER, 443);
	assert_seen(&w, "audit", "BD003");
	assert_non_null(strstr(w.json.buf, "\"let_through\":true"));
	assert_non_null(strstr(w.line.buf, "(let through: audit)"));
	for (uint16_t port = 1; port <= 10; port++) {
		struct bh_event event = event_of(&w, API, POSTGRES, port);

		send_event(&w, &event);
		event.direction = BH_INGRESS;
		send_event(&w, &event);
	}
	assert_seen(&w, "where it leaves, not where it arrives", "BD001");
}

static void what_is_turned_off_is_not_told(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	detect_free(w.detect);
	memset(w.config.threshold, 0, sizeof(w.config.threshold));
	w.detect = detect_new(&w.config, on_alert, &w);
	let_know(&w);
	w.now_ns += 100000 * SECOND;
	for (uint16_t i = 0; i < 1000; i++, w.now_ns += 3 * SECOND)
		knock(&w, POSTGRES, host(INTERNAL_NET, i % 7), i);
	pretend(&w, API, 1000);
	assert_seen(&w, "off", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_of_one_host_is_told_once),
		cmocka_unit_test(the_next_alert_tells_how_many_were_held_back),
		cmocka_unit_test(a_scan_of_one_probe_in_ten_seconds_is_told),
		cmocka_unit_test(what_is_older_than_the_window_does_not_count),
		cmocka_unit_test(a_sweep_is_told_for_every_protocol),
		cmocka_unit_test(a_scan_in_both_directions_at_once_is_told),
		cmocka_unit_test(scans_without_syn_are_told_from_late_packets),
		cmocka_unit_test(roles_tell_who_may_not_even_try),
		cmocka_unit_test(an_answer_does_not_reach_out),
		cmocka_unit_test(the_first_denial_of_a_quiet_workload_is_told),
		cmocka_unit_test(regular_attempts_are_told),
		cmocka_unit_test(many_denied_sources_are_told),
		cmocka_unit_test(spoofed_sources_are_told_of_their_interface),
		cmocka_unit_test(benign_traffic_raises_nothing),
		cmocka_unit_test(audited_attempts_are_told_as_let_through),
		cmocka_unit_test(what_is_turned_off_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
