/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/verifier.h"

#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "tests/bench/cost.h"
#include "util/mem.h"
#include "util/text.h"

#define LOG_STATS    4 /* BPF_LOG_STATS: the verifier tells its sums only */
#define LOG_BYTES    16384
#define MAX_PROGRAMS 16
#define INSTRUCTIONS_MAX                                                                           \
	100000 /* that 6.1, which takes more than twice as many, is far from 1M                    \
		*/

static void add_sum(const char *program, const char *log, const char *word, const char *what,
		    struct results *results)
{
	_text_ struct text name = TEXT_INIT;
	const char *at = log ? strstr(log, word) : NULL;
	struct metric m = {.unit = what};

	text_addf(&name, "verifier-%s-%s", what, program);
	m.name = text_take(&name);
	if (at)
		m.figure.median = strtod(at + strlen(word), NULL);
	else
		m.problem = xstrdup("the verifier tells nothing");
	m.figure.low = m.figure.high = m.figure.median;
	if (!strcmp(what, "instructions"))
		m.goal = INSTRUCTIONS_MAX;
	results_add(results, &m);
}

int verifier_measure(struct results *results)
{
	struct bulkhead_bpf *skel = object_open();
	struct metric load = {.name = xstrdup("verifier-load"), .unit = "ms"};
	char *logs[MAX_PROGRAMS] = {};
	struct bpf_program *program;
	struct cost start;
	size_t count = 0;
	int err;

	if (!skel) {
		free(load.name);
		return -errno;
	}
	bpf_object__for_each_program(program, skel->obj)
	{
		if (count == MAX_PROGRAMS)
			break;
		logs[count] = xcalloc(1, LOG_BYTES);
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, logs[count++], LOG_BYTES);
	}
	start = cost_now();
	err = bulkhead_bpf__load(skel);
	load.figure.median = load.figure.low = load.figure.high = cost_since(start).cpu_ms;
	results_add(results, &load);
	count = 0;
	bpf_object__for_each_program(program, skel->obj)
	{
		if (err || count == MAX_PROGRAMS)
			break;
		add_sum(bpf_program__name(program), logs[count], "processed ", "instructions",
			results);
		add_sum(bpf_program__name(program), logs[count++], "total_states ", "states",
			results);
	}
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		free(logs[i]);
	bulkhead_bpf__destroy(skel);
	return err;
}
