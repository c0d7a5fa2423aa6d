/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The whole screen of a terminal, and its keys one by one. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "util/text.h"

struct terminal {
	struct termios before;
	bool is_open;
};

/* Standard input and output; -errno. */
int terminal_open(struct terminal *t);
void terminal_close(struct terminal *t); /* as it was */
#define _terminal_ _cleanup_(terminal_close)

void terminal_size(size_t *ret_width, size_t *ret_height);

/* Lines from the top left on, in one go; what is below them is blank. */
void terminal_show(const struct text *lines);

/* Keys that have no character. */
enum key {
	KEY_NONE,
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_ESCAPE,
	KEY_BACKSPACE,
	KEY_END, /* of the input, or Ctrl-C */
};

/* The first key in @bytes, an enum key or a character; how many bytes it has goes to *ret_len. */
unsigned int terminal_key(const char *bytes, size_t len, size_t *ret_len);

#endif
