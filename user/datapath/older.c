/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/older.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "util/cleanup.h"
#include "util/mem.h"

static bool has_xdp_frags, has_fetch;

/* Before 5.18 drivers hand over packets of one buffer only, and refuse interfaces of larger MTU. */
static bool probe_xdp_frags(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) == 1;
}

/* Before 5.12 atomic operations return nothing. */
static bool probe_fetch(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_0,
		 .off = -8,
		 .imm = BPF_ADD | BPF_FETCH},
		{.code = BPF_JMP | BPF_EXIT},
	};
	_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, NULL, "GPL", program,
				       sizeof(program) / sizeof(program[0]), NULL);

	return fd >= 0;
}

/*
 * The operations that older kernels don't know, they refuse also where they are never reached, as
 * bh_has_fetch makes sure.  There they are made others.
 */
static int drop_fetches(struct bpf_program *program,
			struct bpf_prog_load_opts *options __attribute__((unused)),
			long cookie __attribute__((unused)))
{
	size_t count = bpf_program__insn_cnt(program);
	_free_ struct bpf_insn *insns = xcalloc(count, sizeof(*insns));

	memcpy(insns, bpf_program__insns(program), count * sizeof(*insns));
	for (size_t i = 0; i < count; i++) {
		if (BPF_CLASS(insns[i].code) == BPF_STX && BPF_MODE(insns[i].code) == BPF_ATOMIC)
			insns[i].imm = BPF_ADD;
	}
	return bpf_program__set_insns(program, insns, count);
}

static void begin(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = drop_fetches);

	has_xdp_frags = probe_xdp_frags();
	has_fetch = has_xdp_frags || probe_fetch();
#if defined(__x86_64__) /* elsewhere they are barriers, too, and there is no other */
	if (has_fetch)
		return;
	libbpf_register_prog_handler("xdp", BPF_PROG_TYPE_XDP, BPF_XDP, &options);
	libbpf_register_prog_handler("tc", BPF_PROG_TYPE_SCHED_CLS, 0, &options);
#endif
}

void older_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, begin);
}

void older_configure(struct bulkhead_bpf *skel)
{
	__u32 flags = has_xdp_frags ? BPF_F_XDP_HAS_FRAGS : 0;

	skel->rodata->bh_has_xdp_frags = has_xdp_frags;
	skel->rodata->bh_has_fetch = has_fetch;
	bpf_program__set_flags(skel->progs.bh_xdp_in, flags);
	bpf_program__set_flags(skel->progs.bh_xdp_rest, flags);
}
