/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"
#include "util/text.h"

#define PARTS_MAX 5

const char *record_format(const struct record *record, char buf[static RECORD_STRLEN])
{
	const char *direction = record->is_egress ? "out" : "in";

	if (record->is_answerer)
		direction = "answer";
	switch (record->kind) {
	case RECORD_LINK:
		snprintf(buf, RECORD_STRLEN, "%" PRIu32 "-%s", record->ifindex, direction);
		break;
	case RECORD_FILTER:
		snprintf(buf, RECORD_STRLEN, "%" PRIu32 "-%s-clsact-%" PRIu32 "-%" PRIu32,
			 record->ifindex, direction, record->handle, record->priority);
		break;
	case RECORD_QDISC:
		snprintf(buf, RECORD_STRLEN, "%" PRIu32 "-qdisc", record->ifindex);
		break;
	}
	return buf;
}

/* Splits @s at dashes, in place; how many parts there are. */
static size_t split(char *s, char *ret[static PARTS_MAX])
{
	size_t count = 0;
	char *part;

	while (count < PARTS_MAX && (part = strsep(&s, "-")))
		ret[count++] = part;
	return s ? 0 : count;
}

static bool parse_number(const char *s, uint32_t *ret)
{
	uint64_t value;

	if (!text_to_u64(s, 1, UINT32_MAX, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool record_parse(const char *name, struct record *ret)
{
	_free_ char *copy = xstrdup(name);
	struct record record = {};
	char *part[PARTS_MAX];
	size_t count = split(copy, part);

	if (count < 2 || !parse_number(part[0], &record.ifindex))
		return false;
	record.is_egress = !strcmp(part[1], "out");
	record.is_answerer = !strcmp(part[1], "answer");
	if (count == 2 && !strcmp(part[1], "qdisc"))
		record.kind = RECORD_QDISC;
	else if (!record.is_egress && !record.is_answerer && strcmp(part[1], "in") != 0)
		return false;
	else if (count == 2)
		record.kind = RECORD_LINK;
	else if (count == 5 && !strcmp(part[2], "clsact") &&
		 parse_number(part[3], &record.handle) && parse_number(part[4], &record.priority))
		record.kind = RECORD_FILTER;
	else
		return false;
	*ret = record;
	return true;
}
