/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/services.h"

#include <string.h>

#include "util/cleanup.h"

#define NUMBER_MAX 0xffff
#define TYPES      256 /* of ICMP, and codes of a type */

/* A word before the slash. */
struct protocol {
	const char *word;
	enum bh_service_table table;
	uint8_t number; /* of IP; its own table holds what this number would mean */
};

static const struct protocol protocols[] = {
	{"tcp", BH_SERVICE_TCP, 6},      {"udp", BH_SERVICE_UDP, 17},
	{"sctp", BH_SERVICE_SCTP, 132},  {"icmp", BH_SERVICE_ICMP, 1},
	{"icmp6", BH_SERVICE_ICMP6, 58},
};

static const char *const protocol_words[] = {"tcp", "udp", "sctp", "icmp", "icmp6", "proto"};

struct icmp_type {
	uint8_t type;
	const char *name;
	bool has_codes; /* a number with code 0 is not the whole of the type */
};

/* The first name of a type is the one that is printed. */
/* clang-format off */
static const struct icmp_type icmp_types[] = {
	{ 0,  "echo-reply",              false },
	{ 3,  "destination-unreachable", true },
	{ 4,  "source-quench",           false },
	{ 5,  "redirect",                true },
	{ 8,  "echo-request",            false },
	{ 9,  "router-advertisement",    true },
	{ 10, "router-solicitation",     false },
	{ 11, "time-exceeded",           true },
	{ 12, "parameter-problem",       true },
	{ 13, "timestamp-request",       false },
	{ 14, "timestamp-reply",         false },
	{ 15, "info-request",            false },
	{ 16, "info-reply",              false },
	{ 17, "address-mask-request",    false },
	{ 18, "address-mask-reply",      false },
	{},
};

static const struct icmp_type icmp6_types[] = {
	{ 1,   "destination-unreachable", true },
	{ 2,   "packet-too-big",          false },
	{ 3,   "time-exceeded",           true },
	{ 4,   "parameter-problem",       true },
	{ 128, "echo-request",            false },
	{ 129, "echo-reply",              false },
	{ 130, "mld-listener-query",      false },
	{ 131, "mld-listener-report",     false },
	{ 132, "mld-listener-done",       false },
	{ 133, "router-solicitation",     false },
	{ 134, "router-advertisement",    false },
	{ 135, "neighbour-solicitation",  false },
	{ 135, "neighbor-solicitation",   false },
	{ 136, "neighbour-advertisement", false },
	{ 136, "neighbor-advertisement",  false },
	{ 137, "redirect",                false },
	{ 143, "mld2-listener-report",    false },
	{},
};
/* clang-format on */

static const struct icmp_type *icmp_names(enum bh_service_table table)
{
	return table == BH_SERVICE_ICMP ? icmp_types : icmp6_types;
}

static void add(services *out, enum bh_service_table table, unsigned int lo, unsigned int hi)
{
	vec_push(out,
		 (struct service_range){.table = table, .lo = (uint16_t)lo, .hi = (uint16_t)hi});
}

static const struct protocol *protocol_of_number(uint64_t number)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (protocols[i].number == number)
			return &protocols[i];
	}
	return NULL;
}

void services_add_any(services *s)
{
	unsigned int lo = 0;

	for (size_t i = 0; i < COUNT(protocols); i++)
		add(s, protocols[i].table, 0, NUMBER_MAX);
	for (unsigned int number = 0; number < TYPES; number++) {
		if (!protocol_of_number(number))
			continue;
		if (lo < number)
			add(s, BH_SERVICE_PROTO, lo, number - 1);
		lo = number + 1;
	}
	add(s, BH_SERVICE_PROTO, lo, TYPES - 1);
}

static bool parse_ports(const char *s, enum bh_service_table table, services *out,
			struct text *reterr)
{
	const char *dash = strchr(s, '-');
	_text_ struct text head = TEXT_INIT;
	uint64_t lo, hi;

	if (dash)
		text_addn(&head, s, (size_t)(dash - s));
	if (!text_to_u64(dash ? head.buf : s, 0, NUMBER_MAX, &lo) ||
	    !text_to_u64(dash ? dash + 1 : s, 0, NUMBER_MAX, &hi)) {
		text_add(reterr, "a port is a number from 0 to 65535 without leading zeros, and a "
				 "range is two of them, such as 8000-8999");
		return false;
	}
	if (lo > hi) {
		text_addf(reterr, "the range is the wrong way round; write %u-%u", (unsigned int)hi,
			  (unsigned int)lo);
		return false;
	}
	add(out, table, (unsigned int)lo, (unsigned int)hi);
	return true;
}

