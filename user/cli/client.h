/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The client's side of agent/protocol.h. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "agent/control/protocol.h"
#include "cli/options.h"

/* The option --socket of a command that talks to the agent, for its table of options. */
/* clang-format off */
#define SOCKET_OPTION(values, member)                                                     \
	{ .name = "socket", .type = OPTION_TEXT, .offset = offsetof(values, member),     \
	  .value = "PATH", .help = "the agent's control socket", .fallback = PROTOCOL_SOCKET }
/* clang-format on */

struct client {
	int fd;
	int stop_fd;  /* readable when the user wants to end; -1: none */
	FILE *output; /* where the answer goes; when nobody reads there, reading ends; NULL: none */
	struct text input;
	size_t taken; /* bytes of the input that were handed out */
};

/* clang-format off */
#define CLIENT_INIT { .fd = -1, .stop_fd = -1, .input = TEXT_INIT }
/* clang-format on */

/* Connects and sends one request.  -errno with a sentence for people in @reterr. */
int client_ask(struct client *c, const char *socket, const char *request, struct text *reterr);

/*
 * The next line of the answer in *ret_line, up to its NUL, good until the next call; -ENODATA when
 * the agent closed, -EINTR when stop_fd became readable, -EPIPE when the output lost its reader.
 * What was written to any stream is flushed before it waits, if there is an output.
 */
int client_read(struct client *c, const char **ret_line);

/* Whether client_read() has a line, or more of one, without waiting for the agent. */
bool client_has_more(const struct client *c);

/* Another line to the agent, which is answering: what to do about that.  -errno. */
int client_say(struct client *c, const char *line);

void client_release(struct client *c);
#define _client_ _cleanup_(client_release)

/* An item of an answer: its line as it came, and parsed.  Anything but 0 ends the reading. */
typedef int (*client_item)(void *context, const char *line, const cJSON *item);

/*
 * The items, one after the other, to @item (which may be NULL), then the last line to *ret_last, to
 * be freed with cJSON_Delete, be it {"ok": true} or not.  -errno with a sentence in @reterr if
 * there was no last line; what @item returned, if not 0.
 */
int client_answer(struct client *c, client_item item, void *context, struct text *reterr,
		  cJSON **ret_last);

/* Asks and takes the answer; an answer that isn't ok is an error (-EREMOTEIO) with its sentence. */
int client_call(const char *socket, const char *request, client_item item, void *context,
		struct text *reterr, cJSON **ret_last);

static inline void cjson_deletep(cJSON **json)
{
	cJSON_Delete(*json);
}
#define _cjson_ _cleanup_(cjson_deletep)

#endif
