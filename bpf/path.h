/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet's way, the same for XDP and tc: parse, endpoint, built-ins, connection, decision,
 * report. */
#ifndef BPF_PATH_H
#define BPF_PATH_H

#include "builtin.h"
#include "connection.h"
#include "decide.h"
#include "endpoint.h"
#include "fragment.h"
#include "icmp_error.h"
#include "parse.h"
#include "report.h"
#include "tcp.h"

/* The packet's place; softirqs are off while a program runs, so nobody else on this CPU has it. */
static __always_inline struct packet *packet_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_packet, &zero);
}

/* The word that says which slot is in force is read here, once: no packet sees two policies. */
static __always_inline enum bh_reason find_policy(struct packet *p)
{
	__u32 zero = 0, slot;
	const struct bh_control *control = bpf_map_lookup_elem(&bh_control, &zero);
	const struct bh_policy *policy;
	__u64 active;

	if (!control)
		return BH_REASON_NO_POLICY;
	active = *(volatile const __u64 *)&control->active;
	if (!active)
		return BH_REASON_NO_POLICY;
	slot = BH_ACTIVE_SLOT(active);
	policy = bpf_map_lookup_elem(&bh_policies, &slot);
	if (!policy)
		return BH_REASON_NO_POLICY;
	p->slot = slot;
	p->generation = BH_ACTIVE_GENERATION(active);
	p->rule_base = policy->rule;
	p->rules = policy->rules;
	p->builtins_off = control->builtins_off;
	p->adopt_until_ns = control->adopt_until_ns;
	return BH_REASON_NONE;
}

/* This machine reaches the workloads on it, whatever the policy says of it. */
static __always_inline bool is_own_host(const struct packet *p)
{
	return !p->is_host && p->direction == BH_INGRESS && p->is_local_origin &&
	       is_local(&p->src) && is_builtin_on(p, BH_BUILTIN_HOST);
}

static __always_inline enum bh_reason decide_packet(struct packet *p)
{
	struct decision decision;
	struct question question;

	question_of_packet(&question, p);
	decide(p->slot, &question, &decision);
	take_decision(p, &decision, false);
	if (is_own_host(p)) {
		p->rule = BH_BUILTIN_HOST;
		p->verdict = BH_VERDICT_ALLOW;
		return BH_REASON_NONE;
	}
	p->is_reported = p->verdict == BH_VERDICT_AUDIT || (decision.cell & BH_CELL_LOG);
	return BH_VERDICT_PASSES(p->verdict) ? BH_REASON_NONE : BH_REASON_POLICY;
}

/* ICMP other than echo: it has no connection of its own. */
static __always_inline bool is_stateless(const struct packet *p)
{
	return is_icmp(p) && p->fragment != FRAGMENT_LATER && !is_echo_request(p) &&
	       !is_echo_answer(p);
}

/* An error belongs to the connection that it is about; everything else is decided each time. */
static __always_inline enum bh_reason judge_icmp(struct packet *p)
{
	enum bh_reason reason;

	if (is_icmp_error(p) && is_builtin_on(p, BH_BUILTIN_ICMP) && is_related(p)) {
		pass_by_builtin(p, BH_BUILTIN_ICMP);
		return BH_REASON_NONE;
	}
	reason = decide_packet(p);
	if (reason && is_icmp_error(p) && p->rule == BH_BUILTIN_DEFAULT)
		return BH_REASON_ICMP_UNRELATED;
	return reason;
}

/*
 * In the first seconds after the agent's first start on a live machine: what belongs to no known
 * connection goes on if the policy allows what it may be the reply of.
 */
static __always_inline bool is_adopted_reply(struct packet *p, const struct bh_conn_key *key,
					     __u8 sender, enum bh_reason *reason)
{
	struct decision decision;
	struct question question;

	if (p->now >= p->adopt_until_ns)
		return false;
	question_of_reply(&question, p);
	decide(p->slot, &question, &decision);
	if (!BH_VERDICT_PASSES(BH_CELL_VERDICT(decision.cell)))
		return false;
	take_decision(p, &decision, true);
	p->is_reported = false;
	*reason = conn_adopt(p, key, sender, true);
	return true;
}

/* What no connection begins with: in those seconds, it may also be of one that is allowed. */
static __always_inline enum bh_reason judge_orphan(struct packet *p, const struct bh_conn_key *key,
						   __u8 sender)
{
	enum bh_reason reason = BH_REASON_NO_CONNECTION;

	if (p->now >= p->adopt_until_ns || (p->tcp_flags & TCP_RST))
		return reason;
	if (!is_echo_answer(p) && !decide_packet(p))
		return conn_adopt(p, key, sender, false);
	is_adopted_reply(p, key, sender, &reason);
	return reason;
}

