/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/fuzz/packet_reading.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define ICMP4_ECHO 8
#define ICMP6_ECHO 128

/* The IP packet, then its payload. */
struct bytes {
	const uint8_t *at;
	size_t len;
};

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* The ethertype; @b becomes what is behind it. */
static unsigned int read_link(struct bytes *b, struct reading *r)
{
	unsigned int ethertype, tags = 0;
	size_t at = 2 * ETH_ALEN;

	for (;; tags++, at += 4) {
		if (at + 2 > b->len)
			return 0;
		ethertype = get16(b->at + at);
		if (tags == 2 || (ethertype != ETH_P_8021Q && ethertype != ETH_P_8021AD))
			break;
		if (at + 4 <= b->len && get16(b->at + at + 2) & 0xfff)
			r->is_tagged = true;
	}
	b->at += at + 2;
	b->len -= at + 2;
	return ethertype;
}

static void read_ipv4(struct bytes *b, struct reading *r)
{
	struct reference_question *q = &r->question;
	size_t total;

	if (b->len < 20)
		return;
	r->is_ip = true;
	q->src = q->dst = (struct bh_addr){.word = {0, 0, htonl(0xffff), 0}};
	memcpy(&q->src.word[3], b->at + 12, 4);
	memcpy(&q->dst.word[3], b->at + 16, 4);
	total = get16(b->at + 2);
	r->is_plain = b->at[0] == 0x45 && total >= 20 && total <= b->len &&
		      !(get16(b->at + 6) & 0x3fff);
	r->proto = b->at[9];
	b->at += 20;
	b->len = total - 20;
}

static bool is_extension(uint8_t proto)
{
	static const uint8_t extensions[] = {
		IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_AH,
		IPPROTO_NONE,    IPPROTO_DSTOPTS, IPPROTO_MH,
	};

	return memchr(extensions, proto, sizeof(extensions));
}

static void read_ipv6(struct bytes *b, struct reading *r)
{
	size_t len;

	if (b->len < 40)
		return;
	r->is_ip = true;
	memcpy(&r->question.src, b->at + 8, 16);
	memcpy(&r->question.dst, b->at + 24, 16);
	len = get16(b->at + 4);
	r->proto = b->at[6];
	r->is_plain = b->at[0] >> 4 == 6 && len <= b->len - 40 && !is_extension(r->proto) &&
		      !addr_is_v4(&r->question.src) && !addr_is_v4(&r->question.dst);
	b->at += 40;
	b->len = len;
}

static bool is_v6(const struct reading *r)
{
	return !addr_is_v4(&r->question.src);
}

static bool is_icmp(const struct reading *r)
{
	return r->proto == (is_v6(r) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static void ask(struct reading *r, enum bh_service_table table, uint16_t there, uint16_t back)
{
	r->question.table = r->reverse.table = table;
	r->question.number = there;
	r->reverse.number = back;
}

static void read_ports(const struct bytes *b, struct reading *r)
{
	enum bh_service_table table = r->proto == IPPROTO_TCP   ? BH_SERVICE_TCP
				      : r->proto == IPPROTO_UDP ? BH_SERVICE_UDP
								: BH_SERVICE_SCTP;

	if (b->len < (r->proto == IPPROTO_TCP ? 20 : r->proto == IPPROTO_UDP ? 8 : 12)) {
		r->is_plain = false;
		return;
	}
	r->sport = (uint16_t)get16(b->at);
	r->dport = (uint16_t)get16(b->at + 2);
	if (r->proto == IPPROTO_TCP)
		r->tcp_flags = b->at[13];
	ask(r, table, r->dport, r->sport);
}

static void read_icmp(const struct bytes *b, struct reading *r)
{
	uint8_t echo = is_v6(r) ? ICMP6_ECHO : ICMP4_ECHO;

	if (b->len < 8) {
		r->is_plain = false;
		return;
	}
	r->icmp_type = b->at[0];
	if (r->icmp_type == echo)
		r->sport = (uint16_t)get16(b->at + 4);
	if (reading_is_echo_answer(r))
		r->dport = (uint16_t)get16(b->at + 4);
	ask(r, is_v6(r) ? BH_SERVICE_ICMP6 : BH_SERVICE_ICMP, (uint16_t)get16(b->at),
	    (uint16_t)(echo << 8));
}

struct reading reading_of(const struct host_frame *frame)
{
	struct bytes b = {frame->bytes, frame->len};
	struct reading r = {};
	unsigned int ethertype = read_link(&b, &r);

	if (ethertype == ETH_P_IP)
		read_ipv4(&b, &r);
	else if (ethertype == ETH_P_IPV6)
		read_ipv6(&b, &r);
	r.reverse.src = r.question.dst;
	r.reverse.dst = r.question.src;
	if (!r.is_plain)
		return r;
	if (r.proto == IPPROTO_TCP || r.proto == IPPROTO_UDP || r.proto == IPPROTO_SCTP)
		read_ports(&b, &r);
	else if (is_icmp(&r))
		read_icmp(&b, &r);
	else
		ask(&r, BH_SERVICE_PROTO, r.proto, r.proto);
	return r;
}

bool reading_is_echo_answer(const struct reading *r)
{
	return is_icmp(r) && r->icmp_type == (is_v6(r) ? ICMP6_ECHO + 1 : 0);
}

bool reading_is_error(const struct reading *r)
{
	if (!is_icmp(r))
		return false;
	if (is_v6(r))
		return r->icmp_type >= 1 && r->icmp_type <= 4;
	return r->icmp_type == 3 || r->icmp_type == 11 || r->icmp_type == 12;
}

bool reading_is_neighbour(const struct reading *r)
{
	return is_v6(r) && is_icmp(r) &&
	       ((r->icmp_type >= 130 && r->icmp_type <= 137) || r->icmp_type == 143);
}

/* From @a's source to its destination. */
static bool is_same_way(const struct reading *a, const struct bh_addr *src,
			const struct bh_addr *dst)
{
	return !addr_cmp(&a->question.src, src) && !addr_cmp(&a->question.dst, dst);
}

bool reading_may_belong(const struct reading *a, const struct reading *b)
{
	bool is_there = is_same_way(a, &b->question.src, &b->question.dst);
	bool is_back = is_same_way(a, &b->question.dst, &b->question.src);

	if (!a->is_plain || !b->is_plain)
		return is_there || is_back;
	if (a->proto != b->proto)
		return false;
	return (is_there && a->sport == b->sport && a->dport == b->dport) ||
	       (is_back && a->sport == b->dport && a->dport == b->sport);
}
