/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_services.h"

#include <netinet/in.h>
#include <string.h>

#include "policy/service_class.h"
#include "policy/services.h"
#include "util/bitset.h"

#define NUMBER_MAX 0xffff
#define BOTH       (FAMILY_V4 | FAMILY_V6)

/* A table of one family, and the number of its protocol, which the other family looks up. */
static const struct {
	enum bh_service_table table;
	uint16_t number;
	const char *by_number, *by_table; /* where only one of the two is meant */
} split_tables[] = {
	{BH_SERVICE_ICMP, IPPROTO_ICMP, "proto/1 over IPv6", "proto/1 over IPv4"},
	{BH_SERVICE_ICMP6, IPPROTO_ICMPV6, "proto/58 over IPv4", "proto/58 over IPv6"},
};

static void add_numbers(services *to, const services *from)
{
	vec_foreach (range, from)
		vec_push(to, *range);
}

/* Cuts a number out, or a whole table; false if it isn't there. */
static bool cut(services *s, const struct service_range *what)
{
	vec_foreach (range, s) {
		struct service_range whole = *range;

		if (whole.table != what->table || whole.lo > what->lo || whole.hi < what->hi)
			continue;
		*range = s->items[--s->count];
		if (whole.lo < what->lo)
			vec_push(s, (struct service_range){whole.table, whole.lo,
							   (uint16_t)(what->lo - 1)});
		if (whole.hi > what->hi)
			vec_push(s, (struct service_range){whole.table, (uint16_t)(what->hi + 1),
							   whole.hi});
		services_normalise(s);
		return true;
	}
	return false;
}

static void add_word(struct text *out, const char *word)
{
	if (out->len)
		text_add(out, ", ");
	text_add(out, word);
}

/* `proto/1` means the table of ICMP over IPv4 and the number over IPv6: it says both or neither. */
static void format(const services *numbers_of, uint8_t families, struct text *out)
{
	_text_ struct text notes = TEXT_INIT;
	services s = {};

	add_numbers(&s, numbers_of);
	for (size_t i = 0; families == BOTH && i < COUNT(split_tables); i++) {
		struct service_range table = {split_tables[i].table, 0, NUMBER_MAX};
		struct service_range number = {BH_SERVICE_PROTO, split_tables[i].number,
					       split_tables[i].number};
		bool has_table = cut(&s, &table), has_number = cut(&s, &number);

		if (has_table && has_number)
			vec_push(&s, table);
		else if (has_table)
			add_word(&notes, split_tables[i].by_table);
		else if (has_number)
			add_word(&notes, split_tables[i].by_number);
	}
	services_normalise(&s);
	services_format(&s, out);
	if (notes.len)
		add_word(out, notes.buf);
	vec_release(&s);
}

void diff_services(const struct joint_services *s, struct list changed, uint8_t families,
		   services *numbers_of, struct text *out)
{
	_free_ uint64_t *is_changed = bitset_new(s->items.count);
	_text_ struct text others = TEXT_INIT;
	services rest = {};

	for (size_t i = 0; i < changed.count; i++)
		bitset_add(is_changed, changed.items[i]);
	for (size_t i = 0; i < s->items.count; i++) {
		const struct joint_service *service = &s->items.items[i];

		if (service->families & families)
			add_numbers(bitset_has(is_changed, i) ? numbers_of : &rest,
				    &service->numbers);
	}
	services_normalise(numbers_of);
	services_normalise(&rest);
	if (!rest.count) {
		text_add(out, "any");
		return;
	}
	format(numbers_of, families, out);
	format(&rest, families, &others);
	if (others.len + strlen("any except ") < out->len) {
		text_reset(out);
		text_addf(out, "any except %s", others.buf);
	}
	vec_release(&rest);
}
