/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The compiled policy as programs read it.
 *
 *   address --bh_prefixes--> identity --bh_identities--> address class
 *   protocol, port --bh_services--> service class
 *   (source class, destination class) --pair grid--> row
 *   (row, service class) --cell grid--> cell: verdict and rule
 *
 * Every index is relative to a base in the slot's header, struct bh_policy.  The agent writes all
 * of it; programs only read.
 */
#ifndef BULKHEAD_TABLES_H
#define BULKHEAD_TABLES_H

#include <bulkhead/address.h>
#include <bulkhead/connection.h>
#include <bulkhead/limits.h>

/*
 * Longest prefixes by hash, both families in 128 bits.  An entry is a prefix of the policy, or a
 * waypoint that a search for longer ones comes through, which has the identity of the longest
 * prefix around it: no search goes back.  What changes in place is in runs, which are looked at
 * first; entries stay as they are.
 */
struct bh_prefix {
	__u64 high; /* the address as two numbers in host order, bits past the length zero */
	__u64 low;
	__u64 word; /* BH_PREFIX(); 0: free */
};

#define BH_PREFIX(len, identity, next) ((__u64)(identity) << 32 | (next) << 8 | (len))
#define BH_PREFIX_LEN(word)            ((__u32)(word)&0xff)          /* 1..128; 0: none is here */
#define BH_PREFIX_NEXT(word)           ((__u32)((word) >> 8) & 0xff) /* 0: no longer ones in it */
#define BH_PREFIX_IDENTITY(word)       ((__u32)((word) >> 32))

#define BH_PREFIX_WAYS     5 /* entries in a line */
#define BH_PREFIX_LINES_OF 4 /* lines that an entry may be in */

/* Two cache lines. */
struct bh_prefix_line {
	struct bh_prefix of[BH_PREFIX_WAYS];
	__u64 spills; /* BH_PREFIX_SPILL() of what could be here, and is in the next of its lines */
};

/*
 * Hash of a prefix: NH (RFC 4418, 5.2.2) of its five words {high >> 32, high, low >> 32, low,
 * length} and a zero; then h ^= h >> 32, h *= factor.
 */
#define BH_PREFIX_LINE(hash, lines, n)                                                             \
	((__u32)((__u64)((__u32)((hash) >> 32) + (n) * ((__u32)(hash) | 1)) * (lines) >> 32))
#define BH_PREFIX_SPILL(hash) (1ull << ((hash) >> 26 & 63))

struct bh_prefix_hash {
	__u32 key[6];
	__u64 factor; /* odd */
};

/*
 * A run is eight addresses that differ in their last bits only.  Where the policy has a prefix of
 * no more addresses than two runs, each address of them has its identity here, and no search goes
 * on. In a slot whose identities' numbers need more than 16 bits it is four addresses.
 */
#define BH_RUN_BITS           3
#define BH_RUN_BITS_WIDE      2
#define BH_RUN_ADDRESSES      (1 << BH_RUN_BITS)
#define BH_RUN_ADDRESSES_WIDE (1 << BH_RUN_BITS_WIDE)
#define BH_RUN_IDENTITIES     (1u << 16) /* more make them wide */

/* Each address's identity. */
union bh_run_identities {
	__u16 of[BH_RUN_ADDRESSES];
	__u32 wide[BH_RUN_ADDRESSES_WIDE];
};

#define BH_RUN_WAYS               6 /* in a line of IPv4; each may be in BH_PREFIX_LINES_OF lines */
#define BH_RUN_KEY(address, bits) (1u << 31 | (__u32)(address) >> (bits))
#define BH_RUN_GONE               4u /* one was here, and programs may still look */
#define BH_RUN_SPILL(hash)        (1u << ((hash) >> 26 & 31)) /* in the half that bit 31 says */

/* A cache line: a run is in one, its key and all that goes with it. */
struct bh_run_half {
	__u32 key[BH_RUN_WAYS / 2]; /* BH_RUN_KEY(); 0: free */
	__u32 spills;               /* BH_RUN_SPILL(); as in struct bh_prefix_line */
	union bh_run_identities identity[BH_RUN_WAYS / 2];
};

/* Hash of a run: (key + hash.key[4]) * hash.key[5]; then as that of a prefix. */
struct bh_run_line {
	struct bh_run_half half[2];
};

/* Those of IPv6.  A bit of each key is not its own: what spills from the line, in a few bits. */
#define BH_RUN6_WAYS           4
#define BH_RUN6_LOW(low, bits) (((low) & ~0ull << (bits)) | 1)
#define BH_RUN6_SPILL          2u
#define BH_RUN6_SPILL_AT(hash) ((__u32)((hash) >> 26 & (BH_RUN6_WAYS - 1)))

