/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/machine.h"

#include <errno.h>
#include <string.h>

#include "agent/policies/pending.h"
#include "util/log.h"

#define SETTLE_MS 100 /* addresses come in groups; a policy is compiled once for a group */

/* A route may take in everything, and then most of it is others'. */
static struct local_prefix local_of(const struct own_address *own)
{
	struct local_prefix local = {
		.prefix = {.addr = own->addr, .len = own->len},
		.flags = own->is_broadcast ? BH_LOCAL_GROUP : 0,
	};

	if (!own->len || (addr_is_v4(&own->addr) && own->len == BH_V4_PREFIX_LEN))
		local.flags |= BH_LOCAL_ANYONE;
	return local;
}

void machine_set_local(struct agent *a)
{
	VEC(struct local_prefix) local = {};
	int err;

	vec_foreach (own, &a->addresses.list)
		vec_push(&local, local_of(own));
	err = datapath_set_local(a->dp, local.items, local.count);
	if (err)
		log_error("msg=\"own addresses not set\" count=%zu error=\"%s\"", local.count,
			  strerror(-err));
	vec_release(&local);
}

/* Whether the policy must be compiled again. */
static bool set_host(struct agent *a)
{
	VEC(struct bh_addr) host = {};
	bool is_changed;

	vec_foreach (own, &a->addresses.list) {
		bool is_same = host.count && !addr_cmp(&host.items[host.count - 1], &own->addr);

		if (own_address_is_host(own) && !is_same)
			vec_push(&host, own->addr);
	}
	is_changed = host.count != a->policies.host.count ||
		     (host.count && memcmp(host.items, a->policies.host.items,
					   host.count * sizeof(*host.items)) != 0);
	policy_set_host(&a->policies, host.items, host.count);
	vec_release(&host);
	return is_changed;
}

void machine_changed(void *agent)
{
	struct agent *a = agent;
	struct own_addresses now;
	int err = rtnl_addresses(&now);

	if (err) {
		log_error("msg=\"own addresses not read\" error=\"%s\"", strerror(-err));
		return;
	}
	if (own_addresses_equal(&a->addresses, &now)) {
		vec_release(&now.list);
		return;
	}
	vec_release(&a->addresses.list);
	a->addresses = now;
	machine_set_local(a);
	if (set_host(a))
		loop_timer_start(a->settle, SETTLE_MS, 0);
}

static void on_settled(void *user)
{
	struct agent *a = user;
	_text_ struct text why = TEXT_INIT;
	int err = policy_set_recompile(&a->policies, &why);

	if (err == -EBUSY) {
		pending_go_back(a, NULL,
				"this machine's addresses changed, and the policy must be "
				"compiled for them");
		err = policy_set_recompile(&a->policies, &why);
	}
	if (err)
		log_error("msg=\"policy not compiled for new own addresses\" error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
}

int machine_init(struct agent *a)
{
	int err = rtnl_addresses(&a->addresses);

	if (err)
		return err;
	set_host(a);
	a->settle = loop_timer_new(a->loop, on_settled, a);
	return 0;
}
