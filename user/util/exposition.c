/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/exposition.h"

#include <inttypes.h>
#include <string.h>

#include "util/utf8.h"

#define NS_PER_S UINT64_C(1000000000)

static const char *const type_words[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_SUMMARY] = "summary",
};

/* A backslash and a line's end would be read otherwise; a quote only in a label. */
static void add_escaped(struct text *out, const char *s, bool is_label)
{
	for (; *s; s++) {
		if (*s == '\n')
			text_add(out, "\\n");
		else if (*s == '\\' || (is_label && *s == '"'))
			text_addf(out, "\\%c", *s);
		else
			text_addc(out, *s);
	}
}

/* Bytes that are no UTF-8 make a reader refuse everything: they become \xff, in letters. */
static void add_value(struct text *out, const char *s)
{
	_text_ struct text valid = TEXT_INIT;
	size_t len = strlen(s), step;

	for (size_t at = 0; at < len; at += step) {
		uint32_t point;

		step = utf8_next(s + at, len - at, &point);
		if (point == UTF8_INVALID)
			text_addf(&valid, "\\x%02x", (unsigned char)s[at]);
		else
			text_addn(&valid, s + at, step);
	}
	add_escaped(out, valid.buf, true);
}

void exposition_family(struct text *out, const char *name, enum metric_type type, const char *help)
{
	text_addf(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	text_addf(out, "\n# TYPE %s %s\n", name, type_words[type]);
}

static void begin_sample(struct text *out, const char *name, struct labels labels)
{
	text_add(out, name);
	for (size_t i = 0; i < labels.count; i++) {
		const struct metric_label *label = &labels.items[i];

		text_addf(out, "%c%s=\"", i ? ',' : '{', label->name);
		add_value(out, label->value ? label->value : "");
		text_addc(out, '"');
	}
	text_add(out, labels.count ? "} " : " ");
}

void exposition_number(struct text *out, const char *name, struct labels labels, uint64_t value)
{
	begin_sample(out, name, labels);
	text_addf(out, "%" PRIu64 "\n", value);
}

void exposition_seconds(struct text *out, const char *name, struct labels labels, uint64_t ns)
{
	begin_sample(out, name, labels);
	text_addf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / NS_PER_S, ns % NS_PER_S);
}
