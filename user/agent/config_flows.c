/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/config_flows.h"

#include <string.h>

#include "policy/schema.h"
#include "util/mem.h"
#include "util/when.h"

enum flow_setting {
	SET_FILE,
	SET_FORMAT,
	SET_INTERVAL,
	SET_SIZE,
	SET_KEEP,
	SET_DENIED,
	SET_COUNT
};

/* clang-format off */
static const struct schema_key flow_keys[] = {
	[SET_FILE]     = { "file",     KEY_REQUIRED, FORM_TEXT },
	[SET_FORMAT]   = { "format",   KEY_OPTIONAL, FORM_TEXT },
	[SET_INTERVAL] = { "interval", KEY_OPTIONAL, FORM_TEXT },
	[SET_SIZE]     = { "size",     KEY_OPTIONAL, FORM_TEXT },
	[SET_KEEP]     = { "keep",     KEY_OPTIONAL, FORM_TEXT },
	[SET_DENIED]   = { "denied",   KEY_OPTIONAL, FORM_TEXT },
};
/* clang-format on */

static const struct schema flow_schema = {
	.what = "a flow log",
	.keys = flow_keys,
	.count = SET_COUNT,
};

static const char *const format_words[] = {
#define X(id, word) [FLOW_##id] = (word),
	FLOW_FORMATS_LIST(X)
#undef X
};

const char *flow_format_word(enum flow_format format)
{
	return format_words[format];
}

bool flow_format_parse(const char *word, enum flow_format *ret)
{
	for (size_t i = 0; i < COUNT(format_words); i++) {
		if (!strcmp(word, format_words[i])) {
			*ret = (enum flow_format)i;
			return true;
		}
	}
	return false;
}

bool flow_interval_is_good(uint32_t interval_s)
{
	return interval_s && interval_s <= FLOW_INTERVAL_MAX_S;
}

/* "1048576", "64K", "100M", "2G" */
static bool parse_size(const char *s, uint64_t *ret)
{
	static const char units[] = "KMG";
	_free_ char *digits = xstrdup(s);
	size_t len = strlen(digits);
	const char *unit = len ? strchr(units, digits[len - 1]) : NULL;
	unsigned int shift = 0;
	uint64_t number;

	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		digits[len - 1] = '\0';
	}
	if (!text_to_u64(digits, 0, UINT64_MAX >> (shift + 1), &number))
		return false;
	*ret = number << shift;
	return true;
}

static void read_file(struct settings *s, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];

	if (n->text[0] != '/' && strcmp(n->text, "-") != 0) {
		diag_error(d, n->at, "'%s' is not a path from / on, or - for standard output",
			   shown(n->text, buf));
		return;
	}
	free(s->flow_file);
	s->flow_file = xstrdup(n->text);
}

static void read_format(struct settings *s, const struct node *n, struct diags *d)
{
	static const struct words formats = {"a format of flow logs", format_words,
					     COUNT(format_words)};
	size_t format;

	if (schema_word(n, &formats, d, &format))
		s->flows.format = (enum flow_format)format;
}

static void read_interval(struct settings *s, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];
	uint32_t interval_s;

	if (duration_parse(n->text, &interval_s) && flow_interval_is_good(interval_s))
		s->flows.interval_s = interval_s;
	else
		diag_error(d, n->at, "'%s' is not a duration from 1s to 1d", shown(n->text, buf));
}

static void read_size(struct settings *s, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];

	if (!parse_size(n->text, &s->flows.size))
		diag_error(d, n->at, "'%s' is not a size such as 64M", shown(n->text, buf));
}

static void read_keep(struct settings *s, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];
	uint64_t keep;

	if (text_to_u64(n->text, 0, FLOW_KEEP_MAX, &keep))
		s->flows.keep = (uint32_t)keep;
	else
		diag_error(d, n->at, "'%s' is not a number from 0 to %d", shown(n->text, buf),
			   FLOW_KEEP_MAX);
}

static void read_denied(struct settings *s, const struct node *n, struct diags *d)
{
	static const char *const words[] = {"off", "on"};
	static const struct words switches = {"a switch", words, COUNT(words)};
	size_t is_on;

	if (schema_word(n, &switches, d, &is_on))
		s->flows.has_denied = is_on;
}

void settings_read_flows(struct settings *s, const struct node *n, struct diags *d)
{
	static void (*const readers[])(struct settings *, const struct node *, struct diags *) = {
		[SET_FILE] = read_file, [SET_FORMAT] = read_format, [SET_INTERVAL] = read_interval,
		[SET_SIZE] = read_size, [SET_KEEP] = read_keep,     [SET_DENIED] = read_denied,
	};
	const struct node *values[SET_COUNT] = {};

	if (n->kind == NODE_TEXT) {
		read_file(s, n, d);
		return;
	}
	if (!schema_read(n, &flow_schema, d, values))
		return;
	for (size_t i = 0; i < SET_COUNT; i++) {
		if (values[i])
			readers[i](s, values[i], d);
	}
}
