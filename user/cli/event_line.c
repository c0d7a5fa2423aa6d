/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_line.h"

#include <string.h>

#include "cli/output.h"
#include "cli/values.h"
#include "policy/services.h"

static void add_plain(struct text *out, const char *s)
{
	text_add_plain(out, s, strlen(s));
}

static void add_or_dash(struct text *out, const char *s)
{
	add_plain(out, s ? s : "-");
}

static void add_address(const cJSON *end, struct text *out)
{
	const char *ip = value_text(end, "ip");
	const cJSON *port = value_of(end, "port");

	if (!ip)
		return;
	text_addc(out, ' ');
	if (!cJSON_IsNumber(port)) {
		add_plain(out, ip);
		return;
	}
	if (strchr(ip, ':')) {
		text_addc(out, '[');
		add_plain(out, ip);
		text_addc(out, ']');
	} else {
		add_plain(out, ip);
	}
	text_addf(out, ":%.0f", value_to_number(port));
}

void event_line_add_name(const cJSON *end, struct text *out)
{
	const char *workload = value_text(end, "workload");
	const char *zone = value_text(end, "zone");

	if (workload)
		add_plain(out, workload);
	if (workload && zone)
		text_addc(out, '(');
	if (zone)
		add_plain(out, zone);
	if (workload && zone)
		text_addc(out, ')');
	if (!workload && !zone)
		text_add(out, value_text(end, "ip") ? "outside" : "-");
}

void event_line_add_end(const cJSON *end, struct text *out)
{
	event_line_add_name(end, out);
	add_address(end, out);
}

static void add_icmp_type(const cJSON *event, enum bh_service_table table, struct text *out)
{
	_text_ struct text service = TEXT_INIT;
	unsigned int type = (unsigned int)value_number(event, "icmp_type") & 0xff;
	unsigned int code = (unsigned int)value_number(event, "icmp_code") & 0xff;
	const char *word;

	service_format(table, (uint16_t)(type << 8 | code), &service);
	word = strchr(service.buf, '/');
	text_addf(out, " %s", word ? word + 1 : service.buf);
}

/* "tcp SYN", "icmp echo-request", "udp". */
static void add_protocol(const cJSON *event, struct text *out)
{
	const char *proto = value_text(event, "proto");
	const char *flags = value_text(event, "tcp_flags");

	add_or_dash(out, proto);
	if (flags) {
		text_addc(out, ' ');
		add_plain(out, flags);
	}
	if (!proto || !value_of(event, "icmp_type"))
		return;
	if (!strcmp(proto, "icmp"))
		add_icmp_type(event, BH_SERVICE_ICMP, out);
	else if (!strcmp(proto, "icmp6"))
		add_icmp_type(event, BH_SERVICE_ICMP6, out);
}

static void add_verdict(const cJSON *event, bool has_colour, struct text *out)
{
	const char *verdict = value_text(event, "verdict");

	if (!verdict)
		verdict = "-";
	text_add_colour(out, has_colour ? colour_of_verdict(verdict) : COLOUR_NONE, verdict);
}

static void add_field(const char *name, const char *value, struct text *out)
{
	text_addf(out, " %s=", name);
	add_or_dash(out, value);
}

static bool is_alert(const cJSON *event)
{
	const char *type = value_text(event, "type");

	return type && !strcmp(type, "alert");
}

/* TIME alert ID SENTENCE [count=N] */
static void add_alert(const cJSON *alert, bool has_colour, struct text *out)
{
	text_add_colour(out, has_colour ? COLOUR_YELLOW : COLOUR_NONE, "alert");
	text_addc(out, ' ');
	add_or_dash(out, value_text(alert, "id"));
	text_addc(out, ' ');
	add_or_dash(out, value_text(alert, "text"));
	if (value_number(alert, "count") > 1)
		text_addf(out, " count=%.0f", value_number(alert, "count"));
}

void event_line(const cJSON *event, bool has_colour, struct text *out)
{
	const char *near = value_text(event, "near");
	double count = value_number(event, "count");

	add_or_dash(out, value_text(event, "time"));
	text_addc(out, ' ');
	if (is_alert(event)) {
		add_alert(event, has_colour, out);
		return;
	}
	add_verdict(event, has_colour, out);
	text_addc(out, ' ');
	add_or_dash(out, value_text(event, "direction"));
	text_addc(out, ' ');
	event_line_add_end(value_of(event, "src"), out);
	text_add(out, " -> ");
	event_line_add_end(value_of(event, "dst"), out);
	text_addc(out, ' ');
	add_protocol(event, out);
	add_field("rule", value_text(event, "rule"), out);
	add_field("reason", value_text(event, "reason"), out);
	add_field("if", value_text(event, "interface"), out);
	text_addf(out, " gen=%.0f", value_number(event, "generation"));
	if (near)
		add_field("near", near, out);
	if (count > 1)
		text_addf(out, " count=%.0f", count);
}

static void add_source(const cJSON *event, struct text *out)
{
	event_line_add_end(value_of(event, "src"), out);
}

static void add_destination(const cJSON *event, struct text *out)
{
	event_line_add_end(value_of(event, "dst"), out);
}

/* Widths are fixed: rows are printed as events come. */
/* clang-format off */
static const struct {
	const char *heading;
	size_t width;
	const char *key; /* of the event; NULL: `add` knows */
	void (*add)(const cJSON *event, struct text *out);
} row_columns[] = {
	{ "TIME",        27, "time",      NULL            },
	{ "VERDICT",      7, "verdict",   NULL            },
	{ "DIRECTION",    9, "direction", NULL            },
	{ "SOURCE",      36, NULL,        add_source      },
	{ "DESTINATION", 36, NULL,        add_destination },
	{ "PROTOCOL",    17, NULL,        add_protocol    },
	{ "RULE",        20, "rule",      NULL            },
	{ "REASON",      14, "reason",    NULL            },
	{ "INTERFACE",    0, "interface", NULL            },
};
/* clang-format on */

static void add_cell(const cJSON *event, size_t column, struct text *out)
{
	if (row_columns[column].key)
		add_or_dash(out, value_text(event, row_columns[column].key));
	else
		row_columns[column].add(event, out);
}

static void end_cell(size_t column, enum colour colour, const char *cell, struct text *out)
{
	size_t len = strlen(cell), width = row_columns[column].width;

	text_add_colour(out, colour, cell);
	if (column + 1 < COUNT(row_columns))
		text_addf(out, "%*s", len < width ? (int)(width - len) + 1 : 1, "");
}

void event_row_heading(bool has_colour, struct text *out)
{
	for (size_t i = 0; i < COUNT(row_columns); i++)
		end_cell(i, has_colour ? COLOUR_BOLD : COLOUR_NONE, row_columns[i].heading, out);
}

void event_row(const cJSON *event, bool has_colour, struct text *out)
{
	if (is_alert(event)) {
		event_line(event, has_colour, out);
		return;
	}
	for (size_t i = 0; i < COUNT(row_columns); i++) {
		_text_ struct text cell = TEXT_INIT;

		add_cell(event, i, &cell);
		end_cell(i, has_colour ? colour_of_verdict(cell.buf) : COLOUR_NONE, cell.buf, out);
	}
}
