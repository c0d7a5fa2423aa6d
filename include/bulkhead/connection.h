/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The connection table: an array of lines in two halves, shared by all endpoints, in which each
 * endpoint has a share of its own.  Programs write it; the agent lists it.  Each enforced endpoint
 * has its own entry of a connection, so two ends on one machine never share state.
 *
 * Eight lines are a bucket, and a connection is in one of two buckets that its key chooses: among
 * all, when both ends have taken part; before, in the embryonic part, which lies behind.  So new
 * ones are written to lines that were used a short while ago, which caches still hold.  Who writes
 * a line's key holds the lock of its group of buckets; who reads it looks at the line's stamp
 * before and after.
 */
#ifndef BULKHEAD_CONNECTION_H
#define BULKHEAD_CONNECTION_H

#include <bulkhead/address.h>

/* Endpoint 0 is the machine itself, whatever interface its packets take. */
#define BH_ENDPOINT_HOST 0

/* In events, where the interface is registered as none; it has no counts. */
#define BH_ENDPOINT_UNKNOWN 0xffff

/*
 * Both directions have the same key: ends are ordered (address, then port, compared as bytes), and
 * the value says which end opened.  ICMP echo has its id as the requester's port and 0 as the
 * other's; a protocol without ports has 0 for both.
 */
struct bh_conn_key {
	struct bh_addr addr[2];
	__be16 port[2];
	__u16 endpoint; /* bh_endpoint.id */
	__u8 proto;
	__u8 ip_version; /* 4 or 6; a free line has 0, and equals no key */
} __attribute__((aligned(8)));

#define BH_CONN_KEY_WORDS 10 /* of 32 bits */

/* clang-format off */
#define BH_CONN_STATES(X)                                                             \
	X(NEW,         "new",         "one direction seen")                           \
	X(OPENING,     "opening",     "TCP: SYN answered, handshake not complete")    \
	X(ESTABLISHED, "established", "both directions seen")                         \
	X(CLOSING,     "closing",     "TCP: FIN from both ends, or an accepted RST")  \
	X(HELLO,       "hello",       "TCP: handshake complete, the TLS hello that its rule requires not yet")

enum bh_conn_state {
#define X(id, word, help) BH_CONN_##id,
	BH_CONN_STATES(X)
#undef X
	BH_CONN_STATE_COUNT
};
/* clang-format on */

/* Times in the table are of CLOCK_MONOTONIC, in ticks of 2^20 ns, and wrap after 52 days. */
#define BH_TICK_SHIFT       20
#define BH_TICKS(ns)        ((__u32)((ns) >> BH_TICK_SHIFT))
#define BH_TICKS_OF_S(s)    BH_TICKS((__u64)(s)*1000000000ull)
#define BH_S_OF_TICKS(tick) (((__u64)(tick) << BH_TICK_SHIFT) / 1000000000ull)

/*
 * The nearer half of a line: a cache line, and all that a packet of an established connection of
 * IPv4 touches.  Words are pairs that programs load at once.
 */
struct bh_conn {
	/* What differs from key to key: of addresses, the last word. */
	__be32 last[2];
	__be16 port[2];
	__u16 endpoint;
	__u8 proto;
	__u8 ip_version; /* 0: the line is free */

	__u32 stamp; /* another number for each connection in this line; odd while it changes */
	__u32 generation; /* in which it was last decided */
	__u32 seen;       /* ticks: last packet in either direction; UDP: of the opener */
	__u32 rule;       /* that allowed it, numbered as in that generation */

	__u8 state;        /* enum bh_conn_state */
	__u8 timeout;      /* enum bh_timeout: how long after `seen` it has expired */
	__u8 verdict;      /* enum bh_verdict: allow or audit */
	__u8 opener;       /* 0 or 1: which end of the key sent the first packet */
	__u8 direction;    /* enum bh_direction of the opener's packets at the endpoint */
	__u8 flags;        /* BH_CONN_SETTLED | BH_CONN_TIMED | BH_CONN_UNSAID */
	__u8 tcp_flags[2]; /* all seen, ORed; 0: from the opener; 1: replies, as in the next */

