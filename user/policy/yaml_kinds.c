/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_kinds.h"

/* Anywhere in a text, and nowhere else; in a key, too; at its beginning, too. */
enum {
	LATER = YAML_IN_FLOW,
	IN_KEY = YAML_IN_FLOW | YAML_IN_KEY,
	ANYWHERE = YAML_IN_FLOW | YAML_IN_KEY | YAML_BEGINS,
};

/* clang-format off */
const unsigned char yaml_kinds[128] = {
	[' '] = LATER, ['!'] = LATER, ['"'] = LATER, ['$'] = LATER, ['%'] = LATER, ['&'] = LATER,
	['\''] = LATER, ['('] = LATER, [')'] = LATER, ['*'] = LATER, ['+'] = LATER,
	['-'] = IN_KEY, [';'] = LATER, ['<'] = LATER, ['='] = LATER, ['>'] = LATER, ['@'] = LATER,
	['\\'] = LATER, ['^'] = LATER, ['`'] = LATER, ['|'] = LATER, ['~'] = LATER,
	['.'] = ANYWHERE, ['/'] = ANYWHERE, ['_'] = ANYWHERE, ['0' ... '9'] = ANYWHERE,
	['A' ... 'Z'] = ANYWHERE, ['a' ... 'z'] = ANYWHERE,
};
/* clang-format on */
