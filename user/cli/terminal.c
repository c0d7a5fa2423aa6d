/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/terminal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define ENTER     "\033[?1049h\033[?25l" /* another screen, without a cursor */
#define LEAVE     "\033[?25h\033[?1049l"
#define HOME      "\033[H"
#define LINE_END  "\033[K\r\n" /* what was there before is wiped */
#define WIPE_REST "\033[J"

#define CTRL_C    0x03
#define CTRL_H    0x08
#define ESCAPE    0x1b
#define BACKSPACE 0x7f

#define WIDTH  80 /* of who doesn't say */
#define HEIGHT 24

static void write_all(const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s += n;
		len -= (size_t)n;
	}
}

int terminal_open(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->before))
		return -errno;
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw))
		return -errno;
	t->is_open = true;
	write_all(ENTER, strlen(ENTER));
	return 0;
}

void terminal_close(struct terminal *t)
{
	if (!t->is_open)
		return;
	write_all(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->before);
	t->is_open = false;
}

void terminal_size(size_t *ret_width, size_t *ret_height)
{
	struct winsize size;

	*ret_width = WIDTH;
	*ret_height = HEIGHT;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		return;
	*ret_width = size.ws_col;
	*ret_height = size.ws_row;
}

/* The last line has no end: it would move the screen. */
void terminal_show(const struct text *lines)
{
	_text_ struct text out = TEXT_INIT;
	const char *line = lines->buf;

	text_add(&out, HOME);
	while (*line) {
		size_t len = strcspn(line, "\n");

		text_addn(&out, line, len);
		line += len + (line[len] == '\n');
		text_add(&out, *line ? LINE_END : "\033[K");
	}
	text_add(&out, WIPE_REST);
	write_all(out.buf, out.len);
}

/* clang-format off */
static const struct {
	const char *bytes;
	enum key key;
} sequences[] = {
	{ "\033[A",  KEY_UP        },
	{ "\033[B",  KEY_DOWN      },
	{ "\033OA",  KEY_UP        },
	{ "\033OB",  KEY_DOWN      },
	{ "\033[5~", KEY_PAGE_UP   },
	{ "\033[6~", KEY_PAGE_DOWN },
};
/* clang-format on */

/* Of one that means nothing here: to its last letter. */
static size_t unknown_len(const char *bytes, size_t len)
{
	size_t at = 2;

	while (at < len && (bytes[at] < '@' || bytes[at] > '~'))
		at++;
	return at < len ? at + 1 : len;
}

static unsigned int sequence_key(const char *bytes, size_t len, size_t *ret_len)
{
	for (size_t i = 0; i < COUNT(sequences); i++) {
		*ret_len = strlen(sequences[i].bytes);
		if (*ret_len <= len && !memcmp(bytes, sequences[i].bytes, *ret_len))
			return sequences[i].key;
	}
	if (len > 1 && (bytes[1] == '[' || bytes[1] == 'O')) {
		*ret_len = unknown_len(bytes, len);
		return KEY_NONE;
	}
	*ret_len = 1;
	return KEY_ESCAPE;
}

unsigned int terminal_key(const char *bytes, size_t len, size_t *ret_len)
{
	*ret_len = len ? 1 : 0;
	if (!len || bytes[0] == CTRL_C)
		return KEY_END;
	if (bytes[0] == ESCAPE)
		return sequence_key(bytes, len, ret_len);
	if (bytes[0] == BACKSPACE || bytes[0] == CTRL_H)
		return KEY_BACKSPACE;
	return (unsigned char)bytes[0];
}