	__u64 counted[2]; /* packets and bytes, BH_COUNTED_ONE; added to atomically, and so exact */
	__u32 ack[2];     /* TCP: highest acknowledgement sent, host order */
};

#define BH_CONN_SETTLED 0x01 /* both ends have taken part: nobody takes its place from it */
#define BH_CONN_TIMED   0x02 /* the decision ends at bh_conn_rest.until_s */
#define BH_CONN_UNSAID  0x04 /* TCP: the TLS hello that its rule requires is awaited */

/*
 * Two counters in a word, so that one addition counts a packet.  When either has its carry bit set,
 * that goes into bh_conn_rest.carried: well before it would run over.
 */
#define BH_COUNTED_SHIFT       40 /* below: bytes of frames at the hook, Ethernet header included */
#define BH_COUNTED_ONE(length) ((1ull << BH_COUNTED_SHIFT) | (length))
#define BH_COUNTED_PACKETS(w)  ((w) >> BH_COUNTED_SHIFT)
#define BH_COUNTED_BYTES(w)    ((w) & ((1ull << BH_COUNTED_SHIFT) - 1))
#define BH_CARRY_OF_PACKETS    (1ull << 63)
#define BH_CARRY_OF_BYTES      (1ull << (BH_COUNTED_SHIFT - 1))
#define BH_CARRY               (BH_CARRY_OF_PACKETS | BH_CARRY_OF_BYTES)

/* How often a word's carry bits have been taken away. */
struct bh_carried {
	__u32 packets;
	__u32 bytes;
};

/* The farther half. */
struct bh_conn_rest {
	/* Of the key's addresses, the other words. */
	__be32 first[2][2];
	__be32 third[2];

	__u32 until_s;                /* on the wall: when the decision ends, if it is timed */
	__u32 created;                /* ticks */
	struct bh_carried carried[2]; /* 0: from the opener; 1: replies, as in the next */
	__u32 seq_end[2]; /* TCP, until it is established: highest sequence number sent, plus one,
			     host order */

	/* Until the other end has acknowledged the TLS hello that the rule requires. */
	__u32 hello_seq;    /* sequence number of its first byte, host order */
	__u16 hello_length; /* the record's, as far as seen, host order */
	__u8 hello; /* right bytes seen of its first ones, plus one; 0: none is awaited (any more)
		     */
	__u8 pad;
};

/* What the two parts of a counter say together. */
static inline __u64 bh_packets_of(__u64 counted, const struct bh_carried *carried)
{
	return carried->packets * (BH_CARRY_OF_PACKETS >> BH_COUNTED_SHIFT) +
	       BH_COUNTED_PACKETS(counted);
}

static inline __u64 bh_bytes_of(__u64 counted, const struct bh_carried *carried)
{
	return carried->bytes * BH_CARRY_OF_BYTES + BH_COUNTED_BYTES(counted);
}

/* What a direction of the line has counted. */
static inline __u64 bh_conn_packets(const struct bh_conn *conn, const struct bh_conn_rest *rest,
				    int half)
{
	return bh_packets_of(*(const volatile __u64 *)&conn->counted[half], &rest->carried[half]);
}

static inline __u64 bh_conn_bytes(const struct bh_conn *conn, const struct bh_conn_rest *rest,
				  int half)
{
	return bh_bytes_of(*(const volatile __u64 *)&conn->counted[half], &rest->carried[half]);
}

/* Which connection the line has, or had: ip_version says. */
static inline void bh_conn_key_of(const struct bh_conn *conn, const struct bh_conn_rest *rest,
				  struct bh_conn_key *ret)
{
	for (int end = 0; end < 2; end++) {
		ret->addr[end].word[0] = rest->first[end][0];
		ret->addr[end].word[1] = rest->first[end][1];
		ret->addr[end].word[2] = rest->third[end];
		ret->addr[end].word[3] = conn->last[end];
		ret->port[end] = conn->port[end];
	}
	ret->endpoint = conn->endpoint;
	ret->proto = conn->proto;
	ret->ip_version = conn->ip_version;
}

