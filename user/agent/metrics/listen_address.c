/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

#define LOOPBACK "127.0.0.1"
#define OFF      "off"

/* What stands before the last colon, without the brackets of an IPv6 address; false: neither. */
static bool take_host(const char *text, const char *colon, struct text *ret)
{
	size_t len = (size_t)(colon - text);
	bool has_brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	text_addn(ret, text + has_brackets, len - 2 * (size_t)has_brackets);
	return has_brackets == (strchr(ret->buf, ':') != NULL);
}

static bool parse(const char *text, struct listen_address *ret)
{
	const char *colon = strrchr(text, ':');
	_text_ struct text host = TEXT_INIT;
	uint64_t port;

	if (!colon)
		text_add(&host, LOOPBACK);
	else if (!take_host(text, colon, &host))
		return false;
	if (addr_parse(host.buf, &ret->addr) ||
	    !text_to_u64(colon ? colon + 1 : text, 1, UINT16_MAX, &port))
		return false;
	ret->port = (uint16_t)port;
	return true;
}

bool listen_address_parse(const char *text, struct listen_address *ret, struct text *reterr)
{
	struct listen_address at = {};

	if (strcmp(text, OFF) != 0 && !parse(text, &at)) {
		text_addf(reterr,
			  "'%s' is not an address and a port such as " LOOPBACK ":9478, "
			  "nor a port, nor " OFF,
			  text);
		return false;
	}
	*ret = at;
	return true;
}

const char *listen_address_format(const struct listen_address *at,
				  char buf[static LISTEN_ADDRESS_STRLEN])
{
	char addr[ADDRESS_STRLEN];

	snprintf(buf, LISTEN_ADDRESS_STRLEN, addr_is_v4(&at->addr) ? "%s:%u" : "[%s]:%u",
		 addr_format(&at->addr, addr), at->port);
	return buf;
}

bool listen_address_is_loopback(const struct listen_address *at)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	const unsigned char *bytes = (const unsigned char *)&at->addr;

	if (addr_is_v4(&at->addr))
		return bytes[12] == IN_LOOPBACKNET;
	return !memcmp(bytes, &loopback, sizeof(loopback));
}

socklen_t listen_address_socket(const struct listen_address *at, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){};
	if (addr_is_v4(&at->addr)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(at->port);
		memcpy(&in->sin_addr, (const char *)&at->addr + 12, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(at->port);
	memcpy(&in6->sin6_addr, &at->addr, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}
