/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel's connection tracking says of a packet: how it came, and what became of it. */
#ifndef BPF_CONNTRACK_H
#define BPF_CONNTRACK_H

#include <stdbool.h>

#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>

/* Of the kernel's own structs what is read here; the loader finds where it is. */
struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	unsigned long _nfct;
	__u16 network_header;
	unsigned char *head;
	unsigned char *data;
} __attribute__((preserve_access_index));

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
} __attribute__((preserve_access_index));

/* What a program of the kind gets. */
struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

/* Read as a whole. */
struct nf_conntrack_tuple {
	struct {
		__be32 addr[4]; /* IPv4: the first */
		__be16 port;    /* of ICMP the id */
		__u16 l3num;
	} src;
	struct {
		__be32 addr[4];
		union {
			__be16 port;
			struct {
				__u8 type, code;
			} icmp;
		};
		__u8 protonum;
		__u8 dir;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
} __attribute__((preserve_access_index));

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
} __attribute__((preserve_access_index));

/* What the headers keep to the kernel. */
#define CT_UNTRACKED 7 /* beside enum ip_conntrack_info */
#define CT_ORIGINAL  0 /* enum ip_conntrack_dir */
#define CT_REPLY     1

#define NFCT_INFO_MASK 7ul /* of sk_buff._nfct; the rest is the address of a struct nf_conn */

struct tracked {
	struct nf_conntrack_tuple opener; /* as it came */
	struct nf_conntrack_tuple answer; /* as one to it comes; only its source is for sure */
	bool is_known;                    /* else there is nothing of all that */
	bool is_translated;               /* its destination was another one as it came */
	bool is_reply;
	bool is_new;     /* nothing has been answered */
	bool is_related; /* about the connection, and none of its packets */
};

static __always_inline bool tuple_read(const struct nf_conn *ct, int direction,
				       struct nf_conntrack_tuple *ret)
{
	const void *at =
		direction == CT_ORIGINAL
			? __builtin_preserve_access_index(&ct->tuplehash[CT_ORIGINAL].tuple)
			: __builtin_preserve_access_index(&ct->tuplehash[CT_REPLY].tuple);

	return !bpf_probe_read_kernel(ret, sizeof(*ret), at);
}

/* False: nothing can be read of the connection. */
static __always_inline bool tracked_read(const struct sk_buff *skb, struct tracked *ret)
{
	unsigned long word = skb->_nfct, status = 0;
	const struct nf_conn *ct = (const void *)(word & ~NFCT_INFO_MASK);
	__u32 info = word & NFCT_INFO_MASK;

	ret->is_known = ct && info != CT_UNTRACKED;
	if (!ret->is_known)
		return true;
	ret->is_reply = info >= IP_CT_IS_REPLY;
	ret->is_new = info == IP_CT_NEW;
	ret->is_related = info == IP_CT_RELATED || info == IP_CT_RELATED_REPLY;
	if (bpf_probe_read_kernel(&status, sizeof(status),
				  __builtin_preserve_access_index(&ct->status)) ||
	    !tuple_read(ct, CT_ORIGINAL, &ret->opener))
		return false;
	ret->is_translated = status & IPS_DST_NAT;
	if (ret->is_translated)
		return tuple_read(ct, CT_REPLY, &ret->answer);
	__builtin_memcpy(ret->answer.src.addr, ret->opener.dst.addr, sizeof(ret->answer.src.addr));
	ret->answer.src.port = ret->opener.dst.port;
	return true;
}

#endif