/* A packet of no known connection. */
static __always_inline enum bh_reason judge_new(struct packet *p, const struct bh_conn_key *key,
						__u8 sender)
{
	enum bh_reason reason;

	if (is_reflected(p))
		return BH_REASON_SPOOFED_SOURCE;
	if (is_transit(p))
		return BH_REASON_NONE;
	if (is_spoofed(p))
		return BH_REASON_SPOOFED_SOURCE;
	if (p->fragment == FRAGMENT_LATER)
		return BH_REASON_FRAGMENT;
	if (is_stateless(p))
		return judge_icmp(p);
	if (is_echo_answer(p) || (p->proto == IPPROTO_TCP && !tcp_is_opening(p->tcp_flags)))
		return judge_orphan(p, key, sender);

	reason = decide_packet(p);
	if (!reason)
		return conn_create(p, key, sender);
	if (p->proto != IPPROTO_TCP)
		is_adopted_reply(p, key, sender, &reason);
	return reason;
}

/* Allowed once; still allowed, and does the packet fit? */
static __always_inline enum bh_reason judge_known(struct packet *p, const struct bh_conn_key *key,
						  const struct hit *hit, bool *ret_is_over)
{
	struct bh_conn *conn = hit->conn;
	struct bh_conn_half *half = &conn->half[hit->is_reply ? 1 : 0];
	struct bh_conn_half *other = &conn->half[hit->is_reply ? 0 : 1];
	enum step step = STEP_PASS;

	/* Each end's packets come from its own side of the endpoint, or somebody poses as it. */
	if ((conn->direction == p->direction) == hit->is_reply)
		return BH_REASON_SPOOFED_SOURCE;
	if (conn->generation != p->generation) {
		if (!conn_decide_again(p, hit)) {
			conn_delete(key, hit->is_embryonic);
			return BH_REASON_REVOKED;
		}
		conn->generation = p->generation;
	}

	if (p->fragment != FRAGMENT_LATER) {
		if (p->proto == IPPROTO_TCP)
			step = tcp_step(conn, half, other, p, hit->is_reply);
		else
			step = plain_step(conn, p, hit->is_reply);
	}
	if (step == STEP_REOPEN) {
		conn_delete(key, hit->is_embryonic);
		*ret_is_over = true;
		return BH_REASON_NONE;
	}
	if (step == STEP_STRAY)
		return BH_REASON_NO_CONNECTION;

	p->rule = conn->rule;
	p->verdict = conn->verdict;
	if (is_keeping(p, hit->is_reply))
		conn->seen_ns = p->now;
	conn_count(half, p);
	/* Not before the opener has seen an answer: a flood's SYNs are answered, too. */
	if (hit->is_embryonic && conn->state == BH_CONN_ESTABLISHED)
		conn_promote(key, conn);
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason judge_connection(struct packet *p)
{
	struct bh_conn_key key;
	bool is_over = false;
	enum bh_reason reason;
	struct hit hit;
	__u8 sender;

	if (p->fragment == FRAGMENT_LATER) {
		reason = is_transit(p) ? BH_REASON_NONE : fragment_recall(p);
		if (reason)
			return reason;
	}
	sender = conn_key(p, &key);
	hit = conn_find(p, &key, sender);
	if (hit.conn && !is_stateless(p)) {
		reason = judge_known(p, &key, &hit, &is_over);
		if (!is_over)
			return reason;
	}
	return judge_new(p, &key, sender);
}

static __always_inline enum stage judge_vlan(const struct packet *p)
{
	if (!p->is_tagged || bh_vlan == BH_VLAN_INSPECT)
		return STAGE_NEXT;
	return bh_vlan == BH_VLAN_PASS ? STAGE_PASS : STAGE_DROP;
}

/* What parsing said comes last: so a malformed packet too is counted for its endpoint and policy.
 */
static __always_inline enum bh_reason judge(struct packet *p, enum bh_reason parsed)
{
	enum bh_reason reason = find_policy(p), found = find_endpoint(p);
	enum stage stage;

	if (!reason && judge_vlan(p) != STAGE_NEXT && !found)
		return judge_vlan(p) == STAGE_PASS ? BH_REASON_NONE : BH_REASON_VLAN;
	if (!reason)
		reason = parsed ? parsed : found;
	if (reason)
		return reason;

	stage = judge_builtins(p, &reason);
	if (stage == STAGE_DROP)
		return reason;
	if (stage == STAGE_PASS)
		return BH_REASON_NONE;
	if (is_bad_destination(p))
		return BH_REASON_MALFORMED;
	reason = judge_connection(p);
	if (!reason && p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	return reason;
}

/* A drop before any decision is told with names too, and limited by who sent it. */
static __always_inline void identify_undecided(struct packet *p)
{
	if (p->rule != BH_RULE_NONE || !p->generation)
		return;
	if (!addr_is_unspecified(&p->src))
		p->src_identity = identify(&p->src, p->slot);
	if (!addr_is_unspecified(&p->dst))
		p->dst_identity = identify(&p->dst, p->slot);
}

/*
 * Every packet leaves through the end of this function: one place to count and to report.  It is
 * global so that the verifier looks at it by itself, and not once for every way of parsing.
 */
__noinline int admit(int parsed)
{
	struct packet *p = packet_here();
	enum bh_reason reason;

	if (!p)
		return false;
	reason = judge(p, parsed);
	if (reason) {
		p->verdict = BH_VERDICT_DENY;
		count_drop(p, reason);
		identify_undecided(p);
	}
	count_endpoint(p, reason != BH_REASON_NONE);
	count_rule(p);
	if (reason || p->is_reported)
		report(p, reason);
	return !reason;
}

#endif