struct bh_run6 {
	__u64 low; /* BH_RUN6_LOW(), 0: free; and BH_RUN6_SPILL.  Stored last and loaded first. */
	__u64 high;
	union bh_run_identities identity;
};

/* Hash of a run: as that of a prefix whose length is 0, and whose address is the key. */
struct bh_run6_line {
	struct bh_run6 run[BH_RUN6_WAYS];
};

/*
 * Where a search for an IPv4 address starts: word a >> 16 of the first lines.  It has the identity
 * of the longest prefix of up to 16 bits, and which longer ones there are: bit n for 16 + n bits,
 * up to 27, or 28 where runs are of four addresses, and one for runs.
 */
#define BH_START(identity, longer) ((__u64)(identity) << 32 | (longer))
#define BH_START_IDENTITY(start)   ((__u32)((start) >> 32))
#define BH_START_RUNS              (1u << 16)
#define BH_START_BITS              12 /* of the longest prefixes that are no runs, but for 16 */
#define BH_START_LINES             4096
#define BH_START_LINE_ENTRIES      16

struct bh_start_line {
	__u64 start[BH_START_LINE_ENTRIES];
};

/*
 * The lengths between 16 bits and those of runs are gone through as a fixed tree: n is 8, then 8 +-
 * 4, and so on.  Left is shorter, right is longer; @half is 8 for the first one, 1 for the last
 * ones.
 */
#define BH_START_SIDE(start, from, half) ((__u32)(start) >> (from) & ((1u << ((half)-1)) - 1))
#define BH_START_LEFT(start, n, half)    BH_START_SIDE(start, (n) - (half) + 1, half)
#define BH_START_RIGHT(start, n, half)   BH_START_SIDE(start, (n) + 1, half)
#define BH_START_HERE(start, n)          ((__u32)(start) >> (n)&1)

#define BH_PREFIX_STEPS 7 /* and 2^7 nodes: so many lengths there are between 0 and 128 */

/*
 * How a slot's prefixes are found: IPv4 addresses from their start, in runs first.  IPv6 looks at
 * its runs first, and then goes through the lengths that are in use as a binary tree, from node 1:
 * from node n to 2n if no prefix of its length is there; if there is one, to the node that it says,
 * below 2n + 1, where all longer ones in it are.  A length of 0, as that of node 0, ends it.  In
 * IPv4 the next one is 1, or 0.
 */
struct bh_prefixes {
	/* First, in bh_prefixes: BH_START_LINES, then those of the hash table, of runs, of runs6.
	 */
	__u32 line;
	__u32 lines; /* of the hash table */
	struct bh_prefix_hash hash;
	__u32 otherwise; /* identity of an IPv6 address that no entry has */
	__u32 runs;      /* lines of them */
	__u32 run_bits;  /* BH_RUN_BITS, or BH_RUN_BITS_WIDE */
	__u32 runs6;     /* lines of those of IPv6 */
	__u32 pad[2];
	__u8 length[1 << BH_PREFIX_STEPS];
};

/* What an address resolves to.  Identity 0 is `outside`: in no zone, in no workload. */
struct bh_identity {
	__u16 row;    /* in the pair grid, of who opens a connection */
	__u16 column; /* and of whom it is opened to */
	__u32 flags;  /* BH_IDENTITY_* */
};

/* How the zone stands while the agent is down is the last two; neither: the last policy stays. */
#define BH_IDENTITY_HOST        (1u << 0) /* an address of this machine */
#define BH_IDENTITY_DOWN_OPEN   (1u << 1)
#define BH_IDENTITY_DOWN_CLOSED (1u << 2)

/* Which table a protocol's numbers are looked up in. */
enum bh_service_table {
	BH_SERVICE_TCP,   /* by destination port */
	BH_SERVICE_UDP,   /* by destination port */
	BH_SERVICE_SCTP,  /* by destination port */
	BH_SERVICE_ICMP,  /* by type << 8 | code */
	BH_SERVICE_ICMP6, /* by type << 8 | code */
	BH_SERVICE_PROTO, /* every other protocol, by its number */
	BH_SERVICE_TABLES
};

struct bh_service_line {
	__u16 class[BH_SERVICE_LINE_ENTRIES];
};

/*
 * A grid is a matrix whose equal parts are stored once.  Value (r, c) is in block
 *   directory[grid.line * BH_LINE_ENTRIES + r * grid.stride + c / BH_BLOCK_ENTRIES]
 * counted from grid.block, at place c % BH_BLOCK_ENTRIES.
 */
