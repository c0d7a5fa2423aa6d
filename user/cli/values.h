/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the agent's JSON, of which any part may be absent. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <cjson/cJSON.h>

#include "util/text.h"

/* NULL if there is none, or @object itself is NULL. */
static inline const cJSON *value_of(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* NULL if it is no text. */
static inline const char *value_text(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(value_of(object, key));
}

/* "" if it is no text. */
static inline const char *value_string(const cJSON *value)
{
	const char *s = cJSON_GetStringValue(value);

	return s ? s : "";
}

/* 0 if it is no number. */
static inline double value_to_number(const cJSON *value)
{
	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static inline double value_number(const cJSON *object, const char *key)
{
	return value_to_number(value_of(object, key));
}

#endif
