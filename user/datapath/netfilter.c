/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/netfilter.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define PIN_PREFIX "netfilter-"

/*
 * Behind whatever filters, in front of whatever translates sources (100).  No two BPF programs of a
 * hook have one priority, and a link's program can't be replaced: so the next one takes another.
 */
#define PRIORITY_FIRST 91
#define PRIORITIES     8

/* clang-format off */
static const struct {
	const char *name;
	uint32_t family;
	uint32_t hook;
} hooks[] = {
	{"forward-ipv4", NFPROTO_IPV4, NF_INET_FORWARD},
	{"forward-ipv6", NFPROTO_IPV6, NF_INET_FORWARD},
	{"local-ipv4",   NFPROTO_IPV4, NF_INET_LOCAL_IN},
	{"local-ipv6",   NFPROTO_IPV6, NF_INET_LOCAL_IN},
};
/* clang-format on */

/* What bpf(2) takes for BPF_LINK_CREATE; older headers lack the end. */
struct link_request {
	uint32_t program;
	uint32_t target;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t family;
	uint32_t hook;
	int32_t priority;
	uint32_t netfilter_flags;
};

/* The lowest priority that is free. */
static int create_link(int program, size_t hook)
{
	int fd = -1;

	for (int i = 0; i < PRIORITIES; i++) {
		struct link_request request = {
			.program = (uint32_t)program,
			.attach_type = ATTACH_TYPE_NETFILTER,
			.family = hooks[hook].family,
			.hook = hooks[hook].hook,
			.priority = PRIORITY_FIRST + i,
		};

		fd = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &request, sizeof(request));
		if (fd >= 0 || errno != EBUSY)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static bool is_netfilter_pin(const char *name)
{
	return !strncmp(name, PIN_PREFIX, strlen(PIN_PREFIX));
}

static void remove_pin(struct pins *pins, const char *name)
{
	_close_ int fd = pins_get(pins, PIN_LINK, name);

	if (fd >= 0)
		bpf_link_detach(fd);
	pins_drop(pins, PIN_LINK, name);
}

/* The new one hangs before the old one goes. */
static int attach_one(struct pins *pins, int program, size_t hook)
{
	_text_ struct text name = TEXT_INIT;
	_close_ int fd = create_link(program, hook);

	if (fd < 0)
		return fd;
	text_addf(&name, PIN_PREFIX "%s", hooks[hook].name);
	return pins_put(pins, PIN_LINK, name.buf, TAKE_FD(fd));
}

int netfilter_attach(struct pins *pins, int program)
{
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(hooks); i++)
		err = attach_one(pins, program, i);
	return err;
}

void netfilter_remove(struct pins *pins)
{
	_pin_names_ pin_names names = {};

	pins_list(pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		if (is_netfilter_pin(*name))
			remove_pin(pins, *name);
	}
}

static bool is_there(const struct pins *pins, size_t hook)
{
	_text_ struct text name = TEXT_INIT;
	_close_ int fd = -1;

	text_addf(&name, PIN_PREFIX "%s", hooks[hook].name);
	fd = pins_get(pins, PIN_LINK, name.buf);
	return fd >= 0;
}

bool netfilter_is_attached(const struct pins *pins)
{
	for (size_t i = 0; i < COUNT(hooks); i++) {
		if (!is_there(pins, i))
			return false;
	}
	return true;
}
