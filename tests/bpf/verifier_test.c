/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define LOG_STATS     4 /* BPF_LOG_STATS: the verifier tells its sums only */
#define LOG_BYTES     16384
#define MAX_PROGRAMS  16
#define MAX_PROCESSED 250000 /* a quarter of what the kernel allows */

static void destroyp(struct bulkhead_bpf **skel)
{
	bulkhead_bpf__destroy(*skel);
}

/* The line of sums: "processed 4711 insns (limit 1000000) max_states_per_insn 9 …". */
static void check_sums(const char *name, const char *log)
{
	const char *sums = strstr(log, "processed ");
	unsigned long processed;

	if (!sums)
		fail_msg("%s: the verifier tells nothing: '%s'", name, log);
	processed = strtoul(sums + strlen("processed "), NULL, 10);
	print_message("# verifier: %s %.*s\n", name, (int)strcspn(sums, "\n"), sums);
	if (!processed || processed > MAX_PROCESSED)
		fail_msg("%s: %lu instructions processed", name, processed);
}

/*
 * LI-24.  The count differs between kernels, as verifiers prune differently: scripts/kernel-matrix
 * runs this on older ones.
 */
static void check_programs(uint32_t flow_ticks)
{
	_cleanup_(destroyp)
	struct bulkhead_bpf *skel = bulkhead_bpf__open();
	char *logs[MAX_PROGRAMS];
	struct bpf_program *program;
	size_t count = 0, seen = 0;

	assert_non_null(skel);
	skel->rodata->bh_flow_ticks = flow_ticks;
	bpf_object__for_each_program(program, skel->obj)
	{
		assert_true(count < MAX_PROGRAMS);
		logs[count] = xcalloc(1, LOG_BYTES);
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, logs[count++], LOG_BYTES);
	}
	assert_int_equal(bulkhead_bpf__load(skel), 0);
	bpf_object__for_each_program(program, skel->obj)
	{
		check_sums(bpf_program__name(program), logs[seen]);
		free(logs[seen++]);
	}
	assert_true(seen == count && count > 0);
}

static void every_program_is_far_from_the_limit(void **state)
{
	(void)state;
	check_programs(0);
}

static void and_so_it_is_where_flows_are_logged(void **state)
{
	(void)state;
	check_programs(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_is_far_from_the_limit),
		cmocka_unit_test(and_so_it_is_where_flows_are_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
