/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/top_data.h"

#include <string.h>

#include "cli/values.h"

static const size_t part_words[] = {[TOP_TALKERS] = 5, [TOP_ZONES] = 3, [TOP_RULES] = 3};

void top_data_init(struct top_data *d)
{
	*d = (struct top_data){};
	for (enum top_part part = 0; part < TOP_PARTS; part++)
		d->parts[part].words = part_words[part];
}

void top_data_release(struct top_data *d)
{
	for (enum top_part part = 0; part < TOP_PARTS; part++)
		top_table_release(&d->parts[part]);
	cJSON_Delete(d->status);
	cJSON_Delete(d->status_before);
}

const char *top_part_word(enum top_part part)
{
	static const char *const words[] = {
#define X(id, word) [TOP_##id] = (word),
		TOP_PARTS_LIST(X)
#undef X
	};

	return words[part];
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

/* A workload is one talker whatever address it has; of others the address tells who it is. */
static void name_end(const cJSON *end, struct text *out)
{
	const char *workload = value_text(end, "workload");
	const char *zone = value_text(end, "zone");
	const char *ip = value_text(end, "ip");

	if (workload && zone)
		text_addf(out, "%s(%s)", workload, zone);
	else if (workload)
		text_add(out, workload);
	else
		text_addf(out, "%s%s%s", zone ? zone : "", zone && ip ? " " : "", ip ? ip : "");
}

/* "tcp/5432", "icmp" */
static void name_service(const cJSON *event, struct text *out)
{
	const cJSON *port = value_of(value_of(event, "dst"), "port");

	text_add(out, or_dash(value_text(event, "proto")));
	if (cJSON_IsNumber(port))
		text_addf(out, "/%.0f", port->valuedouble);
}

static double amount(const cJSON *event)
{
	double count = value_number(event, "count");

	return count > 0 ? count : 1;
}

void top_data_event(struct top_data *d, const cJSON *event)
{
	const cJSON *src = value_of(event, "src"), *dst = value_of(event, "dst");
	const char *verdict = value_text(event, "verdict");
	_text_ struct text from = TEXT_INIT;
	_text_ struct text to = TEXT_INIT;
	_text_ struct text service = TEXT_INIT;

	d->missed += value_number(event, "missed");
	if (!verdict || !src || !dst)
		return;
	name_end(src, &from);
	name_end(dst, &to);
	name_service(event, &service);
	{
		const char *rule = value_text(event, "rule");
		const char *const talker[] = {
			from.buf,
			to.buf,
			service.buf,
			verdict,
			or_dash(rule ? rule : value_text(event, "reason")),
		};
		const char *const zones[] = {
			or_dash(value_text(src, "zone")),
			or_dash(value_text(dst, "zone")),
			verdict,
		};

		top_table_row(&d->parts[TOP_TALKERS], talker)->total += amount(event);
		top_table_row(&d->parts[TOP_ZONES], zones)->total += amount(event);
	}
}

void top_data_rule(struct top_data *d, const cJSON *rule)
{
	const char *const words[] = {
		or_dash(value_text(rule, "rule")),
		or_dash(value_text(rule, "action")),
		or_dash(value_text(rule, "from_file")),
	};
	struct top_row *row = top_table_row(&d->parts[TOP_RULES], words);
	double packets = value_number(rule, "packets"), bytes = value_number(rule, "bytes");

	/* What it had decided before we looked is no growth. */
	if (!row->is_ticked) {
		row->total_shown = packets;
		row->bytes_shown = bytes;
	}
	row->total = packets;
	row->bytes = bytes;
}

static const char *hash_of(const cJSON *status)
{
	return or_dash(value_text(value_of(status, "policy"), "hash"));
}

static bool is_same_policy(const struct top_data *d)
{
	return !d->status_before || !strcmp(hash_of(d->status), hash_of(d->status_before));
}

void top_data_status(struct top_data *d, cJSON *status, double seconds)
{
	cJSON_Delete(d->status_before);
	d->status_before = d->status;
	d->status = status;
	d->seconds = d->status_before ? seconds : 0;
	if (!is_same_policy(d))
		top_table_release(&d->parts[TOP_RULES]); /* they are listed anew */
	for (enum top_part part = 0; part < TOP_PARTS; part++)
		top_table_tick(&d->parts[part], seconds);
}

static double number_at(const cJSON *json, const char *const *path)
{
	for (; json && *path; path++)
		json = value_of(json, *path);
	return json ? value_to_number(json) : 0;
}

double top_data_number(const struct top_data *d, const char *const *path)
{
	return number_at(d->status, path);
}

double top_data_rate(const struct top_data *d, const char *const *path)
{
	double now = number_at(d->status, path), before = number_at(d->status_before, path);

	return d->seconds > 0 && now >= before ? (now - before) / d->seconds : 0;
}
