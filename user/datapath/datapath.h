/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side, seen from user space: loading, pinning, attaching, filling slots, reading
 * counters. Nothing above this layer knows libbpf.
 */
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/builtin.h>
#include <bulkhead/connection.h>
#include <bulkhead/counters.h>
#include <bulkhead/endpoint.h>
#include <bulkhead/event.h>
#include <bulkhead/flow.h>
#include <bulkhead/front.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>
#include <bulkhead/vlan.h>

#include "policy/image.h"
#include "util/text.h"

struct datapath; /* opened programs and maps */

#define TABLE_ROOM_MAX 11

/* What a policy needs of each table that grows, in entries of a slot: see datapath_room(). */
struct table_room {
	uint64_t of[TABLE_ROOM_MAX];
};

struct datapath_config {
	const char *bpffs;   /* directory of our pins, made if absent; NULL: nothing is pinned */
	uint32_t event_rate; /* events a second for each (source identity, rule, reason); 0: no
				limit */
	bool is_silent;      /* events are suppressed, all of them: for comparison */
	bool is_whole;       /* every packet goes the whole way: for comparison */
	uint32_t adopt_s; /* how long connections older than the first start are adopted; 0: not at
			     all */
	uint32_t builtins_off; /* bit n: enum bh_builtin n is turned off */
	uint32_t methods_off;  /* bit n: enum attach_method n is not tried */
	uint32_t kinds_off;    /* bit n: no endpoint of enum bh_endpoint_kind n will be set; the
				  programs for them are loaded only to replace others */
	uint32_t down_after_s; /* without a beat, and the agent is down; 0: BH_DOWN_AFTER_S */
	uint32_t conn_lines;   /* of the connection table, a power of two; 0: BH_CONN_LINES.  A
				  pinned table keeps those that it has. */
	enum bh_vlan_mode vlan;
	const struct image *image; /* what tables are to have room for, and some more; NULL: for the
				      largest policy.  Pinned ones stay unless they are too small */
	const struct table_room *room; /* the same, of a policy that did not fit; may be NULL */
	uint32_t flow_interval_s;      /* between records of a flow that goes on; 0: no flow log */
	bool is_growing; /* for NULL and no room, what most clusters need: a start makes more */
	bool has_fronts; /* those will be set; else what is there goes */
	bool is_netfilter_off; /* as if the kernel took no program at netfilter's hooks */
	bool has_waited;       /* datapath_grace_end() said so, since nobody else was in charge */
};

/*
 * Waits, in a thread of its own, until no program runs that began before this: what a restart has
 * to do before it writes, and may do while it reads.  NULL: it can't.
 */
struct grace *datapath_grace_begin(void);
bool datapath_grace_end(struct grace *grace); /* whether they are over; NULL: no */

/*
 * Loads the programs.  Maps that are pinned under bpffs with our layout are used again
 * (connections, policy and counters included), and links there get the new programs.  What is
 * pinned with another layout stays in force as it is, beside empty maps of ours; -errno with a
 * sentence in @reterr.
 */
int datapath_open(const struct datapath_config *config, struct text *reterr, struct datapath **ret);

/* What a start must have room for if this one is to fit; false: no tables would hold it. */
bool datapath_room(const struct image *image, struct table_room *ret);

/* Closes descriptors.  Pinned links, maps and policy stay in force. */
void datapath_free(struct datapath *dp);

/* Whether a policy is in force under @bpffs, whoever put it there. */
bool datapath_is_in_force(const char *bpffs);

/* Whether a policy was in force already when it was opened. */
bool datapath_is_adopted(const struct datapath *dp);

/* Why what is in force goes on in other maps than ours, which nobody reads; NULL: it does not. */
const char *datapath_beside(const struct datapath *dp);

/*
 * Once there is a policy, and all endpoints are attached, which gives links there our programs:
 * pins our maps in place of the others.
 */
int datapath_settle(struct datapath *dp, struct text *reterr);

/*
 * Removes every trace under @bpffs from the kernel, whoever made it and whether or not an agent
 * runs: links, pins, maps, the directory.  0 also if there was nothing; @ret_links counts the links
 * removed.
 */
int datapath_remove(const char *bpffs, size_t *ret_links);

/* Whether that was done, by anyone, since it was opened. */
bool datapath_is_removed(const struct datapath *dp);

