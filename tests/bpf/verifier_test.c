/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define LOG_STATS     4 /* BPF_LOG_STATS: the verifier tells its sums only */
#define LOG_BYTES     16384
#define MAX_PROGRAMS  16
#define MAX_PROCESSED 250000 /* a quarter of what the kernel allows */
#define MAX_FUNCTIONS 128    /* of a program */
#define MAX_STACK     512    /* of a chain of calls */
#define STACK_UNIT    32     /* older kernels round each call's up to this, newer ones to 16 */

/* A program's functions, in their order. */
struct functions {
	struct bpf_insn *insn;
	size_t insns;
	size_t count;
	size_t start[MAX_FUNCTIONS + 1];
	size_t stack[MAX_FUNCTIONS];
	size_t chain[MAX_FUNCTIONS]; /* what it and its calls take; 0: not known yet */
	size_t next[MAX_FUNCTIONS];  /* the call that takes most */
};

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

/* Where it calls a function of its own: how far away that is; else 0. */
static int call_of(const struct bpf_insn *insn)
{
	bool is_call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;

	/* In what a kernel tells of a program that it compiled. */
	return is_call ? insn->off + 1 : 0;
}

/* As it is in the kernel: without what verifiers found is never run. */
static void read_program(const struct bpf_program *program, struct functions *f)
{
	struct bpf_func_info functions[MAX_FUNCTIONS];
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	assert_true(info.jited_prog_len > 0 && info.nr_func_info <= MAX_FUNCTIONS);
	f->insns = info.xlated_prog_len / sizeof(*f->insn);
	f->insn = xcalloc(f->insns, sizeof(*f->insn));
	f->count = info.nr_func_info;
	size = sizeof(info);
	info = (struct bpf_prog_info){
		.xlated_prog_len = f->insns * sizeof(*f->insn),
		.xlated_prog_insns = (uintptr_t)f->insn,
		.nr_func_info = f->count,
		.func_info_rec_size = sizeof(*functions),
		.func_info = (uintptr_t)functions,
	};
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	for (size_t i = 0; i < f->count; i++)
		f->start[i] = functions[i].insn_off;
	f->start[f->count] = f->insns;
}

static size_t function_at(const struct functions *f, size_t at)
{
	size_t i = 0;

	while (i < f->count && f->start[i] != at)
		i++;
	assert_true(i < f->count);
	return i;
}

/* "stack depth 72+256+8 …": of each function. */
static void read_stacks(const char *name, const char *log, struct functions *f)
{
	const char *next = strstr(log, "stack depth ");
	char *end;

	if (!next)
		fail_msg("%s: the verifier tells no stack: '%s'", name, log);
	next += strlen("stack depth ");
	for (size_t i = 0; i < f->count; i++) {
		f->stack[i] = strtoul(next, &end, 10);
		assert_true(end > next && (*end == (i + 1 < f->count ? '+' : '\n')));
		next = end + 1;
	}
}

/* Verifiers have seen that it ends. */
static size_t find_chain(struct functions *f, size_t function)
{
	size_t own = f->stack[function] ? f->stack[function] : 1, most = 0, callee;

	if (f->chain[function])
		return f->chain[function];
	f->next[function] = f->count;
	for (size_t at = f->start[function]; at < f->start[function + 1]; at++) {
		if (!call_of(&f->insn[at]))
			continue;
		callee = function_at(f, at + call_of(&f->insn[at]));
		if (find_chain(f, callee) <= most)
			continue;
		most = f->chain[callee];
		f->next[function] = callee;
	}
	f->chain[function] = (own + STACK_UNIT - 1) / STACK_UNIT * STACK_UNIT + most;
	return f->chain[function];
}

/* The kernel here may allow more than others: as they would add it up. */
static void check_stack(const struct bpf_program *program, const char *log)
{
	const char *name = bpf_program__name(program);
	struct functions f = {};

	read_program(program, &f);
	read_stacks(name, log, &f);
	find_chain(&f, 0);
	free(f.insn);
	print_message("# stack: %s %zu bytes:", name, f.chain[0]);
	for (size_t i = 0; i < f.count; i = f.next[i])
		print_message(" %zu", f.stack[i]);
	print_message("\n");
	if (f.chain[0] > MAX_STACK)
		fail_msg("%s: %zu bytes of stack", name, f.chain[0]);
}

/*
 * LI-24.  The count differs between kernels, as verifiers prune differently: scripts/kernel-matrix
 * runs this on older ones.
 */
static void check_programs(uint32_t flow_ticks)
{
	_cleanup_(destroyp)
	struct bulkhead_bpf *skel = object_open();
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
		check_stack(program, logs[seen]);
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

/*
 * Older kernels refuse atomic operations that return something.  What is left of them where none is
 * to be used, older.c would make another operation.
 */
static void without_atomic_results_nothing_of_them_is_left(void **state)
{
	_cleanup_(destroyp)
	struct bulkhead_bpf *skel = object_open();
	struct bpf_program *program;

	(void)state;
	assert_non_null(skel);
	skel->rodata->bh_has_fetch = false;
	assert_int_equal(bulkhead_bpf__load(skel), 0);
	bpf_object__for_each_program(program, skel->obj)
	{
		struct functions f = {};

		read_program(program, &f);
		for (size_t at = 0; at < f.insns; at++)
			assert_row(bpf_program__name(program),
				   BPF_CLASS(f.insn[at].code) != BPF_STX ||
					   BPF_MODE(f.insn[at].code) != BPF_ATOMIC ||
					   f.insn[at].imm == BPF_ADD);
		free(f.insn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_is_far_from_the_limit),
		cmocka_unit_test(and_so_it_is_where_flows_are_logged),
		cmocka_unit_test(without_atomic_results_nothing_of_them_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
