/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets as tables say them, hostile ones too, and their bytes.  Checksums are left to receivers:
 * zero. */
#ifndef DATAPATH_CRAFTED_H
#define DATAPATH_CRAFTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>

/* Who is in the world of such tables; each has an address of either family (crafted.c). */
enum end {
	END_DEFAULT, /* CLIENT as a source, SERVER as a destination */
	CLIENT,
	SERVER,
	OTHER,    /* in the client's zone, but no workload */
	OUTSIDER, /* in no zone */
	WATCHED,  /* in a zone whose mode is audit */
	LOOSE,    /* in a zone whose mode is off */
	NODE,     /* the policy's `host` */
	GROUP,    /* a multicast address */
	EVERYONE, /* all nodes of the link */
	NOBODY,   /* 0.0.0.0 or :: */
	LOOPBACK,
	LINK_LOCAL,
	ENDS,
};

/* ICMP of either family by what it means; with any of them the protocol follows from the family. */
enum icmp_kind {
	ICMP_NOT,
	ICMP_ECHO_REQUEST,
	ICMP_ECHO_ANSWER,
	ICMP_UNREACHABLE, /* and "packet too big" in IPv4: code 4 */
	ICMP_TIME_EXCEEDED,
	ICMP_BAD_PARAMETER,
	ICMP_TYPE, /* packet_spec.type */
};

#define PROTO_GRE 47 /* stands for all that have no ports */

#define SPEC_SPORT 40000
#define SPEC_DPORT 443

/* What is left out is valid and boring: a SYN from CLIENT to SERVER, port 443. */
struct packet_spec {
	bool is_v6;
	enum end from, to;
	const char *src, *dst;                     /* instead of an end; of the packet's family */
	const struct bh_addr *src_addr, *dst_addr; /* likewise */

	/* Behind the IP header. */
	uint8_t proto; /* 0: TCP */
	bool has_proto_0;
	enum icmp_kind icmp;
	uint16_t sport, dport; /* 0: SPEC_SPORT, SPEC_DPORT */
	bool has_port_0;       /* dport is 0 */
	const char *flags;     /* of TCP, letters of "FSRPAUEC"; NULL: "S" */
	uint32_t seq, ack;
	uint16_t payload; /* bytes behind the transport header */
	uint8_t begin[8]; /* of the payload; the rest of it is zero */
	uint8_t type, code;
	uint16_t id; /* of an echo */
	const struct packet_spec *quoted;
	uint16_t quoted_len; /* bytes of it; 0: all */
	const char *target;  /* of a neighbour solicitation or advertisement */

	/* Around it. */
	uint16_t ethertype; /* 0: that of the family */
	uint8_t vlans;      /* tags, the outermost of type 802.1ad if there are several */
	uint16_t vlan_id;   /* 0: 42, unless it is only a priority */
	bool is_priority_tag;
	bool is_group_mac; /* to the Ethernet broadcast address */
	uint8_t option_words;
	const char *options; /* that many words; NULL: no operations */
	uint8_t traffic_class;
	bool has_df;
	const char
		*extensions; /* one letter a header: Hop Dest Routing AH Mobility Fragment Shim */
	uint8_t hop_limit;   /* 0: 64; 255 for neighbour discovery */
	bool is_fragment;    /* IPv6 gets its header last unless "F" is among the extensions */
	uint16_t offset;     /* of the fragment, in units of 8 bytes; > 0: only payload follows */
	bool is_last;
	uint32_t fragment_id;
	bool is_arp_reply;
	uint16_t arp_operation; /* 0: as above says */

	/* Lies; 0: the truth. */
	uint8_t version, ihl, doff;
	int ip_len_add, udp_len_add;
	uint8_t extension_len; /* of the first extension, in its units */
	uint16_t arp_hardware;

	uint16_t cut;     /* bytes missing at the frame's end */
	uint16_t padding; /* bytes after what the IP header says */
};

#define FRAME_MAX 2048

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t len;
};

struct frame packet_build(const struct packet_spec *spec);

/* What opens a connection to a service; @number as in its table. */
struct packet_spec packet_to_service(enum bh_service_table table, uint16_t number);

/* The numbers that the spec leaves to its defaults. */
uint8_t packet_proto(const struct packet_spec *spec);
struct bh_addr packet_src(const struct packet_spec *spec);
struct bh_addr packet_dst(const struct packet_spec *spec);

/* As in keys and events: an echo has its id as the requester's port, and 0 as the other. */
uint16_t packet_sport(const struct packet_spec *spec);
uint16_t packet_dport(const struct packet_spec *spec);
uint8_t packet_tcp_flags(const char *letters);
uint8_t packet_icmp_type(const struct packet_spec *spec);

struct bh_addr end_addr(enum end end, bool is_v6);

#endif