struct bh_grid {
	__u32 line;   /* first directory line, in bh_directory */
	__u32 block;  /* first block, in bh_blocks */
	__u32 stride; /* directory entries for a row */
	__u32 rows;   /* bounds: a place outside them has value 0, which denies */
	__u32 columns;
};

struct bh_directory_line {
	__u32 block[BH_LINE_ENTRIES];
};

struct bh_block {
	__u32 value[BH_BLOCK_ENTRIES];
};

/*
 * A cell is one word: the rule that decided (0: the default), the verdict (enum bh_verdict), flags.
 * The zero cell is "denied by default": what is missing anywhere.  What is decided so has a flag.
 */
#define BH_CELL(rule, verdict, flags) ((__u32)(rule) | (__u32)(verdict) << 24 | (flags))
#define BH_CELL_RULE(cell)            ((cell)&BH_RULE_MAX)
#define BH_CELL_VERDICT(cell)         ((cell) >> 24 & 7)
#define BH_CELL_LOG                   (1u << 27) /* report the connection also when it is allowed */
#define BH_CELL_DENIED                (1u << 28) /* by the rules; modes may still let it through */
#define BH_CELL_LATER                 (1u << 29) /* no decision: BH_CELL_LATER_AT() says more */
#define BH_CELL_TLS                   (1u << 30) /* TCP: the opener must begin with a TLS hello */

/*
 * What programs have found in the grids of a slot, so that they find it at once the next time: of a
 * pair of classes the row, of a row and a service class the cell.  A word says of what it is, and
 * is stored and loaded at once; 0: nothing.  What a word has no room for is not noted.  Whoever
 * fills the slot zeroes its part before.
 */
#define BH_KNOWN_PAIR(src, dst)    (1ull << 63 | (__u64)(src) << 43 | (__u64)(dst) << 23)
#define BH_KNOWN_PLACE(row, class) (1ull << 63 | (__u64)(row) << 43 | (__u64)(class) << 32)
#define BH_KNOWN_CLASSES           (1u << 20)
#define BH_KNOWN_ROWS              (1u << 20)
#define BH_KNOWN_SERVICES          (1u << 11)
#define BH_KNOWN_ROW(word)         ((__u32)(word) & ((1u << 23) - 1))
#define BH_KNOWN_CELL(word)        ((__u32)(word))
#define BH_KNOWN_AT(row, column)   (((row) + (column)*2533) % BH_KNOWN_ENTRIES)
#define BH_KNOWN_LINE_ENTRIES      8
#define BH_KNOWN_LINES             (BH_KNOWN_ENTRIES / BH_KNOWN_LINE_ENTRIES)

struct bh_known_line {
	__u64 word[BH_KNOWN_LINE_ENTRIES];
};

/*
 * A decision that changes when a rule expires.  The cell has nothing but the flag and a place,
 * counted from the slot's half of bh_later: what is decided until then, and the cell that holds
 * from then on, which may be another such one.
 */
#define BH_CELL_LATER_AT(cell) ((cell)&BH_RULE_MAX)

struct bh_later {
	__u64 until_s; /* on the wall, since 1970 */
	__u32 cell;    /* before */
	__u32 next;    /* at that second, and after it */
};

/* Some identity has BH_IDENTITY_DOWN_*; some cell is decided by BH_BUILTIN_FAILSAFE. */
#define BH_POLICY_DOWN     (1u << 0)
#define BH_POLICY_FAILSAFE (1u << 1)

/* Header of a slot. */
struct bh_policy {
	__u32 generation; /* as which it was filled; 0: nothing in this slot */
	__u16 slot;       /* its own number; services begin at slot * BH_SERVICE_LINES */
	__u16 flags;      /* BH_POLICY_* */
	__u32 identity;   /* first entry in bh_identities */
	__u32 identities; /* bound */
	__u32 rule;       /* first entry in bh_rule_counts */
	__u32 rules;      /* bound, built-in rules included */
	struct bh_grid pairs;
	struct bh_grid cells;
	struct bh_prefixes prefixes;
};

/*
 * The one word that switches policies: generation << 1 | slot.  Programs read it once per packet,
 * the agent stores it once; nobody ever sees half of two policies.
 */
#define BH_ACTIVE(generation, slot)  ((__u64)(generation) << 1 | (slot))
#define BH_ACTIVE_SLOT(active)       ((__u32)(active)&1)
#define BH_ACTIVE_GENERATION(active) ((__u32)((active) >> 1))