/*
 * Says that whoever enforces is alive, and what time it is.  From the first beat on, programs take
 * the stances of the policy's zones when there is none for down_after_s.
 */
void datapath_beat(struct datapath *dp);

/* --- policy --- */

enum swap_stage {
	SWAP_CHECK,
	SWAP_COUNTS,
	SWAP_PREFIXES,
	SWAP_TABLES,
	SWAP_FLIP, /* the grace period included */
	SWAP_STAGES
};

struct datapath_swap {
	uint32_t generation;
	uint32_t slot;
	uint64_t ns[SWAP_STAGES]; /* what each took */
};

/*
 * Fills the idle slot, verifies it, flips, and waits until no program reads the old one.  On error
 * the policy in force is untouched and @reterr says why (-E2BIG: what did not fit).
 */
int datapath_swap_policy(struct datapath *dp, const struct image *image, struct text *reterr,
			 struct datapath_swap *ret);

/*
 * The same, but programs go back to the policy before at @revert_at_ns (CLOCK_MONOTONIC; 0: never),
 * whether or not there is an agent, unless the new one is kept.  Until then there is no idle slot,
 * and a swap is -EBUSY.
 */
int datapath_try_policy(struct datapath *dp, const struct image *image, uint64_t revert_at_ns,
			struct text *reterr, struct datapath_swap *ret);

/* When programs go back, or have gone back; 0: the policy in force is to stay. */
uint64_t datapath_revert_at(const struct datapath *dp);

/* It stays.  -ETIME: programs have gone back, or are about to; -ENOENT: they wouldn't. */
int datapath_keep(struct datapath *dp);

/* Goes back at once, or makes what programs did by themselves final.  -ENOENT as above. */
int datapath_revert(struct datapath *dp);

/*
 * Does some of what the next swap would else have to do first: for when there is time, and the
 * counts of the policy before have been read.  1: there is more to do; 0: there is not; or -errno.
 */
int datapath_tidy(struct datapath *dp);

/*
 * One address resolves to another identity of the policy in force: written in place, and a new
 * generation of the same slot, in which connections of that address are decided again.  @is_listed
 * false: it has no entry of its own any more.
 */
int datapath_set_identity(struct datapath *dp, const struct bh_addr *a, uint32_t identity,
			  bool is_listed);

/* The same in the policy that programs may go back to, which has other identities. */
int datapath_set_identity_behind(struct datapath *dp, const struct bh_addr *a, uint32_t identity,
				 bool is_listed);

uint32_t datapath_generation(const struct datapath *dp); /* in force; 0: none */
uint32_t datapath_slot(const struct datapath *dp);

/* --- endpoints --- */

enum attach_method {
	ATTACH_NONE,
	ATTACH_XDP_NATIVE,
	ATTACH_XDP_GENERIC,
	ATTACH_TCX,
	ATTACH_CLSACT,
};

const char *attach_method_word(enum attach_method method); /* "xdp-native", "tcx", … */

bool attach_method_is_xdp(enum attach_method method);

/* The bits, as in methods_off, of words with spaces between; NULL has none.  -EINVAL: no such word.
 */
int attach_methods_parse(const char *words, uint32_t *ret);

struct attachment {
	enum attach_method ingress; /* as seen by the endpoint */
	enum attach_method egress;
};

/*
 * XDP (native, else generic, else tc) on ingress and tc on egress.  -EBUSY: an interface that was
 * none of ours has somebody else's XDP program.  Attaching again, or a workload, puts right what
 * datapath_verify() finds.
 */
int datapath_attach_host(struct datapath *dp, uint32_t ifindex, struct text *reterr,
			 struct attachment *ret);

struct workload_endpoint {
	uint32_t ifindex;
	uint16_t id; /* unique among endpoints, not BH_ENDPOINT_HOST */
	const struct prefix *sources;
	size_t source_count;
	const struct bh_addr
		*link_local; /* for neighbour discovery; NULL: not known, any will do */
};

/*
 * tc both ways on the host side of a workload's veth.  The workload may send only from its sources.
 * Attaching again replaces them.
 */
int datapath_attach_workload(struct datapath *dp, const struct workload_endpoint *endpoint,
			     struct text *reterr, struct attachment *ret);
int datapath_detach(struct datapath *dp, uint32_t ifindex);

