/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of this layer share; nothing outside it includes this but its own tests. */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <errno.h>

#include "datapath/datapath.h"
#include "datapath/entries.h"
#include "datapath/lanes.h"
#include "datapath/own_lines.h"
#include "datapath/pins.h"
#include "datapath/program.h"
#include "datapath/ring.h"
#include "datapath/tables.h"
#include "util/text.h"
#include "util/vec.h"

struct bpf_map;
struct bpf_program;
struct bulkhead_bpf;

/* A front that an address is a backend of. */
struct backend_place {
	struct bh_addr backend;
	struct bh_addr front;
};

typedef VEC(struct backend_place) backend_places;

struct datapath {
	struct bulkhead_bpf *skel; /* the maps, and programs that are on no hook */
	int programs[PROGRAMS];    /* loader.c: the others; -1: it is not loaded */
	int rests[PROGRAM_HALVES]; /* where they go on, as far as this start loaded them; or -1 */
	bool is_kept;              /* kept.c: an earlier start loaded them */
	struct pins pins;
	struct tables tables;
	struct own_lines own;
	struct text beside; /* why the maps that are pinned are not ours; empty: they are */
	bool is_fresh;      /* nothing was in these maps when it was opened */
	bool is_adopted;
	bool is_grace_due;     /* programs may still read the idle slot */
	uint32_t idle_cleared; /* rules of the idle slot, from the first, whose counts are 0 */
	uint32_t methods_off;  /* as in struct datapath_config */
	uint32_t kinds_off;    /* likewise; 0 where programs are to be replaced */
	uint32_t grown;        /* bit n: table n of growth.c takes the place of a smaller one */
	uint64_t settled, embryonic, fragments; /* at the last sweep; UINT64_MAX: there was none */
	uint64_t parts_changed_ns;              /* when the embryonic parts of endpoints did */
	uint32_t shares;                        /* that the connection table is divided into */
	int cpus;
	/* Closed until somebody reads them. */
	struct ring packets; /* events with their packets */
	struct ring flows;
	struct lanes lanes;
	struct table_view lane_ends, lane_events;
	event_fn *event;
	void *event_user;
	int translated_fd;   /* the program behind fronts; -1: there is none */
	bool is_translating; /* it hangs at the hooks */
	bool is_leaving;     /* another start's does, until it is known who is behind fronts */
	struct text fronts_trouble;
	bool has_fronts; /* as in struct datapath_config */
	size_t fronts;
	backend_places backend_places; /* sorted */
	uint32_t builtins_off;         /* as in struct datapath_config */
};

#define _datapath_ _cleanup_(datapath_freep)
void datapath_freep(struct datapath **dp);

/* Adds the sentence, with what @err means after it, to @reterr; returns @err. */
int explain_error(struct text *reterr, int err, const char *format, ...) PRINTF_LIKE(3, 4);

/* --- object.c --- */

/* As the kernel here can take it.  NULL: errno says why. */
struct bulkhead_bpf *object_open(void);
uint64_t object_hash(void); /* of all that a build's programs are made of */

/* --- attach.c: programs on interfaces --- */

/* Of Linux 6.6; the headers of older distributions lack them. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/* One direction of an interface, and what shall run there. */
struct hook {
	uint32_t ifindex;
	bool is_egress;   /* as the interface sees it */
	bool is_answerer; /* runs beside the one at ingress: answerer.c */
	int xdp;          /* descriptor of a program; -1: tc only */
	int tc;
};

struct hook_list {
	struct hook of[HOOKS_MAX];
	size_t count;
};

/*
 * The best method that works; what hangs there already gets the new program, without a gap, and
 * comes before the programs of others.
 */
int attach_hook(struct datapath *dp, const struct hook *hook, struct text *reterr,
		enum attach_method *ret);

/* -EBUSY: somebody else's XDP program is where ours is due.  It is never replaced. */
int attach_refuse_other(const struct datapath *dp, const struct hook *hook, struct text *reterr);

/* --- place.c --- */

/* Where the hook's program is now, and what comes before it. */
void hook_look(const struct datapath *dp, const struct hook *hook, struct hook_state *ret);

/* --- answerer.c: what sends the answers of XDP where the interface can't --- */

/* Whether the interface drops what a native XDP program sends. */
bool answerer_is_needed(uint32_t ifindex);

struct hook answerer_hook(const struct datapath *dp, uint32_t ifindex);

/* Before the XDP program, and after it. */
int answerer_attach(struct datapath *dp, uint32_t ifindex, struct text *reterr);
void answerer_remove(struct datapath *dp, uint32_t ifindex);

/* --- endpoints.c --- */

/* Who is behind an interface, as datapath_attach_workload() has it, and no program on it. */
int endpoint_enter_workload(struct datapath *dp, const struct workload_endpoint *w);

/* Forgets an interface that is not enforced any more: its entry, sources and counts. */
int endpoint_forget(struct datapath *dp, uint32_t ifindex);

/* What belongs where @record says; -ENOENT: the interface is no endpoint. */
struct record;
int endpoint_hook(const struct datapath *dp, const struct record *record, struct hook *ret);

/* --- fronts.c --- */

