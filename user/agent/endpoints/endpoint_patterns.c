/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/endpoint_patterns.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "agent/kubernetes/pod_endpoints.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define PATIENCE_NS (100 * 1000000ull) /* with a crowd; attaching waits for the kernel */

/* All interfaces, and a socket to ask more about them. */
struct links {
	struct if_nameindex *list; /* ends with index 0 */
	int fd;
};

static void links_release(struct links *links)
{
	if (links->list)
		if_freenameindex(links->list);
	if (links->fd >= 0)
		close(links->fd);
}

static bool links_read(struct links *ret)
{
	ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ret->fd >= 0)
		ret->list = if_nameindex();
	return ret->list != NULL;
}

bool is_interface_pattern(const char *interface)
{
	return strpbrk(interface, "*?[") != NULL;
}

static bool ask(const struct links *links, unsigned long what, const char *name, struct ifreq *ret)
{
	size_t len = strlen(name);

	*ret = (struct ifreq){};
	memcpy(ret->ifr_name, name, len < IF_NAMESIZE ? len : IF_NAMESIZE - 1);
	return !ioctl(links->fd, what, ret);
}

/* A pattern speaks of those that can be enforced on, and not of lo. */
static bool is_ethernet(const struct links *links, const char *name)
{
	struct ifreq request;

	return ask(links, SIOCGIFHWADDR, name, &request) &&
	       request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

static bool is_there(const struct links *links, uint32_t ifindex)
{
	for (const struct if_nameindex *link = links->list; link->if_index; link++) {
		if (link->if_index == ifindex)
			return true;
	}
	return false;
}

/* By its own name, or by a pattern before. */
static bool is_known(const struct endpoints *es, const struct if_nameindex *link)
{
	vec_foreach (e, &es->list) {
		if (e->ifindex == link->if_index || e->seen == link->if_index)
			return true;
		if (!e->is_match && !strcmp(e->interface, link->if_name))
			return true;
	}
	return false;
}

static const struct agent_attach *find_pattern(const struct endpoints *es, const char *name)
{
	for (size_t i = 0; i < es->config->attach_count; i++) {
		const struct agent_attach *attach = &es->config->attach[i];

		if (is_interface_pattern(attach->interface) && !fnmatch(attach->interface, name, 0))
			return attach;
	}
	return NULL;
}

/* Those of named interfaces are kept for them; the lowest free one keeps tables' shares large. */
uint16_t endpoint_choose_id(const struct endpoints *es, uint32_t ifindex)
{
	size_t first = BH_ENDPOINT_HOST + 1 + es->config->attach_count;
	uint16_t before = datapath_workload_id(es->dp, ifindex);

	/* The same as before a restart, and its connections go on. */
	if (before >= first && !endpoints_name(es, before))
		return before;
	for (size_t id = first; id < BH_ENDPOINT_ENTRIES; id++) {
		if (!endpoints_name(es, (uint16_t)id))
			return (uint16_t)id;
	}
	return BH_ENDPOINT_HOST;
}

static void add_match(struct endpoints *es, const struct if_nameindex *link,
		      const struct agent_attach *attach)
{
	struct endpoint e = {
		.interface = attach->interface,
		.kind = attach->workload ? BH_ENDPOINT_WORKLOAD : BH_ENDPOINT_IS_HOST,
		.is_match = true,
		.seen = link->if_index,
		.trouble.what = TEXT_INIT,
		.refusal = TEXT_INIT,
	};
	size_t len = strlen(link->if_name);

	memcpy(e.name, link->if_name, len < IF_NAMESIZE ? len : IF_NAMESIZE - 1);
	if (attach->workload) {
		e.id = endpoint_choose_id(es, link->if_index);
		endpoint_take_workload(es, &e, attach->workload);
	}
	vec_push(&es->list, e);
}

static void drop_gone(struct endpoints *es, const struct links *links)
{
	for (size_t i = es->list.count; i > 0; i--) {
		const struct endpoint *e = &es->list.items[i - 1];

		if (e->is_match && !is_there(links, e->seen))
			endpoints_link_gone(es, e->seen);
	}
}

static void find(struct endpoints *es, const struct links *links)
{
	drop_gone(es, links);
	pod_endpoints_find(es);
	for (const struct if_nameindex *link = links->list; link->if_index; link++) {
		const struct agent_attach *attach = find_pattern(es, link->if_name);

		if (attach && !is_known(es, link) && is_ethernet(links, link->if_name))
			add_match(es, link, attach);
	}
}

static bool open_links(struct endpoints *es, struct links *ret)
{
	bool is_read = links_read(ret);
	int err = errno;

	if (!is_read && !es->is_blind)
		log_error("msg=\"interfaces not listed\" error=\"%s\"", strerror(err));
	es->is_blind = !is_read;
	return is_read;
}

void endpoint_patterns_find(struct endpoints *es)
{
	_cleanup_(links_release)
	struct links links = {.fd = -1};

	if (open_links(es, &links))
		find(es, &links);
}

static bool has_carrier(const struct links *links, const struct endpoint *e)
{
	struct ifreq request;

	return ask(links, SIOCGIFFLAGS, endpoint_label(e), &request) &&
	       request.ifr_flags & IFF_RUNNING;
}

/*
 * The other end may get another MAC as long as it is down, and with it another link-local address:
 * its sources are set again when there is somebody to talk.
 */
static void follow_carrier(struct endpoints *es, struct endpoint *e, bool is_running)
{
	_text_ struct text why = TEXT_INIT;
	int err = 0;

	if (is_running && !e->is_running && e->kind == BH_ENDPOINT_WORKLOAD)
		err = endpoints_attach_again(es, e, &why);
	if (err)
		log_warning("msg=\"sources not set again\" interface=%s error=\"%s\"",
			    endpoint_label(e), why.len ? why.buf : strerror(-err));
	e->is_running = is_running;
}

static void attach_match(struct endpoints *es, struct endpoint *e, bool is_running)
{
	e->is_running = is_running;
	e->ifindex = e->seen;
	if (!endpoints_try_attach(es, e))
		e->ifindex = 0;
}

void endpoint_patterns_scan(struct endpoints *es)
{
	uint64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;
	_cleanup_(links_release)
	struct links links = {.fd = -1};

	if (!open_links(es, &links))
		return;
	find(es, &links);
	es->is_unfinished = false;
	vec_foreach (e, &es->list) {
		if (!e->is_match)
			continue;
		if (e->ifindex)
			follow_carrier(es, e, has_carrier(&links, e));
		else if (clock_monotonic_ns() < end_ns)
			attach_match(es, e, has_carrier(&links, e));
		else
			es->is_unfinished = true;
	}
}