#define BH_CONN_WAYS          8  /* lines in a bucket */
#define BH_CONN_GROUP_BUCKETS 64 /* that one lock guards: both of a connection */
#define BH_CONN_GROUP_LINES   (BH_CONN_WAYS * BH_CONN_GROUP_BUCKETS)

/* Of a bucket's lines, each: a part of the key's hash, never 0; 0: the line is free. */
struct bh_conn_tags {
	__u32 tag[BH_CONN_WAYS];
};

/*
 * Of a bucket of connections that are not settled.  They lie behind the others, where each endpoint
 * has buckets of its own: a flood displaces its own endpoint's unanswered connections and nothing
 * else.
 */
struct bh_embryonic {
	__u32 next; /* modulo the ways: whose line is taken next, when none is free */
};

/* By which keys are hashed: as long as there is a table, nobody knows it. */
struct bh_conn_secret {
	__u32 key[BH_CONN_KEY_WORDS]; /* random: nobody finds keys that collide */
	__u64 factor;                 /* random and odd */
	__u64 v4; /* what the words that all addresses of IPv4 begin with add to a sum */
};

/* The words at one place of two addresses are multiplied, each with its part of the secret added.
 */
static inline __u64 bh_conn_hash_v4(const __u32 *key)
{
	static const struct bh_addr any_v4 = BH_ADDR_V4_ANY;
	__u64 sum = 0;

	for (int i = 0; i < 3; i++)
		sum += (__u64)(any_v4.word[i] + key[2 * i]) * (any_v4.word[i] + key[2 * i + 1]);
	return sum;
}

/* What the agent chooses: how much of the tables belongs to each endpoint. */
struct bh_conn_setup {
	__u32 embryonic_each;   /* entries of bh_embryonic, a power of two */
	__u32 embryonic_before; /* as many as it had; another number: what was entered then is
				   looked for, too */
	__u32 fragments_each;   /* buckets of bh_fragments */
	__u32 settled_each;     /* settled connections, whatever others have */
	__u32 settled_shared;   /* of all endpoints, up to which one may have more than that */
};

/* A pass over all that is remembered: the agent asks, and bh_sweep_lines answers, in many runs. */
struct bh_sweep {
	__u64 now_ns;
	__u32 runs;      /* so many there were */
	__u32 expired;   /* connections freed */
	__u32 settled;   /* connections found */
	__u32 embryonic; /* likewise */
	__u32 fragments; /* first ones that are waited for */
	__u32 pad;
};

#define BH_SWEEP_LINES 64 /* of bh_conns, and one bucket of bh_fragments, in one run */

/* How long a connection may be silent, in seconds, by protocol and state. */
/* clang-format off */
#define BH_TIMEOUTS(X)                  \
	X(TCP_NEW,             20)      \
	X(TCP_OPENING,         60)      \
	X(TCP_ESTABLISHED,  43200)      \
	X(TCP_CLOSING,         10)      \
	X(UDP_NEW,             30)      \
	X(UDP_ESTABLISHED,    180)      \
	X(ICMP,                30)      \
	X(OTHER_NEW,           60)      \
	X(OTHER_ESTABLISHED,  600)

enum bh_timeout {
#define X(id, seconds) BH_TIMEOUT_##id,
	BH_TIMEOUTS(X)
#undef X
	BH_TIMEOUT_COUNT
};
/* clang-format on */

/* Whether connections ever had a port, see bpf/ports.h. */
#define BH_PORT_LINE  64 /* bytes */
#define BH_PORT_LINES (2 * 65536 / BH_PORT_LINE)

struct bh_port_line {
	__u8 is_used[BH_PORT_LINE];
};

_Static_assert(sizeof(struct bh_conn_key) == 4 * BH_CONN_KEY_WORDS, "connection key has no holes");
_Static_assert(sizeof(struct bh_conn) == 64, "a cache line");
_Static_assert(sizeof(struct bh_conn_rest) == 64, "and another");
_Static_assert(sizeof(struct bh_conn_tags) == 32, "two buckets' tags are a cache line");

#endif