struct bh_control {
	__u64 active;         /* BH_ACTIVE(); 0: no policy, everything is dropped */
	__u64 adopt_until_ns; /* CLOCK_MONOTONIC; until then connections older than the agent are
				 adopted */
	__u32 builtins_off;   /* bit n: enum bh_builtin n is turned off */
	__u32 layout;         /* of whoever made the maps: a hash of what they are made of */
	__u64 heartbeat_ns;   /* CLOCK_MONOTONIC, of the agent's last one; 0: there was none yet */
	__u64 wall_offset_ns; /* what CLOCK_BOOTTIME lacks to the time on the wall */

	/* CLOCK_MONOTONIC is jiffies * jiffy_ns + jiffies_offset_ns, modulo 2^64. */
	__u64 jiffy_ns; /* 0: not known */
	__u64 jiffies_offset_ns;

	/*
	 * A policy that nobody has confirmed yet: at that time programs go back by themselves to
	 * the word beside it, whose slot has the policy before.  Its generation is newer than the
	 * active one, so that connections are decided again.
	 */
	__u64 revert_at_ns; /* CLOCK_MONOTONIC; 0: the active word stands */
	__u64 revert_to;    /* BH_ACTIVE(); valid before the time is written */

	/* Read only for what was decided in another generation; see struct bh_epochs. */
	__u32 since; /* what was decided before this generation is decided again */

	__u32 down_slots;             /* bit n: the policy in slot n has BH_POLICY_DOWN */
	struct bh_conn_secret secret; /* of the connection table, and of fragments */

	/* Read only when there is an event. */
	__u32 event_sleep; /* the agent sets it before it sleeps; who wakes it zeroes it */
	__u32 event_bytes; /* 0, or events come with their packets: struct bh_event_packet */

	/* Read only where no connection is known. */
	__u32 adopt_ifindex; /* interfaces that came after this one have no older connections */

	__u32 flood_until; /* tick of the limiter: no note of a denial holds longer, see
			      bpf/denial.h */
};

/*
 * An address that changes in place makes a new generation, in which only what was decided for that
 * address is decided again.  For each hash of an address: the generation in which one that has it
 * changed last.  The agent stores first what the address is from now on, then the generation here,
 * then the active word.
 */
#define BH_EPOCHS 4096

/* Of the 16 bytes of an address, as two words in memory. */
#define BH_EPOCH_FOLD(first, second) (((first) ^ (second)) ^ ((first) ^ (second)) >> 32)
#define BH_EPOCH_AT(first, second)                                                                 \
	((__u32)(BH_EPOCH_FOLD((__u64)(first), (__u64)(second)) * 0x9e3779b97f4a7c15ull >> 52))

struct bh_epochs {
	__u32 changed[BH_EPOCHS];
};

/* So many generations may lie between a decision and the packet that goes on by it. */
#define BH_GENERATIONS_KEPT (1u << 30)

/* The kernel's clocks, read at once. */
struct bh_clock {
	__u64 jiffies;
	__u64 monotonic_ns;
	__u64 boot_ns;
};

_Static_assert(sizeof(struct bh_prefix_line) == 128, "a line of prefixes is two cache lines");
_Static_assert(sizeof(struct bh_start_line) == sizeof(struct bh_prefix_line), "one array for both");
_Static_assert(sizeof(struct bh_run_line) == sizeof(struct bh_prefix_line), "and for these");
_Static_assert(sizeof(struct bh_run6_line) == sizeof(struct bh_prefix_line), "and for these");
_Static_assert(sizeof(union bh_run_identities) == 16, "wide or not, it takes as much");
_Static_assert(sizeof(struct bh_prefixes) == 192, "each part of it is whole cache lines");
_Static_assert(sizeof(struct bh_identity) == 8, "array elements are padded to 8 bytes anyway");
_Static_assert(sizeof(struct bh_service_line) == 64, "a service line is a cache line");
_Static_assert(sizeof(struct bh_directory_line) == 64, "a directory line is a cache line");
_Static_assert(sizeof(struct bh_block) == 128, "a block is two cache lines");
_Static_assert(sizeof(struct bh_known_line) == 64, "a line of what is known is a cache line");
_Static_assert(sizeof(struct bh_later) == 16, "a change has no holes");
_Static_assert(__builtin_offsetof(struct bh_control, revert_to) == 64,
	       "what every packet reads of it is a cache line");
_Static_assert(BH_EPOCHS == 1 << (64 - 52), "an epoch for each value of the hash");
_Static_assert(__builtin_offsetof(struct bh_policy, prefixes) == 64, "grids are in the first line");

#endif
