/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the agent's pages are served: an address of this machine and a port. */
#ifndef AGENT_METRICS_LISTEN_ADDRESS_H
#define AGENT_METRICS_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "util/address.h"

struct listen_address {
	struct bh_addr addr;
	uint16_t port; /* 0: nowhere */
};

#define LISTEN_ADDRESS_STRLEN (ADDRESS_STRLEN + 8)

/* "127.0.0.1:9478", "[::1]:9478", "9478" (on 127.0.0.1), "off"; false with a sentence in @reterr.
 */
bool listen_address_parse(const char *text, struct listen_address *ret, struct text *reterr);

/* Into @buf, which is also returned. */
const char *listen_address_format(const struct listen_address *at,
				  char buf[static LISTEN_ADDRESS_STRLEN]);

bool listen_address_is_loopback(const struct listen_address *at);

/* Of what length *ret is. */
socklen_t listen_address_socket(const struct listen_address *at, struct sockaddr_storage *ret);

#endif
