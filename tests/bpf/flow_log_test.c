/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Agents that end at any moment while they write the flow log: each record is in the file once. */
#include "agent/flows/flow_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bpf/rig.h"
#include "util/clock.h"

#define INTERVAL_S 60

static char directory[] = "/tmp/flow-log-test-XXXXXX";
static char path[48];

struct bench {
	struct rig *rig;
	struct loop *loop;
	struct flow_log_config config;
	struct naming naming;
	struct endpoints endpoints;
	struct flow_log log;
};

/* As another process would have it. */
static void start_agent(struct bench *b)
{
	b->log = (struct flow_log){
		.config = &b->config,
		.dp = b->rig->dp,
		.naming = &b->naming,
		.endpoints = &b->endpoints,
		.batch = TEXT_INIT,
	};
	assert_int_equal(loop_new(&b->loop), 0);
	flow_log_start(&b->log, b->loop);
}

/* Whatever it was about to do. */
static void kill_agent(struct bench *b)
{
	flow_file_close(&b->log.file);
	text_release(&b->log.batch);
	loop_free(b->loop);
}

static void stop_agent(struct bench *b)
{
	flow_log_release(&b->log);
	loop_free(b->loop);
}

/* A connection of this port, opened and over. */
static void carry(struct bench *b, uint16_t port)
{
	const struct packet_spec syn = {.sport = port};

	assert_true(rig_run(b->rig, "SYN", PROGRAM_TO, &syn).is_passed);
	rig_age(b->rig, 20);
	assert_true(datapath_sweep(b->rig->dp, clock_monotonic_ns()) >= 0);
}

/* The source ports of the lines in the file, in order. */
static void assert_logged(const char *expected)
{
	_text_ struct text ports = TEXT_INIT;
	_fclose_ FILE *file = fopen(path, "re");
	unsigned int port;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_int_equal(sscanf(line, "2 - - 10.77.1.1 10.77.2.1 %u 443 6 1 ", &port), 1);
		text_addf(&ports, "%s%u", ports.len ? " " : "", port);
	}
	assert_string_equal(ports.buf, expected);
}

static void ignore(const struct bh_flow *flow, void *user)
{
	(void)flow;
	(void)user;
}

static void append(const char *s)
{
	_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, s, strlen(s)), strlen(s));
}

static void what_was_written_is_not_written_again(void **state)
{
	struct bench *b = *state;

	start_agent(b);
	carry(b, 1001);
	flow_log_read(&b->log, false);
	assert_logged("1001");
	kill_agent(b);
	start_agent(b);
	carry(b, 1002);
	flow_log_read(&b->log, false);
	assert_logged("1001 1002");
	stop_agent(b);
}

static void what_was_read_and_not_written_is_written(void **state)
{
	struct bench *b = *state;

	start_agent(b);
	carry(b, 1001);
	assert_int_equal(datapath_flows_read(b->rig->dp, ignore, NULL), 1);
	kill_agent(b);
	start_agent(b);
	assert_logged("1001");
	stop_agent(b);
}

static void what_was_written_and_not_said_so_is_taken_back(void **state)
{
	struct bench *b = *state;
	struct bh_flow_mark mark;

	start_agent(b);
	carry(b, 1001);
	flow_log_read(&b->log, false);
	carry(b, 1002);
	mark = (struct bh_flow_mark){
		.position = datapath_flows_position(b->rig->dp),
		.inode = b->log.file.inode,
		.size = b->log.file.size,
	};
	assert_int_equal(datapath_flows_mark(b->rig->dp, &mark), 0);
	append("2 - - 10.77.1.1 10.77.2.1 1002 443 6 1 54 1 1 ACCEPT OK\n2 - - 10.77.");
	kill_agent(b);
	start_agent(b);
	assert_logged("1001 1002");
	stop_agent(b);
}

static void a_full_disk_keeps_records_waiting(void **state)
{
	struct bench *b = *state;
	struct rlimit old, limit;

	start_agent(b);
	carry(b, 1001);
	flow_log_read(&b->log, false);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = b->log.file.size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	carry(b, 1002);
	carry(b, 1003);
	flow_log_tick(&b->log);
	assert_int_equal(b->log.err, -EFBIG);
	assert_logged("1001");
	kill_agent(b);
	start_agent(b);
	assert_logged("1001");
	carry(b, 1004);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	flow_log_tick(&b->log);
	assert_int_equal(b->log.err, 0);
	flow_log_tick(&b->log);
	assert_logged("1001 1002 1003 1004");
	stop_agent(b);
}

static void a_directory_that_comes_later_is_found(void **state)
{
	struct bench *b = *state;
	_text_ struct text away = TEXT_INIT;

	text_addf(&away, "%s-away", directory);
	assert_int_equal(rename(directory, away.buf), 0);
	start_agent(b);
	assert_int_equal(b->log.err, -ENOENT);
	carry(b, 1001);
	flow_log_tick(&b->log);
	assert_int_equal(rename(away.buf, directory), 0);
	flow_log_tick(&b->log);
	assert_logged("1001");
	stop_agent(b);
}

static int begin(void **state)
{
	struct bench *b = *state;
	const struct packet_spec denied = {.dport = 444};

	rig_policy(b->rig, "    - {name: web, from: client, to: server, services: tcp/443}\n");
	rig_forget(b->rig);
	rig_run(b->rig, "who is where", PROGRAM_TO, &denied);
	while (datapath_flows_read(b->rig->dp, ignore, NULL))
		datapath_flows_done(b->rig->dp);
	unlink(path);
	return 0;
}

static int setup(void **state)
{
	static struct bench b;
	const struct datapath_config config = {
		.conn_lines = RIG_CONN_LINES,
		.flow_interval_s = INTERVAL_S,
	};

	if (!mkdtemp(directory))
		return -1;
	signal(SIGXFSZ, SIG_IGN);
	snprintf(path, sizeof(path), "%s/flow.log", directory);
	b.config = (struct flow_log_config){.path = path, .format = FLOW_VPC, .keep = 3};
	b.rig = rig_new_config(&config);
	*state = &b;
	return datapath_flows_open(b.rig->dp);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	rig_free(b->rig);
	unlink(path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_written_is_not_written_again, begin),
		cmocka_unit_test_setup(what_was_read_and_not_written_is_written, begin),
		cmocka_unit_test_setup(what_was_written_and_not_said_so_is_taken_back, begin),
		cmocka_unit_test_setup(a_full_disk_keeps_records_waiting, begin),
		cmocka_unit_test_setup(a_directory_that_comes_later_is_found, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
