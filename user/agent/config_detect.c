/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/config_detect.h"

#include <inttypes.h>

#include "policy/schema.h"
#include "util/when.h"

enum detect_key {
	KEY_WINDOW = DETECTION_COUNT,
	KEY_COOLDOWN,
	KEY_COUNT
};

static const struct schema_key keys[] = {
#define X(id, code, key, unit, by_default, least, most, what)                                      \
	[DETECT_##id] = {(key), KEY_OPTIONAL, FORM_TEXT},
	DETECTIONS(X)
#undef X
		[KEY_WINDOW] = {"window", KEY_OPTIONAL, FORM_TEXT},
	[KEY_COOLDOWN] = {"cooldown", KEY_OPTIONAL, FORM_TEXT},
};

static const struct schema schema = {"'detect'", keys, KEY_COUNT};

static const struct {
	uint32_t by_default, least, most;
} bounds[] = {
#define X(id, code, key, unit, by_default, least, most, what)                                      \
	[DETECT_##id] = {(by_default), (least), (most)},
	DETECTIONS(X)
#undef X
};

void config_detect_init(struct detect_config *c)
{
	*c = (struct detect_config){
		.window_s = DETECT_WINDOW_S,
		.cooldown_s = DETECT_COOLDOWN_S,
	};
	for (enum detection id = 0; id < DETECTION_COUNT; id++)
		c->threshold[id] = bounds[id].by_default;
}

static void read_span(uint32_t *place, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];
	uint32_t seconds;

	if (!n)
		return;
	if (duration_parse(n->text, &seconds) && seconds && seconds <= DETECT_SPAN_MAX_S)
		*place = seconds;
	else
		diag_error(d, n->at, "'%s' is not a duration from 1s to 24h", shown(n->text, buf));
}

/* A number, or for the time of being quiet a duration. */
static bool parse_threshold(enum detection id, const char *text, uint32_t *ret)
{
	uint64_t number;

	if (id == DETECT_FIRST)
		return duration_parse(text, ret);
	if (!text_to_u64(text, 0, UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static void read_threshold(struct detect_config *c, enum detection id, const struct node *n,
			   struct diags *d)
{
	char buf[SHOWN_SIZE];
	uint32_t number;

	if (!n)
		return;
	if (!parse_threshold(id, n->text, &number) ||
	    (number && (number < bounds[id].least || number > bounds[id].most)))
		diag_error(d, n->at,
			   id == DETECT_FIRST ? "'%s' is not a duration such as 1d, and 0 for off"
					      : "'%s' is not a number from %" PRIu32 " to %" PRIu32
						", or 0 for off",
			   shown(n->text, buf), bounds[id].least, bounds[id].most);
	else
		c->threshold[id] = number;
}

void config_detect_read(struct detect_config *c, const struct node *map, struct diags *d)
{
	const struct node *values[KEY_COUNT] = {};

	if (!schema_read(map, &schema, d, values))
		return;
	read_span(&c->window_s, values[KEY_WINDOW], d);
	read_span(&c->cooldown_s, values[KEY_COOLDOWN], d);
	for (enum detection id = 0; id < DETECTION_COUNT; id++)
		read_threshold(c, id, values[id], d);
}
