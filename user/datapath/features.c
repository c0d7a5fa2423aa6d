/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/features.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/info.h"
#include "datapath/internal.h"
#include "datapath/loader.h"
#include "datapath/netfilter.h"
#include "util/cleanup.h"

#define BTF_PATH     "/sys/kernel/btf/vmlinux"
#define NO_INTERFACE 0
#define NF_ACCEPT    1

bool features_have_btf(void)
{
	return !access(BTF_PATH, R_OK);
}

/* Asked about an interface that there can't be: kernels without tcx know no such hook. */
static bool has_tcx(void)
{
	__u32 count = 0;

	return bpf_prog_query(NO_INTERFACE, TCX_INGRESS, 0, NULL, NULL, &count) == -ENODEV;
}

static bool has_netfilter(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = ATTACH_TYPE_NETFILTER);
	_close_ int fd = bpf_prog_load(PROGRAM_TYPE_NETFILTER, NULL, "GPL", program,
				       sizeof(program) / sizeof(program[0]), &opts);

	return fd >= 0;
}

static bool is_jited(const struct datapath *dp)
{
	struct bpf_prog_info info;

	return !program_info(loader_program(dp, PROGRAM_XDP_IN), &info) && info.jited_prog_len;
}

void features_of(const struct datapath *dp, struct features *ret)
{
	*ret = (struct features){
		.tc = has_tcx() ? ATTACH_TCX : ATTACH_CLSACT,
		.has_xdp_frags = dp->skel->rodata->bh_has_xdp_frags,
		.has_netfilter = has_netfilter(),
		.has_btf = features_have_btf(),
		.is_jited = is_jited(dp),
	};
}
