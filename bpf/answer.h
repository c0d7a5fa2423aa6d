/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is sent to the sender of a rejected packet, as bytes, and the bucket that limits it. */
#ifndef BPF_ANSWER_H
#define BPF_ANSWER_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bulkhead/limits.h>

#include "icmp.h"

struct answer_error {
	struct icmp_header icmp;
	__u8 quote[BH_REJECT_QUOTE_MAX];
};

union answer_body {
	struct tcphdr reset;
	struct answer_error error;
};

struct answer_v4 {
	struct iphdr ip;
	union answer_body body;
};

struct answer_v6 {
	struct ipv6hdr ip;
	union answer_body body;
};

struct answer {
	__u32 len;       /* bytes of the IP packet */
	__u32 quote_len; /* bytes of the rejected packet in it; 0: a reset */
	union {
		struct answer_v4 v4;
		struct answer_v6 v6;
		__u8 bytes[sizeof(struct answer_v6)];
	};
};

struct answer_bucket {
	__u64 spent_ns; /* answers until then are spent; it runs after the clock */
	struct bpf_spin_lock lock;
};

_Static_assert(sizeof(struct answer_error) % 4 == 0, "checksums are made of whole words");
_Static_assert(sizeof(struct iphdr) == 20 && sizeof(struct answer_v6) == 176, "no holes");

#endif
