/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "util/map.h"

#define V4_LEN_MAX 32
#define V6_LEN_MAX 128

static const unsigned char v4_head[12] = {[10] = 0xff, [11] = 0xff};

static unsigned char *addr_bytes(struct bh_addr *a)
{
	return (unsigned char *)a->word;
}

static const unsigned char *addr_cbytes(const struct bh_addr *a)
{
	return (const unsigned char *)a->word;
}

bool addr_is_v4(const struct bh_addr *a)
{
	return !memcmp(a, v4_head, sizeof(v4_head));
}

bool addr_is_any(const struct bh_addr *a)
{
	const struct bh_addr any[] = {{}, {.word[2] = htonl(0xffff)}};

	return !memcmp(a, &any[addr_is_v4(a)], sizeof(*a));
}

int addr_cmp(const struct bh_addr *a, const struct bh_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

uint64_t addr_hash(const struct bh_addr *a)
{
	return hash_bytes(a, sizeof(*a), 0);
}

/* The bits of byte @i that a prefix of @len leaves free. */
static unsigned char host_mask(unsigned int len, unsigned int i)
{
	if (len >= i * 8 + 8)
		return 0;
	return len <= i * 8 ? 0xff : 0xff >> (len - i * 8);
}

static struct bh_addr first_of(const struct bh_addr *a, unsigned int len)
{
	struct bh_addr first = *a;

	for (unsigned int i = len / 8; i < sizeof(first); i++)
		addr_bytes(&first)[i] &= (unsigned char)~host_mask(len, i);
	return first;
}

bool prefix_is_v4(const struct prefix *p)
{
	return p->len >= BH_V4_PREFIX_LEN && addr_is_v4(&p->addr);
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_has(outer, &inner->addr);
}

bool prefix_has(const struct prefix *p, const struct bh_addr *a)
{
	unsigned int whole = p->len / 8;

	if (memcmp(&p->addr, a, whole) != 0)
		return false;
	return p->len == V6_LEN_MAX || !((addr_cbytes(&p->addr)[whole] ^ addr_cbytes(a)[whole]) &
					 (unsigned char)~host_mask(p->len, whole));
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

struct prefix prefix_of_addr(const struct bh_addr *a)
{
	return (struct prefix){.addr = *a, .len = V6_LEN_MAX};
}

struct bh_addr prefix_last(const struct prefix *p)
{
	struct bh_addr last = p->addr;

	for (unsigned int i = 0; i < sizeof(last); i++)
		addr_bytes(&last)[i] |= host_mask(p->len, i);
	return last;
}

struct prefix prefix_common(const struct bh_addr *a, const struct bh_addr *b)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
	struct prefix p = {.len = 128};
	unsigned char *bytes = (unsigned char *)&p.addr;

	for (unsigned int i = 0; i < sizeof(*a); i++) {
		unsigned int differ = x[i] ^ y[i];
		unsigned int same = differ ? (unsigned int)__builtin_clz(differ) - 24 : 8;

		bytes[i] = x[i] & (unsigned char)(0xff00 >> same);
		if (same < 8) {
			p.len = (uint8_t)(i * 8 + same);
			break;
		}
	}
	return p;
}

static bool has_leading_zero(const char *s)
{
	bool at_start = true;

	for (; *s; s++) {
		if (at_start && s[0] == '0' && s[1] >= '0' && s[1] <= '9')
			return true;
		at_start = *s == '.';
	}
	return false;
}

static const char *parse_v4(const char *s, struct bh_addr *ret)
{
	struct bh_addr a = {};

	if (has_leading_zero(s))
		return "leading zeros are ambiguous; leave them out";
	memcpy(&a, v4_head, sizeof(v4_head));
	if (inet_pton(AF_INET, s, &a.word[3]) != 1)
		return "an IPv4 address is four numbers from 0 to 255, such as 10.0.0.10";
	*ret = a;
	return NULL;
}

static const char *parse_v6(const char *s, struct bh_addr *ret)
{
	struct bh_addr a;

	if (inet_pton(AF_INET6, s, &a) != 1)
		return "not an IPv6 address, such as fd00::10";
	if (addr_is_v4(&a))
		return "IPv4-mapped IPv6 is not accepted; write the IPv4 address itself";
	*ret = a;
	return NULL;
}

/* False for what is wrong with it, too. */
static bool parse_four_numbers(const char *s, struct bh_addr *ret)
{
	unsigned char bytes[4];

	for (int i = 0; i < 4; i++) {
		const char *first = s;
		unsigned int number = 0;

		while (*s >= '0' && *s <= '9' && s - first < 3)
			number = number * 10 + (unsigned int)(*s++ - '0');
		if (s == first || (*first == '0' && s - first > 1) || number > UINT8_MAX ||
		    *s++ != (i < 3 ? '.' : '\0'))
			return false;
		bytes[i] = (unsigned char)number;
	}
	memcpy(ret, v4_head, sizeof(v4_head));
	memcpy(&ret->word[3], bytes, sizeof(bytes));
	return true;
}

const char *addr_parse(const char *s, struct bh_addr *ret)
{
	if (parse_four_numbers(s, ret))
		return NULL;
	if (strchr(s, '/'))
		return "a single address is wanted, without a prefix length";
	if (strchr(s, '%'))
		return "scope ids are not accepted; leave out '%' and what follows";
	if (strchr(s, ':'))
		return parse_v6(s, ret);
	if (*s && s[strspn(s, "0123456789.")] == '\0')
		return parse_v4(s, ret);
	return "not an address; write one such as 10.0.0.10 or fd00::10";
}

/* A netmask's prefix length, or -1 if its ones aren't all in front. */
static int netmask_len(const struct bh_addr *mask)
{
	uint32_t bits = ntohl(mask->word[3]);
	int len = __builtin_popcount(bits);

	return bits == (len ? UINT32_MAX << (V4_LEN_MAX - len) : 0) ? len : -1;
}

/* Into @reterr if there is one: a caller without one gets what holds for every value. */
static const char *explain(struct text *reterr, const char *general, const char *special)
{
	if (!reterr)
		return general;
	text_reset(reterr);
	text_add(reterr, special);
	return reterr->buf;
}

static const char *explain_netmask(const char *s, struct text *reterr)
{
	static const char general[] = "netmask notation is not accepted; write a prefix length";
	char special[sizeof(general) + 32];
	struct bh_addr mask;
	int len;

	if (parse_v4(s, &mask))
		return general;
	len = netmask_len(&mask);
	if (len < 0)
		return "netmask notation is not accepted, and this mask is no prefix";
	snprintf(special, sizeof(special), "netmask notation is not accepted; write /%d", len);
	return explain(reterr, general, special);
}

static const char *parse_len(const char *s, bool is_v4, uint8_t *ret, struct text *reterr)
{
	unsigned int max = is_v4 ? V4_LEN_MAX : V6_LEN_MAX;
	uint64_t len;

	if (strchr(s, '.'))
		return explain_netmask(s, reterr);
	if (s[0] == '0' && s[1] >= '0' && s[1] <= '9')
		return "the prefix length has a leading zero; leave it out";
	if (!text_to_u64(s, 0, max, &len)) {
		return is_v4 ? "the prefix length of IPv4 is a number from 0 to 32"
			     : "the prefix length of IPv6 is a number from 0 to 128";
	}
	*ret = (uint8_t)(is_v4 ? len + BH_V4_PREFIX_LEN : len);
	return NULL;
}

static const char *explain_host_bits(const struct prefix *network, struct text *reterr)
{
	char special[ADDRESS_STRLEN + 64];
	char name[ADDRESS_STRLEN];

	snprintf(special, sizeof(special), "host bits are set; %s is the network",
		 prefix_format(network, name));
	return explain(reterr, "host bits are set; write the network's address", special);
}

/* With its host bits. */
static const char *parse_with_host_bits(const char *s, struct prefix *ret, struct text *reterr)
{
	const char *slash = strchr(s, '/');
	_text_ struct text head = TEXT_INIT;
	struct prefix p = {};
	const char *wrong;

	if (slash)
		text_addn(&head, s, (size_t)(slash - s));
	wrong = addr_parse(slash ? head.buf : s, &p.addr);
	if (wrong)
		return wrong;
	if (!slash) {
		*ret = prefix_of_addr(&p.addr);
		return NULL;
	}

	wrong = parse_len(slash + 1, addr_is_v4(&p.addr), &p.len, reterr);
	if (!wrong)
		*ret = p;
	return wrong;
}

const char *prefix_parse_masked(const char *s, struct prefix *ret, bool *ret_is_masked,
				struct text *reterr)
{
	struct prefix p;
	const char *wrong = parse_with_host_bits(s, &p, reterr);

	if (wrong)
		return wrong;
	*ret = (struct prefix){.addr = first_of(&p.addr, p.len), .len = p.len};
	*ret_is_masked = addr_cmp(&ret->addr, &p.addr);
	return NULL;
}

const char *prefix_parse(const char *s, struct prefix *ret, struct text *reterr)
{
	struct prefix network;
	bool is_masked;
	const char *wrong = prefix_parse_masked(s, &network, &is_masked, reterr);

	if (wrong)
		return wrong;
	if (is_masked)
		return explain_host_bits(&network, reterr);
	*ret = network;
	return NULL;
}

/* As inet_ntop(), which prints to a stream for it: every event has two of them. */
static const char *format_v4(const struct bh_addr *a, char buf[static ADDRESS_STRLEN])
{
	const unsigned char *bytes = (const unsigned char *)&a->word[3];
	char *at = buf;

	for (int i = 0; i < 4; i++) {
		if (bytes[i] >= 100)
			*at++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*at++ = (char)('0' + bytes[i] / 10 % 10);
		*at++ = (char)('0' + bytes[i] % 10);
		*at++ = i < 3 ? '.' : '\0';
	}
	return buf;
}

const char *addr_format(const struct bh_addr *a, char buf[static ADDRESS_STRLEN])
{
	if (addr_is_v4(a))
		return format_v4(a, buf);
	return inet_ntop(AF_INET6, a, buf, ADDRESS_STRLEN);
}

const char *prefix_format(const struct prefix *p, char buf[static ADDRESS_STRLEN])
{
	unsigned int len = prefix_is_v4(p) ? p->len - BH_V4_PREFIX_LEN : p->len;
	char *end;

	/* A prefix wider than all of IPv4 is of IPv6, though its address may be zero. */
	addr_format(&p->addr, buf);
	if (p->len == V6_LEN_MAX)
		return buf;
	end = buf + strlen(buf);
	snprintf(end, (size_t)(buf + ADDRESS_STRLEN - end), "/%u", len);
	return buf;
}