/* Of an interface that is enforced as a workload's, also by an earlier start; 0: it is none. */
uint16_t datapath_workload_id(const struct datapath *dp, uint32_t ifindex);

/* Detaches every interface but these: what an earlier start attached and this one doesn't want. */
int datapath_detach_others(struct datapath *dp, const uint32_t *ifindexes, size_t count);

/* --- whether programs are still where they were put --- */

#define HOOK_FAULTS_LIST(X)                                                                        \
	X(INTACT, "intact")                                                                        \
	X(DETACHED, "detached")   /* it hangs nowhere */                                           \
	X(DISPLACED, "displaced") /* another one comes first, and may decide without ours */       \
	X(MODE, "mode")           /* XDP in another mode than it was attached in */

enum hook_fault {
#define X(id, word) HOOK_##id,
	HOOK_FAULTS_LIST(X)
#undef X
	HOOK_FAULTS
};

const char *hook_fault_word(enum hook_fault fault);

#define HOOK_OTHER_STRLEN 64

struct hook_state {
	bool is_ingress;  /* as seen by the endpoint */
	bool is_answerer; /* it only sends the answers of XDP */
	enum hook_fault fault;
	enum attach_method method;       /* ATTACH_NONE: it hangs nowhere */
	enum attach_method other_method; /* of what comes before it */
	char other[HOOK_OTHER_STRLEN];   /* "program 'x' (id 7)", without CAP_SYS_ADMIN
					  * "program (id 7)"; empty: nothing does */
};

#define HOOKS_MAX 4 /* of an interface */

struct hook_states {
	struct hook_state of[HOOKS_MAX];
	size_t count;
};

/*
 * Asks the kernel about every hook of an interface that was attached; costs some microseconds each.
 * -ENODEV: there is no such interface.
 */
int datapath_verify(const struct datapath *dp, uint32_t ifindex, enum bh_endpoint_kind kind,
		    const struct attachment *attached, struct hook_states *ret);

struct local_prefix {
	struct prefix prefix;
	uint32_t flags; /* BH_LOCAL_*; of two equal prefixes, what both have */
};

/* What this machine takes for itself, broadcast included; replaces what was set before. */
int datapath_set_local(struct datapath *dp, const struct local_prefix *locals, size_t count);

/* --- fronts: what a workload sends to them is decided behind them --- */

/*
 * The fronts that there are; replaces what was set before, which also an agent before us did.  The
 * first ones attach a program to the network namespace's netfilter hooks.  Without it, fronts are
 * addresses like any others.
 */
int datapath_set_fronts(struct datapath *dp, const struct bh_front *fronts, size_t count,
			struct text *reterr);

/* Whether that can't be, and fronts are to be set with their backends instead. */
bool datapath_asks_backends(const struct datapath *dp);

/* :: and 0.0.0.0 are every address of this machine, for backends of that family. */
struct front_backends {
	struct bh_front front;
	struct bh_backends backends; /* more than there is room for: it is denied */
};

/*
 * The same where the kernel takes no such program: a workload may send to a front whose backends it
 * may all send to.  @list is sorted by front, each of which is there once.  What was decided for
 * those that change is decided again.
 */
int datapath_set_backends(struct datapath *dp, const struct front_backends *list, size_t count,
			  struct text *reterr);

/* Where somebody took the program off a hook, it hangs again; how many hooks, or -errno. */
int datapath_repair_fronts(struct datapath *dp);

/* Why that can't be on this kernel; NULL: it can, or nobody wants it. */
const char *datapath_fronts_trouble(const struct datapath *dp);

/* How many there are, and whether the program hangs on every hook. */
size_t datapath_fronts(const struct datapath *dp, bool *ret_is_attached);

/* --- counters, connections, events: sums over CPUs --- */

/* Every drop and every other event is in one account, at BH_ACCOUNT_AT(verdict, reason). */
struct accounts {
	struct bh_account of[BH_ACCOUNTS];
};

/* The sum in @ret_sum; @ret_cpus, unless NULL, has datapath_cpus() of them.  One reading. */
int datapath_read_accounts(struct datapath *dp, struct accounts *ret_sum,
			   struct accounts *ret_cpus);
size_t datapath_cpus(const struct datapath *dp);

/* What became of events: `produced` is the sum of the other three. */
struct books {
	uint64_t produced, delivered, suppressed, lost;
};

