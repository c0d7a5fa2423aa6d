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

/* The beginning of what it says of a link, which may be longer. */
struct link_told {
	uint32_t type, id, program, pad;
	uint32_t family, hook;
	int32_t priority;
	uint32_t flags;
};

static int create_link(int program, size_t hook, int32_t priority)
{
	struct link_request request = {
		.program = (uint32_t)program,
		.attach_type = ATTACH_TYPE_NETFILTER,
		.family = hooks[hook].family,
		.hook = hooks[hook].hook,
		.priority = priority,
	};
	int fd = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &request, sizeof(request));

	return fd < 0 ? -errno : fd;
}

/* At the lowest priority that is free. */
static int create_somewhere(int program, size_t hook)
{
	int fd = -EBUSY;

	for (int i = 0; fd == -EBUSY && i < PRIORITIES; i++)
		fd = create_link(program, hook, PRIORITY_FIRST + i);
	return fd;
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

static int keep(struct pins *pins, size_t hook, int link)
{
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, PIN_PREFIX "%s", hooks[hook].name);
	return pins_put(pins, PIN_LINK, name.buf, link);
}

/* The new one hangs before the old one goes. */
static int attach_one(struct pins *pins, int program, size_t hook)
{
	int fd = create_somewhere(program, hook);

	return fd < 0 ? fd : keep(pins, hook, fd);
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

static int get_pin(const struct pins *pins, size_t hook)
{
	_text_ struct text name = TEXT_INIT;

	text_addf(&name, PIN_PREFIX "%s", hooks[hook].name);
	return pins_get(pins, PIN_LINK, name.buf);
}

static bool is_there(const struct pins *pins, size_t hook)
{
	_close_ int fd = get_pin(pins, hook);

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

/* A link that was detached looks as before; but then its place is free. */
static int repair_one(struct pins *pins, int program, size_t hook)
{
	_close_ int fd = get_pin(pins, hook);
	struct link_told told = {};
	uint32_t len = sizeof(told);
	int fresh, err;

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &told, &len))
		fresh = create_link(program, hook, told.priority);
	else
		fresh = create_somewhere(program, hook);
	if (fresh < 0)
		return fresh == -EBUSY ? 0 : fresh;
	err = keep(pins, hook, fresh);
	return err ? err : 1;
}

int netfilter_repair(struct pins *pins, int program)
{
	int repaired = 0;

	for (size_t i = 0; i < COUNT(hooks); i++) {
		int err = repair_one(pins, program, i);

		if (err < 0)
			return err;
		repaired += err;
	}
	return repaired;
}