static void unknown_icmp_type(const char *s, const struct icmp_type *types, struct text *reterr)
{
	const char *names[COUNT(icmp_types) + COUNT(icmp6_types)] = {};
	const char *nearest;
	size_t count = 0;

	for (; types->name; types++)
		names[count++] = types->name;
	nearest = text_nearest(s, names, count);
	if (nearest)
		text_addf(reterr, "unknown type; did you mean '%s'?", nearest);
	else
		text_add(reterr, "a type is a name such as echo-request, or TYPE or TYPE/CODE, "
				 "numbers from 0 to 255");
}

static bool parse_icmp(const char *s, enum bh_service_table table, services *out,
		       struct text *reterr)
{
	const struct icmp_type *types = icmp_names(table);
	const char *slash = strchr(s, '/');
	_text_ struct text head = TEXT_INIT;
	uint64_t type, code = 0;

	for (const struct icmp_type *t = types; t->name; t++) {
		if (!strcmp(s, t->name)) {
			add(out, table, t->type * TYPES, t->type * TYPES + TYPES - 1);
			return true;
		}
	}
	text_addn(&head, s, slash ? (size_t)(slash - s) : strlen(s));
	if (!text_to_u64(head.buf, 0, TYPES - 1, &type) ||
	    (slash && !text_to_u64(slash + 1, 0, TYPES - 1, &code))) {
		unknown_icmp_type(s, types, reterr);
		return false;
	}
	add(out, table, (unsigned int)(type * TYPES + code),
	    (unsigned int)(type * TYPES + (slash ? code : TYPES - 1)));
	return true;
}

static bool parse_proto(const char *s, services *out, struct text *reterr)
{
	const struct protocol *own;
	uint64_t number;

	if (!text_to_u64(s, 0, TYPES - 1, &number)) {
		text_add(reterr, "a protocol is a number from 0 to 255 without leading zeros");
		return false;
	}
	own = protocol_of_number(number);
	if (own)
		add(out, own->table, 0, NUMBER_MAX);
	else
		add(out, BH_SERVICE_PROTO, (unsigned int)number, (unsigned int)number);
	return true;
}

static bool is_protocol_word(const char *s)
{
	for (size_t i = 0; i < COUNT(protocol_words); i++) {
		if (!strcmp(s, protocol_words[i]))
			return true;
	}
	return false;
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789-")] == '\0';
}

bool services_is_literal(const char *s)
{
	return strchr(s, '/') || !strcmp(s, "any") || is_number(s) || is_protocol_word(s);
}

static void explain_word(const char *s, bool has_slash, struct text *reterr)
{
	const char *nearest = text_nearest(s, protocol_words, COUNT(protocol_words));

	if (is_protocol_word(s))
		text_add(reterr, "a protocol alone is no service; write tcp/443 or "
				 "icmp/echo-request, or proto/6 for all of TCP");
	else if (*s >= '0' && *s <= '9' && !has_slash)
		text_add(reterr, "a port alone is no service; write the protocol before it, such "
				 "as tcp/443");
	else if (has_slash && nearest)
		text_addf(reterr, "unknown protocol; did you mean '%s'?", nearest);
	else
		text_add(reterr, "a service is any, or a protocol (tcp, udp, sctp, icmp, icmp6, "
				 "proto), '/' and a number, such as tcp/443");
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return !strncmp(s, word, len) && !word[len];
}

bool services_parse(const char *s, services *out, struct text *reterr)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	_text_ struct text word = TEXT_INIT;

	if (!strcmp(s, "any")) {
		services_add_any(out);
		return true;
	}
	for (size_t i = 0; slash && i < COUNT(protocols); i++) {
		enum bh_service_table table = protocols[i].table;

		if (!is_word(s, len, protocols[i].word))
			continue;
		if (table == BH_SERVICE_ICMP || table == BH_SERVICE_ICMP6)
			return parse_icmp(slash + 1, table, out, reterr);
		return parse_ports(slash + 1, table, out, reterr);
	}
	if (slash && is_word(s, len, "proto"))
		return parse_proto(slash + 1, out, reterr);
	text_addn(&word, s, len);
	explain_word(word.buf, slash, reterr);
	return false;
}

static int range_cmp(const void *left, const void *right)
{
	const struct service_range *a = left, *b = right;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return 0;
}