struct books books_of_tally(const struct bh_tally *tally);
struct books accounts_of_verdict(const struct accounts *accounts, enum bh_verdict verdict);

/* Of the packets that were dropped for the reason, or for any. */
struct books accounts_of_reason(const struct accounts *accounts, enum bh_reason reason);
struct books accounts_of_drops(const struct accounts *accounts);
struct bh_count accounts_drops(const struct accounts *accounts, enum bh_reason reason);

int datapath_read_drops(struct datapath *dp, struct bh_count ret[static BH_REASON_COUNT]);
int datapath_read_rejects(struct datapath *dp, struct bh_rejects *ret);
int datapath_read_books(struct datapath *dp, struct books ret[static BH_VERDICT_COUNT]);
int datapath_read_endpoint(struct datapath *dp, uint16_t id, struct bh_endpoint_count *ret);

/* Those with ids 0..count-1, whether or not there is such an endpoint. */
int datapath_read_endpoints(struct datapath *dp, size_t count, struct bh_endpoint_count *ret);

/* So many rules of a slot, from @first on.  A slot's counts begin at zero when it is filled. */
int datapath_read_rules(struct datapath *dp, uint32_t slot, size_t first, size_t count,
			struct bh_count *ret);
int datapath_read_rule_events(struct datapath *dp, uint32_t slot, size_t first, size_t count,
			      struct bh_tally *ret);

/* A connection, put together of both halves of its line. */
struct connection {
	struct bh_conn_key key;
	struct bh_conn line;
	uint32_t created;              /* ticks */
	uint64_t packets[2], bytes[2]; /* 0: from the opener; 1: replies */
};

/* Return false to stop. */
typedef bool connection_fn(const struct connection *conn, void *user);

int datapath_each_connection(struct datapath *dp, connection_fn *fn, void *user);

/* How long it may be silent. */
uint32_t datapath_timeout_s(const struct connection *conn);

/* Frees expired connections, and counts the others; returns how many it freed, or -errno. */
int datapath_sweep(struct datapath *dp, uint64_t now_ns);

/* @packet is NULL, or the event with its packet, which was asked for. */
typedef void event_fn(const struct bh_event *event, const struct bh_event_packet *packet,
		      void *user);

/* Starts reading events; poll the descriptor, then consume. */
int datapath_events_open(struct datapath *dp, event_fn *fn, void *user);
int datapath_events_fd(const struct datapath *dp);

/* Under a flood there are always more, and others wait: for some milliseconds at most. */
#define DATAPATH_EVENTS_AT_ONCE 4096

/* Events read, so many at most; or -errno. */
int datapath_events_consume(struct datapath *dp);

/*
 * Events come without waking anybody, but for many at once: whoever reads looks again and again,
 * and says so here before he only waits for the descriptor.  The next event makes it readable; one
 * that was on its way meanwhile may not, so a last look is due some milliseconds later.
 */
void datapath_events_sleep(struct datapath *dp);

/* Whether events come with the first BH_PACKET_BYTES of their packets. */
void datapath_events_want_packets(struct datapath *dp, bool is_wanted);

/*
 * Records of flows: open, then read some hundred at most, and again the same ones until it is said
 * that they are done with.  Only where flow_interval_s is not 0.
 */
typedef void flow_fn(const struct bh_flow *flow, void *user);

int datapath_flows_open(struct datapath *dp);
int datapath_flows_fd(const struct datapath *dp); /* readable when there is much */
size_t datapath_flows_read(struct datapath *dp, flow_fn *fn, void *user);
void datapath_flows_done(struct datapath *dp);

uint64_t datapath_flows_position(const struct datapath *dp); /* of the first that isn't done */
int datapath_flows_mark(const struct datapath *dp, const struct bh_flow_mark *mark);
int datapath_flows_marked(const struct datapath *dp, struct bh_flow_mark *ret);
int datapath_read_flow_books(struct datapath *dp, struct bh_flow_books *ret);

/* --- what it is made of --- */

struct table_fill {
	const char *name;
	uint64_t used; /* connections: at the last sweep; UINT64_MAX: not known */
	uint64_t capacity;
	uint64_t bytes; /* memory the kernel accounts to it */
};

/* Fills @ret with at most @size tables, returns how many there are. */
size_t datapath_tables(struct datapath *dp, struct table_fill *ret, size_t size);

#endif
