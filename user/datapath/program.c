/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/program.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/internal.h"
#include "datapath/loader.h"

#define ALONE_FRAME 64 /* bytes, which such a program doesn't look at */

const char *program_word(enum program program)
{
	static const char *const words[PROGRAMS] = {
		[PROGRAM_XDP_IN] = "bh_xdp_in",
		[PROGRAM_HOST_IN] = "bh_tc_host_in",
		[PROGRAM_HOST_OUT] = "bh_tc_host_out",
		[PROGRAM_FROM] = "bh_tc_from",
		[PROGRAM_TO] = "bh_tc_to",
	};

	return words[program];
}

bool program_is_ingress(enum program program)
{
	return program != PROGRAM_HOST_OUT && program != PROGRAM_FROM;
}

bool program_is_host(enum program program)
{
	return program < PROGRAM_FROM;
}

int program_run(const struct datapath *dp, enum program program, const struct program_input *in,
		int *ret)
{
	const __u32 other = in->is_forwarded ? PROGRAM_IFINDEX + 1 : 0;
	struct __sk_buff ctx = {
		.ingress_ifindex = in->is_returned ? PROGRAM_IFINDEX : other,
		.mark = in->mark,
		.gso_size = in->gso_size,
	};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = in->bytes,
		.data_size_in = (__u32)in->len,
		.repeat = in->times,
	};
	int err;

	if (program != PROGRAM_XDP_IN) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
		opts.ctx_out = &ctx;
		opts.ctx_size_out = sizeof(ctx);
	}
	if (in->out) {
		opts.data_out = in->out->bytes;
		opts.data_size_out = sizeof(in->out->bytes);
	}
	err = bpf_prog_test_run_opts(loader_program(dp, program), &opts);
	if (err)
		return err;
	if (in->out) {
		in->out->len = opts.data_size_out;
		in->out->mark = ctx.mark;
	}
	*ret = (int)opts.retval;
	return 0;
}

int program_run_alone(const struct bpf_program *program, uint32_t times)
{
	static char frame[ALONE_FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)times);

	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
}

bool program_passes(enum program program, int returned)
{
	return program == PROGRAM_XDP_IN ? returned == XDP_PASS : returned == TC_ACT_UNSPEC;
}

bool program_answers(enum program program, int returned)
{
	return program == PROGRAM_XDP_IN ? returned == XDP_TX : returned == TC_ACT_REDIRECT;
}
