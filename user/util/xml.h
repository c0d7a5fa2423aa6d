/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Text that may be anything, as the content of an XML element or attribute. */
#ifndef UTIL_XML_H
#define UTIL_XML_H

#include "util/text.h"

/* What XML cannot hold (control codes, bad UTF-8) becomes U+FFFD. */
void text_add_xml(struct text *out, const char *s);

/* ` key="value"` of a start tag. */
void xml_attribute(struct text *out, const char *key, const char *value);

#endif