/* Once maps and control are there: the program that decides behind them. */
int fronts_begin(struct datapath *dp, const struct datapath_config *config, struct text *reterr);

/* Who has the workload's sources; without any: none.  After these have been set. */
int fronts_set_owner(struct datapath *dp, const struct workload_endpoint *w);

/* Once our maps are those that are pinned. */
void fronts_settle(struct datapath *dp);

void fronts_release(struct datapath *dp);

/* The sorted fronts are those that there are.  How many went, or -errno. */
int fronts_enter(const struct datapath *dp, const struct bh_front *sorted, size_t count,
		 enum bh_front_kind kind);

/* Equal neighbours are left out; how many are left. */
size_t fronts_sort(struct bh_front *fronts, size_t count);

/* On while somebody decides of fronts: else they are addresses like others. */
void fronts_set_builtin(struct datapath *dp, bool is_on);

/* --- backends.c --- */

/*
 * Of an earlier start those fronts stay that are decided so; and while its program decides behind
 * the others, so do they.
 */
int backends_begin(struct datapath *dp);
void backends_clear(struct datapath *dp);

/* Where that address is in backend_places; *ret_count of them. */
const struct backend_place *backends_find(const struct datapath *dp, const struct bh_addr *a,
					  size_t *ret_count);

/* --- grace.c --- */

/* Returns when no program runs that began before this. */
int grace_wait(void);

/* --- slots.c --- */

/* A new generation of the same slot: every connection is decided again. */
void slots_raise(struct datapath *dp);

/* Returns when no program runs that began before the last change of the generation. */
int slots_wait(struct datapath *dp);

/* The same, but only what these addresses are an end of is decided again. */
void slots_raise_for(struct datapath *dp, const struct bh_addr *addrs, size_t count);

/* --- program.c --- */

/* So often one of those that are on no hook. */
int program_run_alone(const struct bpf_program *program, uint32_t times);

/* --- connections.c --- */

/* Before the maps are made: as many lines as a pinned table has, else as was asked for. */
int connections_size(struct datapath *dp, const struct datapath_config *config);

/* Before the first packet: the table's secrets, if they are to be chosen, and the shares. */
int connections_set_up(struct datapath *dp, bool is_fresh);

/* Divides the table among the endpoints that there are, which it counts. */
int connections_share(struct datapath *dp);

/* The same after one was entered, or dropped: which seldom makes another number of shares. */
int connections_join(struct datapath *dp, uint16_t id);
int connections_leave(struct datapath *dp, uint16_t id);

/* As if no packet had been seen.  Only while no program runs. */
int connections_forget(const struct datapath *dp);

/* --- growth.c: how large the tables of a policy are --- */

/* Before pinned maps are looked at: what an earlier start began to replace is replaced, or as it
 * was. */
int growth_settle(struct datapath *dp);

/*
 * Before maps are made: as large as pinned ones are, if the policy fits into them; else with room
 * for more.
 */
int growth_choose(struct datapath *dp, const struct datapath_config *config);

/* Whether it is for growth_choose() to say how large a map is. */
bool growth_sizes(const struct datapath *dp, const struct bpf_map *map);

/* Whether a map is made in place of a pinned one. */
bool growth_replaces(const struct datapath *dp, const struct bpf_map *map);

/* What the pinned ones hold, to where programs of this start look for it; pins these beside them.
 */
int growth_fill(struct datapath *dp);

/* Once no program uses the pinned ones any more: their names are given to these. */
int growth_finish(const struct datapath *dp);

/* --- heartbeat.c --- */

/* -EOPNOTSUPP: programs and this process have clocks of their own, in a time namespace. */
int heartbeat_check_clocks(const struct datapath *dp, struct text *reterr);

/* Tells programs the time on the wall: they only know how long the machine runs. */
void heartbeat_set_clock(struct datapath *dp);

/* --- events.c --- */

/* Before the maps are made: lanes for as many CPUs as there may be. */
int events_size(struct datapath *dp);

void datapath_events_close(struct datapath *dp);

/* --- flows.c --- */

struct bpf_map;

/* Before the maps are made: what the flow log takes, if there is one; after connections_size(). */
int flows_size(struct datapath *dp, const struct datapath_config *config);

/* Of @map, which another start without a flow log has no use for. */
bool flows_are_logged(const struct datapath *dp);
bool flows_own(const struct datapath *dp, const struct bpf_map *map);

void datapath_flows_close(struct datapath *dp);

/* --- counters.c --- */

/* Keys first..first+count-1, each summed over the CPUs, into the array @ret of the map's values. */
int counters_read(struct datapath *dp, const struct bpf_map *map, uint32_t first, size_t count,
		  void *ret);
int counters_clear(struct datapath *dp, const struct bpf_map *map, uint32_t first, uint32_t count);
int counters_clear_endpoint(struct datapath *dp, uint16_t id);
void tally_add(struct bh_tally *sum, const struct bh_tally *tally);

/* --- rule_counts.c --- */

/* Zeroes the counts of @count rules of a slot, from @first on; past its end there is nothing. */
int counters_clear_rules(struct datapath *dp, uint32_t slot, uint32_t first, uint32_t count);

#endif
