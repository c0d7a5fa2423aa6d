/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet's way, the same for XDP and tc: parse, endpoint, built-ins, connection, decision,
 * report. */
#ifndef BPF_PATH_H
#define BPF_PATH_H

#include "builtin.h"
#include "clock.h"
#include "conn_settle.h"
#include "connection.h"
#include "decide.h"
#include "endpoint.h"
#include "fragment.h"
#include "icmp_error.h"
#include "in_force.h"
#include "parse.h"
#include "report.h"
#include "tcp.h"

static __always_inline struct packet *packet_begin(__u32 length, __u32 ifindex,
						   enum bh_direction direction)
{
	struct packet *p = packet_here();

	if (!p)
		return NULL;
	__builtin_memset(p, 0, offsetof(struct packet, target));
	p->now = clock_coarse_ns(control_here());
	p->length = length;
	p->ifindex = ifindex;
	p->direction = direction;
	p->rule = BH_RULE_NONE;
	return p;
}

static __always_inline enum bh_reason find_policy(struct packet *p)
{
	struct in_force f;

	if (!find_in_force(control_here(), p->now, &f))
		return BH_REASON_NO_POLICY;
	p->slot = f.slot;
	p->generation = f.generation;
	p->rule_base = f.policy->rule;
	p->rules = f.policy->rules;
	p->builtins_off = f.control->builtins_off;
	p->adopt_until_ns = p->ifindex <= f.control->adopt_ifindex ? f.control->adopt_until_ns : 0;
	p->has_failsafe = !!(f.policy->flags & BH_POLICY_FAILSAFE);
	p->is_reverted = f.is_reverted;
	p->is_agent_down = f.is_agent_down;
	return BH_REASON_NONE;
}

/* This machine reaches the workloads on it, whatever the policy says of it. */
static __always_inline bool is_own_host(const struct packet *p)
{
	return !p->is_host && p->direction == BH_INGRESS && p->is_local_origin &&
	       is_local_source(&p->src) && is_builtin_on(p, BH_BUILTIN_HOST);
}

/* A workload to itself by a Service, and this machine has put its own address in between. */
static __always_inline bool is_own_return(const struct packet *p)
{
	return !p->is_host && p->direction == BH_INGRESS && p->is_returned &&
	       is_local_source(&p->src) && is_builtin_on(p, BH_BUILTIN_SELF);
}

static __always_inline enum bh_reason pass_as(struct packet *p, enum bh_builtin builtin)
{
	pass_by_builtin(p, builtin);
	p->until_s = 0;
	return BH_REASON_NONE;
}

/* enum bh_reason.  Global: verified once. */
__noinline int decide_packet(void)
{
	struct packet *p = packet_here();
	enum bh_front_kind front;
	__u32 cell;

	if (!p)
		return BH_REASON_POLICY;
	front = front_opened(p, false);
	if (front == BH_FRONT_BEHIND)
		return pass_as(p, BH_BUILTIN_FRONT);
	cell = front == BH_FRONT_BACKENDS ? (__u32)decide_backends(false) : decide_ends(false);
	if (is_own_host(p))
		return pass_as(p, BH_BUILTIN_HOST);
	if (is_own_return(p))
		return pass_as(p, BH_BUILTIN_SELF);
	p->is_reported = p->verdict == BH_VERDICT_AUDIT || (cell & BH_CELL_LOG);
	p->is_tls_required = !!(cell & BH_CELL_TLS);
	return reason_of(cell, BH_REASON_POLICY);
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
	reason = decide_packet();
	if (reason && is_icmp_error(p) && p->rule == BH_BUILTIN_DEFAULT)
		return BH_REASON_ICMP_UNRELATED;
	return reason;
}

/* In place of a reason: see adopt_reply(). */
#define REASON_NOT_ADOPTED BH_REASON_COUNT

/* Whether the policy allows what the packet may be the reply of; takes the decision over.  Global:
 * verified once, and what it has on the stack is gone when the connection is entered. */
__noinline int is_reply_allowed(void)
{
	struct packet *p = packet_here();
	struct decision decision;
	struct question question;

	if (!p)
		return false;
	question_of_reply(&question, p);
	ask(p, &question, &decision);
	if (!BH_VERDICT_PASSES(BH_CELL_VERDICT(decision.cell)))
		return false;
	take_decision(p, &decision, true);
	p->is_reported = false;
	return true;
}

/*
 * Whether these are the first seconds after the agent's first start on a live machine, and the
 * packet may be of a connection that is older.  A group, or nobody, is no end of one: what came
 * from there would pass the quick way, which trusts the addresses of known connections.
 */
