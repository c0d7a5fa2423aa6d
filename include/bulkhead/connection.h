/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections: key, value, states.  Programs write them; the agent lists, expires and deletes.
 * Each enforced endpoint has its own entry, so two ends on one machine never share state.
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
	__u8 pad; /* zero: this struct is a hash key */
};

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

/* What one direction has sent.  Counters are exact: programs add to them atomically. */
struct bh_conn_half {
	__u64 packets;
	__u64 bytes;    /* of the frame at the hook, Ethernet header included */
	__u32 seq_end;  /* TCP: highest sequence number sent, plus one, host order */
	__u32 ack;      /* TCP: highest acknowledgement sent, host order */
	__u8 tcp_flags; /* all seen, ORed */

	/* Of the opener, until the other end has acknowledged the TLS hello that the rule requires.
	 */
	__u8 hello; /* right bytes seen of its first ones, plus one; 0: none is awaited (any more)
		     */
	__u16 hello_length; /* the record's, as far as seen, host order */
	__u32 hello_seq;    /* sequence number of the first byte, host order */
};

struct bh_conn {
	__u64 created_ns;   /* CLOCK_MONOTONIC */
	__u64 seen_ns;      /* last packet in either direction; UDP: of the opener */
	__u64 until_s;      /* on the wall: when the decision ends; 0: with the generation */
	__u32 generation;   /* in which it was last decided */
	__u32 rule;         /* that allowed it, numbered as in that generation */
	__u32 src_identity; /* of the end that opened; numbered as in that generation */
	__u32 dst_identity;
	__u32 timeout_s; /* it has expired this long after seen_ns; follows from protocol and state
			  */
	__u8 state;      /* enum bh_conn_state */
	__u8 verdict;    /* enum bh_verdict: allow or audit */
	__u8 opener;     /* 0 or 1: which end of the key sent the first packet */
	__u8 direction;  /* enum bh_direction of the opener's packets at the endpoint */
	struct bh_conn_half half[2]; /* 0: from the opener; 1: replies */
};

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

_Static_assert(sizeof(struct bh_conn_key) == 40, "connection key has no holes");
_Static_assert(sizeof(struct bh_conn_half) == 32, "half a connection");
_Static_assert(sizeof(struct bh_conn) == 112, "connection value has no holes");

#endif
