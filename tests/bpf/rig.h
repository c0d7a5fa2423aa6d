/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loaded programs, a policy in force, and one packet at a time through one of them. */
#ifndef TESTS_BPF_RIG_H
#define TESTS_BPF_RIG_H

#include "datapath/crafted.h"
#include "datapath/datapath.h"
#include "datapath/internal.h"
#include "datapath/program.h"
#include "policy/compile.h"
#include "tests/test.h"

/* Sets of programs. */
#define ON(program) (1u << (program))
#define ON_XDP      ON(PROGRAM_XDP_IN)
#define ON_HOST_IN  (ON(PROGRAM_XDP_IN) | ON(PROGRAM_HOST_IN))
#define ON_HOST     (ON_HOST_IN | ON(PROGRAM_HOST_OUT))
#define ON_FROM     ON(PROGRAM_FROM)
#define ON_TO       ON(PROGRAM_TO)
#define ON_WORKLOAD (ON_FROM | ON_TO)
#define ON_ALL      (ON_HOST | ON_WORKLOAD)

#define RIG_IFINDEX  PROGRAM_IFINDEX
#define RIG_ENDPOINT 7 /* the workload's */

#define RIG_CONN_LINES 4096

/* What one packet came to. */
struct outcome {
	bool is_passed;
	enum bh_reason reason;
	uint32_t rule; /* whose count rose; BH_RULE_NONE: none */
	size_t events; /* delivered */
	struct bh_event event;
};

struct rig {
	struct datapath *dp;
	struct policy *policy;
	struct compiled *compiled;
	const char *rules;          /* of rig_policy(), if that was the last; not owned */
	uint64_t revert_at_ns;      /* of the next policy, as datapath_try_policy() has it */
	enum end stand;             /* whose addresses are local, or a workload's sources */
	bool is_forwarded;          /* tc: the packet came in on another interface */
	bool is_returned;           /* tc: on this one */
	bool is_unknown;            /* the interface is not registered */
	bool is_link_local_known;   /* the workload's own: none that a test uses */
	uint32_t source_flags;      /* BH_SOURCE_LINK_ONLY: of a workload's addresses */
	struct local_prefix routed; /* what the machine takes in, too; len 0: nothing */
	size_t events;
	struct bh_event event;
	bool has_packet; /* the last one came with it */
	struct bh_event_packet packet;
};

/* @event_rate as in struct datapath_config.  Fails the test if the programs don't load. */
struct rig *rig_new(uint32_t event_rate);
struct rig *rig_new_config(const struct datapath_config *config);
void rig_free(struct rig *rig);

/* Group fixtures: *state is a rig with no policy in force. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* Rules, and more keys of a spec, in YAML flow lines, over the tests' zones and workloads. */
void rig_policy(struct rig *rig, const char *rules);

/* A whole document instead. */
void rig_document(struct rig *rig, const char *yaml);
void rig_no_policy(struct rig *rig);

/* The generation rises, as if every address had changed; the tables stay. */
void rig_bump(struct rig *rig);
void rig_builtins_off(struct rig *rig, uint32_t mask);
/* What time it is on the wall, in seconds. */
void rig_clock(struct rig *rig, uint64_t wall_s);

/* The agent's last heartbeat is so long ago; -1: there was none. */
void rig_heartbeat(struct rig *rig, int seconds);
void rig_adopt(struct rig *rig, bool is_open);

/* The endpoint at which packets are seen is @end: this machine, or a workload, as the program has
 * it. */
void rig_stand(struct rig *rig, enum end end);

/* False where the kernel can't build so short a packet for the program. */
bool rig_can_run(enum program program, const struct frame *frame);

/*
 * Runs one packet and asserts what is always true: a drop is counted once, with one reason, and
 * produces an event of the same content; the endpoint's counts and the books are exact.
 */
struct outcome rig_run(struct rig *rig, const char *name, enum program program,
		       const struct packet_spec *spec);
struct outcome rig_run_frame(struct rig *rig, const char *name, enum program program,
			     const struct frame *frame);

/* The same without any checks, and without saying who is where. */
bool rig_passes(struct rig *rig, const char *name, enum program program, const struct frame *frame);

/* What the server sends first to a client whose SYN has sequence number 0. */
struct packet_spec rig_answer(bool is_v6);

/*
 * The client opens a connection to the server, is answered, and sends @last; all of these pass.
 * @forth: the program at the endpoint that sees what the client sends.
 */
void rig_open_web(struct rig *rig, enum program forth, const struct packet_spec *last);

/* @count times the same packet, without any checks. */
void rig_repeat(struct rig *rig, enum program program, const struct frame *frame, int count);
size_t rig_consume(struct rig *rig); /* events read; the last one is in rig->event */

/* A map's values, to be read and written in place; given back by munmap(). */
void *rig_share(const struct bpf_map *map, size_t *ret_size);

/* Forgets connections and fragments. */
void rig_forget(struct rig *rig);

/* Everything that is remembered becomes @seconds older. */
void rig_age(struct rig *rig, uint32_t seconds);

const char *rig_rule_name(const struct rig *rig, uint32_t rule);

struct seen_connection {
	struct connection conn;
	bool is_embryonic;
	bool is_opener; /* the packet's source opened it */
};

/* The connection of the packet at an endpoint; -ENOENT if there is none. */
int rig_connection(struct rig *rig, const struct packet_spec *spec, uint16_t endpoint,
		   struct seen_connection *ret);

/* Who is behind the interface; NULL: nobody whom programs know. */
void rig_set_workload(struct rig *rig, const struct bh_endpoint *workload);

/* Only this one, as if it had been displaced; its share stays taken if it was settled. */
void rig_forget_connection(struct rig *rig, const struct packet_spec *spec, uint16_t endpoint);

#endif