static __always_inline bool may_be_older(const struct packet *p)
{
	return p->now < p->adopt_until_ns && !addr_is_multicast(&p->dst) &&
	       !addr_is_unspecified(&p->src);
}

/* What belongs to no known connection goes on if the policy allows what it may be the reply of. */
static __always_inline int adopt_reply(struct packet *p, __u8 sender)
{
	if (!may_be_older(p) || !is_reply_allowed())
		return REASON_NOT_ADOPTED;
	return conn_adopt(sender, true);
}

/* In those seconds, what no connection begins with may also be of one that is allowed. */
static __always_inline enum bh_reason adopt_orphan(struct packet *p, __u8 sender)
{
	int reason;

	if (!may_be_older(p) || (p->tcp_flags & TCP_RST))
		return BH_REASON_NO_CONNECTION;
	if (!is_echo_answer(p) && !decide_packet())
		return conn_adopt(sender, false);
	reason = adopt_reply(p, sender);
	return reason == REASON_NOT_ADOPTED ? BH_REASON_NO_CONNECTION : reason;
}

static __always_inline bool is_failsafe(struct packet *p, const struct question *q, bool is_reply)
{
	struct decision decision;

	ask(p, q, &decision);
	if (BH_CELL_RULE(decision.cell) != BH_BUILTIN_FAILSAFE)
		return false;
	take_decision(p, &decision, is_reply);
	return true;
}

/*
 * TCP that failsafe keeps open goes on, either way, when its connection is not known: nobody who
 * fills the tables locks the operator out.  None of these packets opens a connection.
 */
__noinline int is_failsafe_orphan(void)
{
	struct packet *p = packet_here();
	struct question question;

	if (!p || !p->has_failsafe || p->proto != IPPROTO_TCP)
		return false;
	question_of_packet(&question, p);
	if (is_failsafe(p, &question, false))
		return true;
	question_of_reply(&question, p);
	return is_failsafe(p, &question, true);
}

static __always_inline enum bh_reason judge_orphan(struct packet *p, __u8 sender)
{
	enum bh_reason reason = adopt_orphan(p, sender);

	return reason && is_failsafe_orphan() ? BH_REASON_NONE : reason;
}

/* A packet of no known connection. */
static __always_inline enum bh_reason judge_new(struct packet *p, __u8 sender)
{
	int reason, adopted;

	if (is_reflected(p))
		return BH_REASON_SPOOFED_SOURCE;
	if (is_transit(p))
		return BH_REASON_NONE;
	if (is_without_source(p) || is_strange_source(p))
		return BH_REASON_SPOOFED_SOURCE;
	if (p->fragment == FRAGMENT_LATER && is_answerable(p))
		return BH_REASON_FRAGMENT;
	if (is_stateless(p))
		return judge_icmp(p);
	if (is_echo_answer(p) || (p->proto == IPPROTO_TCP && !tcp_is_opening(p->tcp_flags)))
		return judge_orphan(p, sender);

	reason = decide_packet();
	/* Data of a SYN may be of another stream than the one that is answered: see hello.h.  Who
	 * sends some repeats the SYN without (RFC 7413, 4.1.3). */
	if (!reason && p->is_tls_required && tcp_payload_len(p))
		return BH_REASON_NO_CONNECTION;
	if (!reason)
		return conn_create(p, sender);
	if (p->proto == IPPROTO_TCP)
		return reason;
	adopted = adopt_reply(p, sender);
	return adopted == REASON_NOT_ADOPTED ? reason : adopted;
}

/* In place of a reason: none yet, for the payload has to be read first. */
#define REASON_UNREAD BH_REASON_COUNT

/* The packet does not pass as one of its connection; @step says how so. */
static __always_inline enum bh_reason refuse(struct packet *p, const struct hit *hit,
					     enum step step, bool *ret_is_over)
{
	if (step == STEP_UNREAD)
		return REASON_UNREAD;
	if (step == STEP_STRAY)
		return BH_REASON_NO_CONNECTION;
	if (step == STEP_REOPEN) {
		conn_delete(hit, BH_FLOW_CLOSED);
		*ret_is_over = true;
		return BH_REASON_NONE;
	}
	hello_cut(&hit->at);
	p->rule = hit->at.conn->rule;
	p->src_identity = identify(&p->src, p->slot);
	p->dst_identity = identify(&p->dst, p->slot);
	return BH_REASON_PLAINTEXT;
}

static __always_inline enum step step_of(const struct conn_line *l, const struct packet *p,
					 bool is_reply)
{
	if (p->fragment == FRAGMENT_LATER)
		return STEP_PASS;
	if (p->proto == IPPROTO_TCP)
		return tcp_step(l, p, is_reply);
	return plain_step(l->conn, p, is_reply);
}