/* Most lists are written so. */
static bool is_normal(const services *s)
{
	for (size_t i = 1; i < s->count; i++) {
		const struct service_range *last = &s->items[i - 1], *r = &s->items[i];

		if (range_cmp(last, r) >= 0 ||
		    (r->table == last->table && r->lo <= (unsigned int)last->hi + 1))
			return false;
	}
	return true;
}

void services_normalise(services *s)
{
	size_t kept = 0;

	if (s->count < 2 || is_normal(s))
		return;
	qsort(s->items, s->count, sizeof(*s->items), range_cmp);
	for (size_t i = 1; i < s->count; i++) {
		struct service_range *last = &s->items[kept];
		const struct service_range *r = &s->items[i];

		if (r->table == last->table && r->lo <= (unsigned int)last->hi + 1) {
			if (r->hi > last->hi)
				last->hi = r->hi;
			continue;
		}
		s->items[++kept] = *r;
	}
	s->count = kept + 1;
}

static const char *table_word(enum bh_service_table table)
{
	return protocol_words[table];
}

static const struct icmp_type *icmp_named(enum bh_service_table table, unsigned int type)
{
	for (const struct icmp_type *t = icmp_names(table); t->name; t++) {
		if (t->type == type)
			return t;
	}
	return NULL;
}

static void format_icmp(enum bh_service_table table, unsigned int lo, unsigned int hi,
			struct text *out)
{
	unsigned int type = lo / TYPES;
	const struct icmp_type *named = icmp_named(table, type);
	bool is_whole = hi - lo == TYPES - 1 || (named && !named->has_codes && lo % TYPES == 0);

	text_addf(out, "%s/", table_word(table));
	if (!is_whole)
		text_addf(out, "%u/%u", type, lo % TYPES);
	else if (named)
		text_add(out, named->name);
	else
		text_addf(out, "%u", type);
}

void service_format(enum bh_service_table table, uint16_t number, struct text *out)
{
	if (table == BH_SERVICE_ICMP || table == BH_SERVICE_ICMP6)
		format_icmp(table, number, number, out);
	else
		text_addf(out, "%s/%u", table_word(table), number);
}

static void add_comma(struct text *out, size_t start)
{
	if (out->len > start)
		text_add(out, ", ");
}

/* Types that are whole, and single codes of the others. */
static void format_icmp_range(const struct service_range *r, size_t start, struct text *out)
{
	unsigned int n = r->lo;

	while (n <= r->hi) {
		bool is_whole = n % TYPES == 0 && n + TYPES - 1 <= r->hi;

		add_comma(out, start);
		if (is_whole)
			format_icmp(r->table, n, n + TYPES - 1, out);
		else
			text_addf(out, "%s/%u/%u", table_word(r->table), n / TYPES, n % TYPES);
		n += is_whole ? TYPES : 1;
	}
}

static void format_range(const struct service_range *r, size_t start, struct text *out)
{
	bool is_icmp = r->table == BH_SERVICE_ICMP || r->table == BH_SERVICE_ICMP6;
	bool is_all = r->lo == 0 && r->hi == NUMBER_MAX;

	if (is_icmp && !is_all) {
		format_icmp_range(r, start, out);
		return;
	}
	if (r->table == BH_SERVICE_PROTO) {
		for (unsigned int n = r->lo; n <= r->hi; n++) {
			add_comma(out, start);
			text_addf(out, "proto/%u", n);
		}
		return;
	}
	add_comma(out, start);
	if (is_icmp)
		text_addf(out, "proto/%u", r->table == BH_SERVICE_ICMP ? 1u : 58u);
	else if (r->lo == r->hi)
		text_addf(out, "%s/%u", table_word(r->table), r->lo);
	else
		text_addf(out, "%s/%u-%u", table_word(r->table), r->lo, r->hi);
}

static bool is_any(const services *s)
{
	services any = {};
	bool is_same;

	services_add_any(&any);
	services_normalise(&any);
	is_same = any.count == s->count;
	for (size_t i = 0; is_same && i < any.count; i++)
		is_same = any.items[i].table == s->items[i].table &&
			  any.items[i].lo == s->items[i].lo && any.items[i].hi == s->items[i].hi;
	vec_release(&any);
	return is_same;
}

void services_format(const services *s, struct text *out)
{
	size_t start = out->len;

	if (is_any(s)) {
		text_add(out, "any");
		return;
	}
	vec_foreach (range, s)
		format_range(range, start, out);
}
