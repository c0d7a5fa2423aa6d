/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An object of its own, for kernels that have the hook (6.4): it shares the maps of the other. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "clock.h"
#include "reject.h"
#include "translated.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* What is forwarded, or for this machine itself, once its destination is final. */
SEC("netfilter")
int bh_translated(struct bpf_nf_ctx *ctx)
{
	const struct nf_hook_state *state = ctx->state;

	return admit_translated(ctx->skb, state->pf == NFPROTO_IPV6,
				state->hook == NF_INET_LOCAL_IN);
}
