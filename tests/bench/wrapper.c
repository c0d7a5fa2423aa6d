/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/wrapper.h"

#include <errno.h>
#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "util/mem.h"
#include "wrapper.skel.h"

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS: newer than the headers that we build with */

struct wrapper {
	struct wrapper_bpf *skel;
};

/* A wrapper, the array it calls through, and the no-op that fits in there. */
struct kind {
	const struct bpf_program *wrapper;
	const struct bpf_map *array;
	const struct bpf_program *noop;
};

int wrapper_open(struct wrapper **ret)
{
	struct wrapper *w = xcalloc(1, sizeof(*w));

	w->skel = wrapper_bpf__open_and_load();
	if (!w->skel) {
		int err = -errno;

		free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void wrapper_free(struct wrapper *w)
{
	if (!w)
		return;
	wrapper_bpf__destroy(w->skel);
	free(w);
}

static struct kind kind_of(const struct wrapper *w, enum bench_hook hook, bool has_frags)
{
	const struct wrapper_bpf *s = w->skel;

	if (hook == BENCH_TC)
		return (struct kind){s->progs.wrap_tc, s->maps.bench_tc, s->progs.noop_tc};
	if (has_frags)
		return (struct kind){s->progs.wrap_xdp_frags, s->maps.bench_xdp_frags,
				     s->progs.noop_xdp_frags};
	return (struct kind){s->progs.wrap_xdp, s->maps.bench_xdp, s->progs.noop_xdp};
}

/* Sets what is called; of the two kinds for XDP that which the array takes. */
static int aim(const struct wrapper *w, const struct target *target, struct kind *ret)
{
	const __u32 key = 0;
	int err;

	*ret = kind_of(w, target->hook, true);
	if (target->fd < 0) {
		int noop = bpf_program__fd(ret->noop);

		return bpf_map_update_elem(bpf_map__fd(ret->array), &key, &noop, BPF_ANY);
	}
	err = bpf_map_update_elem(bpf_map__fd(ret->array), &key, &target->fd, BPF_ANY);
	if (err != -EINVAL)
		return err;
	*ret = kind_of(w, target->hook, false);
	return bpf_map_update_elem(bpf_map__fd(ret->array), &key, &target->fd, BPF_ANY);
}

int wrapper_run(struct wrapper *w, const struct target *target, struct burst *burst, double *ret_ns,
		int *ret_action)
{
	struct __sk_buff ctx = {.ifindex = burst->ifindex, .ingress_ifindex = burst->ifindex};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = burst->frame,
		.data_size_in = (__u32)burst->len,
		.repeat = (int)burst->packets,
	};
	struct kind kind;
	int err;

	if (target->hook == BENCH_TC) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	err = aim(w, target, &kind);
	if (err)
		return err;
	w->skel->bss->plan = burst->plan;
	err = bpf_prog_test_run_opts(bpf_program__fd(kind.wrapper), &opts);
	burst->plan = w->skel->bss->plan;
	if (err)
		return err;
	*ret_ns = opts.duration;
	*ret_action = (int)opts.retval;
	return 0;
}

int wrapper_send(struct wrapper *w, struct burst *burst, double *ret_ns)
{
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = burst->frame,
		.data_size_in = (__u32)burst->len,
		.repeat = (int)burst->packets,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	};
	int err;

	w->skel->bss->plan = burst->plan;
	err = bpf_prog_test_run_opts(bpf_program__fd(w->skel->progs.send_xdp), &opts);
	burst->plan = w->skel->bss->plan;
	if (!err)
		*ret_ns = opts.duration;
	return err;
}

int wrapper_drop_all(struct wrapper *w, enum bench_hook hook, uint32_t ifindex)
{
	const struct bpf_program *program = hook == BENCH_XDP ? w->skel->progs.drop_xdp
							      : w->skel->progs.drop_tc;

	return bpf_link_create(bpf_program__fd(program), (int)ifindex,
			       hook == BENCH_XDP ? BPF_XDP : TCX_INGRESS, NULL);
}
