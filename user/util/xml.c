/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/xml.h"

#include <string.h>

#include "util/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* clang-format off */
/* In attributes blanks other than the space would be read as one. */
static const struct {
	uint32_t point;
	const char *entity;
} entities[] = {
	{ '&',  "&amp;"  },
	{ '<',  "&lt;"   },
	{ '>',  "&gt;"   },
	{ '"',  "&quot;" },
	{ '\'', "&apos;" },
	{ '\t', "&#9;"   },
	{ '\n', "&#10;"  },
};
/* clang-format on */

static const char *entity_of(uint32_t point)
{
	for (size_t i = 0; i < COUNT(entities); i++) {
		if (entities[i].point == point)
			return entities[i].entity;
	}
	/* U+FFFE and U+FFFF are no characters (XML 1.0, 2.2). */
	if (point == UTF8_INVALID || utf8_is_control(point) || point == 0xfffe || point == 0xffff)
		return REPLACEMENT;
	return NULL;
}

void text_add_xml(struct text *out, const char *s)
{
	size_t len = strlen(s);

	while (len) {
		uint32_t point;
		size_t n = utf8_next(s, len, &point);
		const char *entity = entity_of(point);

		if (entity)
			text_add(out, entity);
		else
			text_addn(out, s, n);
		s += n;
		len -= n;
	}
}

void xml_attribute(struct text *out, const char *key, const char *value)
{
	text_addf(out, " %s=\"", key);
	text_add_xml(out, value);
	text_addc(out, '"');
}
