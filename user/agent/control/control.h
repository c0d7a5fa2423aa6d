/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's side of protocol.h: clients, their requests, and their answers on the way out. */
#ifndef AGENT_CONTROL_CONTROL_H
#define AGENT_CONTROL_CONTROL_H

#include "agent/control/request.h"
#include "agent/events/events_hub.h"
#include "agent/loop.h"

struct control;

/* Writes the whole answer; true: the client follows the events from here on. */
typedef bool control_fn(void *user, struct request *request, struct text *out);

struct control_config {
	struct loop *loop;
	const char *socket;
	struct events_hub *hub;
	struct events_hub *alerts; /* what a request for alerts alone follows */
	bool (*is_to_wait)(void *user, const struct request *request); /* see control_resume() */
	control_fn *fn;
	void (*settle)(
		void *user); /* before a client ends its following: what is under way is told */
	void *user;
};

/* The config's strings are borrowed.  -errno with a sentence in @reterr. */
int control_open(const struct control_config *config, struct text *reterr, struct control **ret);
void control_free(struct control *control); /* closes all clients, removes the socket */

/* Who had to wait is asked about again, in the order of asking; the first that still has to ends
 * it.
 */
void control_resume(struct control *control);

/* {"ok": false, "error": …}: an answer's last line. */
void control_error(struct text *out, const char *error);

#endif