/* Allowed once; still allowed, and does the packet fit? */
static __always_inline enum bh_reason judge_known(struct packet *p, const struct hit *hit,
						  bool *ret_is_over)
{
	struct bh_conn *conn = hit->at.conn;
	enum bh_reason reason;
	enum step step;

	/* Each end's packets come from its own side of the endpoint, or somebody poses as it. */
	if ((hit->direction == p->direction) == hit->is_reply)
		return BH_REASON_SPOOFED_SOURCE;
	p->verdict = hit->verdict;
	if (!is_up_to_date(p, hit)) {
		if (!is_of_own_address(p)) {
			conn_delete(hit, BH_FLOW_REVOKED);
			*ret_is_over = true;
			return BH_REASON_NONE;
		}
		reason = conn_decide_again(p, hit);
		/* What waits for the agent only rests; it may go on when the agent is back. */
		if (reason == BH_REASON_REVOKED)
			conn_delete(hit, BH_FLOW_REVOKED);
		if (reason)
			return reason;
	}

	/* What is in pieces can't be looked at, and pieces may overlap. */
	if (p->fragment && is_hello_awaited(&hit->at))
		return BH_REASON_FRAGMENT;
	step = step_of(&hit->at, p, hit->is_reply);
	if (step == STEP_SAID)
		conn_await_hello(hit, false, 0);
	else if (step != STEP_PASS)
		return refuse(p, hit, step, ret_is_over);

	p->rule = conn->rule;
	if (is_keeping(p->proto, hit->is_reply))
		conn_touch(conn, BH_TICKS(p->now));
	conn_count(conn, hit->line, hit->is_reply, p->length);
	/* Not before the opener has seen an answer: a flood's SYNs are answered, too.  Nor while a
	 * hello is awaited, of which nothing may be lost on the way. */
	if (!(conn->flags & BH_CONN_SETTLED) && conn->state == BH_CONN_ESTABLISHED)
		conn_settle(hit->line, hit->stamp);
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason judge_connection(struct packet *p)
{
	struct hit hit = {};
	bool is_over = false;
	enum bh_reason reason;
	__u8 sender;

	if (p->fragment == FRAGMENT_LATER) {
		reason = is_transit(p) ? BH_REASON_NONE : fragment_recall(p);
		if (reason)
			return reason;
	}
	sender = conn_key(p);
	if (!is_stateless(p))
		hit = conn_find(p, sender,
				p->proto != IPPROTO_TCP || !tcp_is_opening(p->tcp_flags));
	if (hit.at.conn) {
		reason = judge_known(p, &hit, &is_over);
		if (!is_over)
			return reason;
	}
	return judge_new(p, sender);
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
	enum stage stage = judge_vlan(p);

	if (!reason && stage != STAGE_NEXT && !found)
		return stage == STAGE_PASS ? BH_REASON_NONE : BH_REASON_VLAN;
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

/* What becomes of a packet. */
enum fate {
	FATE_DROP,
	FATE_PASS,
	FATE_REJECT, /* dropped, and the sender is told */
	FATE_UNREAD, /* ask again when hello_read() was called */
};

/* Only what a rule decided is rejected: a packet that is wrong in itself is dropped in silence. */
static __always_inline __u8 verdict_of_drop(const struct packet *p, enum bh_reason reason)
{
	bool is_decided = reason == BH_REASON_POLICY || reason == BH_REASON_REVOKED;

	return is_decided && p->verdict == BH_VERDICT_REJECT ? BH_VERDICT_REJECT : BH_VERDICT_DENY;
}

static __always_inline enum fate fate_of(const struct packet *p, enum bh_reason reason)
{
	if (!reason)
		return FATE_PASS;
	return p->verdict == BH_VERDICT_REJECT ? FATE_REJECT : FATE_DROP;
}

/*
 * Every packet but our own answers, and what quick.h let through, leaves through the end of this
 * function: one place to count and to report.  It is global so that the verifier looks at it by
 * itself, and not once for every way of parsing.  Returns enum fate.
 */
__noinline int admit(int parsed)
{
	struct packet *p = packet_here();
	enum bh_reason reason;

	if (!p)
		return FATE_DROP;
	if (p->is_answer)
		return FATE_PASS;
	reason = judge(p, parsed);
	if (reason == REASON_UNREAD)
		return FATE_UNREAD;
	if (reason) {
		p->verdict = verdict_of_drop(p, reason);
		identify_undecided(p);
	}
	count_endpoint(p->endpoint, p->direction, reason != BH_REASON_NONE, p->length);
	count_rule(p->rule, p->rule_base, p->rules, p->length);
	if (reason || p->is_reported)
		report(p, reason);
	return fate_of(p, reason);
}

#endif
