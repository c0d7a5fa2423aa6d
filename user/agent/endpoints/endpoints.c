/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/endpoints.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "agent/endpoints/endpoint_patterns.h"
#include "agent/endpoints/peer.h"
#include "agent/kubernetes/pod_endpoints.h"
#include "util/log.h"
#include "util/mem.h"

/* Of a cluster, a pod in the policy is many that are alike. */
static const struct workload *find_workload(const struct endpoints *es, const char *name)
{
	vec_foreach (workload, &es->policy->workloads) {
		if (es->cluster && workload->kind == WORKLOAD_POD)
			continue;
		if (!strcmp(workload->name, name))
			return workload;
	}
	return NULL;
}

/* Where everything passes, so does what a workload sends that nobody knows. */
static void workload_prefixes(const struct endpoints *es, const char *name, prefixes *out)
{
	const struct workload *workload = find_workload(es, name);

	if (pod_endpoint_addresses(es, name, out))
		return;
	if (!workload) {
		if (es->origin == POLICY_OPEN)
			vec_push(out, (struct prefix){});
		return;
	}
	vec_foreach (placed, &workload->prefixes)
		vec_push(out, placed->prefix);
}

/* "10.0.0.10,fd00::10"; false if it isn't a list of addresses and prefixes. */
static bool parse_prefixes(const char *s, prefixes *out)
{
	while (*s) {
		size_t len = strcspn(s, ",");
		_text_ struct text item = TEXT_INIT;
		struct prefix prefix;

		text_addn(&item, s, len);
		if (prefix_parse(item.buf, &prefix, NULL)) {
			vec_release(out);
			return false;
		}
		vec_push(out, prefix);
		s += len + (s[len] == ',');
	}
	return out->count;
}

static void release_prefixes(prefixes *list)
{
	vec_release(list);
}

bool endpoint_prefixes_equal(const prefixes *a, const prefixes *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (prefix_cmp(&a->items[i], &b->items[i]))
			return false;
	}
	return true;
}

static const struct endpoint *by_interface(const struct endpoints *es, const char *interface)
{
	vec_foreach (e, &es->list) {
		if (!strcmp(e->interface, interface))
			return e;
	}
	return NULL;
}

void endpoint_take_workload(const struct endpoints *es, struct endpoint *e, const char *workload)
{
	if (!strcmp(workload, AGENT_ATTACH_UNKNOWN) || parse_prefixes(workload, &e->sources))
		return;
	e->workload = workload;
	workload_prefixes(es, workload, &e->sources);
}

/* What stands in for the policy that was given may be older than our options. */
static int check_workload(const struct endpoints *es, const char *workload, const char *interface,
			  struct text *reterr)
{
	_cleanup_(release_prefixes)
	prefixes list = {};

	if (!workload || !strcmp(workload, AGENT_ATTACH_UNKNOWN) ||
	    parse_prefixes(workload, &list) || find_workload(es, workload))
		return 0;
	if (es->origin != POLICY_GIVEN) {
		log_warning("msg=\"no such workload in the policy\" workload=%s interface=%s",
			    workload, interface);
		return 0;
	}
	text_addf(reterr, "no workload '%s' in the policy, for interface '%s'", workload,
		  interface);
	return -EINVAL;
}

static int add_endpoint(struct endpoints *es, const struct agent_attach *attach, uint16_t id,
			struct text *reterr)
{
	struct endpoint e = {
		.interface = attach->interface,
		.kind = BH_ENDPOINT_IS_HOST,
		.trouble.what = TEXT_INIT,
		.refusal = TEXT_INIT,
	};

	if (by_interface(es, attach->interface)) {
		text_addf(reterr, "interface '%s' is given twice", attach->interface);
		return -EINVAL;
	}
	e.ifindex = if_nametoindex(attach->interface);
	if (!e.ifindex) {
		text_addf(reterr, "no interface '%s'", attach->interface);
		return -ENODEV;
	}
	if (attach->workload) {
		e.kind = BH_ENDPOINT_WORKLOAD;
		e.id = id;
		endpoint_take_workload(es, &e, attach->workload);
	}
	vec_push(&es->list, e);
	return 0;
}

int endpoints_init(struct endpoints *es, struct datapath *dp, const struct agent_config *config,
		   const struct policy *policy, struct text *reterr)
{
	es->dp = dp;
	es->config = config;
	es->policy = policy;
	if (config->attach_count >= BH_ENDPOINT_ENTRIES) {
		text_addf(reterr, "too many interfaces; there may be %d", BH_ENDPOINT_ENTRIES - 1);
		return -E2BIG;
	}
	for (size_t i = 0; i < config->attach_count; i++) {
		const struct agent_attach *attach = &config->attach[i];
		uint16_t id = (uint16_t)(BH_ENDPOINT_HOST + 1 + i);
		int err = check_workload(es, attach->workload, attach->interface, reterr);

		if (!err && !is_interface_pattern(attach->interface))
			err = add_endpoint(es, attach, id, reterr);
		if (err)
			return err;
	}
	es->is_settled = !config->kubernetes;
	pod_endpoints_follow(es);
	endpoint_patterns_find(es);
	return 0;
}

static void endpoint_release(struct endpoint *e)
{
	vec_release(&e->sources);
	free(e->pod);
	text_release(&e->trouble.what);
	text_release(&e->refusal);
}

void endpoints_release(struct endpoints *es)
{
	vec_foreach (e, &es->list)
		endpoint_release(e);
	vec_release(&es->list);
}

/* A veth's other end has one by its MAC; of other interfaces nobody knows what is behind them. */
static int attach_workload(struct endpoints *es, struct endpoint *e, struct text *reterr)
{
	struct workload_endpoint w = {
		.ifindex = e->ifindex,
		.id = e->id,
		.sources = e->sources.items,
		.source_count = e->sources.count,
	};
	struct bh_addr own;

	if (!peer_link_local(e->ifindex, &own))
		w.link_local = &own;
	else
		log_warning("msg=\"link-local address not known: any may be claimed\" "
			    "interface=%s",
			    e->interface);
	return datapath_attach_workload(es->dp, &w, reterr, &e->attachment);
}

int endpoints_attach_again(struct endpoints *es, struct endpoint *e, struct text *reterr)
{
	if (e->kind == BH_ENDPOINT_IS_HOST)
		return datapath_attach_host(es->dp, e->ifindex, reterr, &e->attachment);
	return attach_workload(es, e, reterr);
}

static void log_attached(const struct endpoint *e)
{
	log_info("msg=attached interface=%s ifindex=%u endpoint=%u ingress=%s egress=%s",
		 endpoint_label(e), e->ifindex, e->id, attach_method_word(e->attachment.ingress),
		 attach_method_word(e->attachment.egress));
}

static int detach_others(struct endpoints *es, struct text *reterr)
{
	_free_ uint32_t *wanted = xcalloc(es->list.count, sizeof(*wanted));
	int err;

	for (size_t i = 0; i < es->list.count; i++) {
		const struct endpoint *e = &es->list.items[i];

		wanted[i] = e->is_match ? e->seen : e->ifindex;
	}
	err = datapath_detach_others(es->dp, wanted, es->list.count);
	if (err)
		text_addf(reterr, "cannot detach what an earlier start attached: %s",
			  strerror(-err));
	return err;
}

void endpoints_settle(struct endpoints *es)
{
	_text_ struct text why = TEXT_INIT;

	if (es->is_settled)
		return;
	es->is_settled = true;
	if (detach_others(es, &why))
		log_error("msg=\"%s\"", why.buf);
}

int endpoints_attach(struct endpoints *es, struct text *reterr)
{
	int detached = es->is_settled ? detach_others(es, reterr) : 0;

	if (detached)
		return detached;
	vec_foreach (e, &es->list) {
		_text_ struct text why = TEXT_INIT;
		int err;

		if (e->is_match)
			continue;
		err = endpoints_attach_again(es, e, &why);
		if (err) {
			text_addf(reterr, "cannot attach to interface '%s': %s", e->interface,
				  why.len ? why.buf : strerror(-err));
			return err;
		}
		log_attached(e);
	}
	do {
		endpoint_patterns_scan(es);
		datapath_beat(es->dp);
	} while (es->is_unfinished);
	return 0;
}

bool endpoints_try_attach(struct endpoints *es, struct endpoint *e)
{
	_text_ struct text why = TEXT_INIT;
	int err = endpoints_attach_again(es, e, &why);

	if (err && !e->refusal.len) {
		text_add(&e->refusal, why.len ? why.buf : strerror(-err));
		log_error("msg=\"not attached\" interface=%s error=\"%s\"", endpoint_label(e),
			  e->refusal.buf);
	}
	if (!err) {
		text_reset(&e->refusal);
		log_attached(e);
	}
	return !err;
}

void endpoints_follow(struct endpoints *es, const struct policy *policy)
{
	es->policy = policy;
	vec_foreach (e, &es->list) {
		prefixes now = {};

		if (!e->workload || e->pod)
			continue;
		workload_prefixes(es, e->workload, &now);
		if (endpoint_prefixes_equal(&now, &e->sources)) {
			vec_release(&now);
			continue;
		}
		if (!now.count)
			log_warning("msg=\"workload has no addresses\" workload=%s interface=%s",
				    e->workload, endpoint_label(e));
		vec_release(&e->sources);
		e->sources = now;
		if (e->ifindex && !endpoints_try_attach(es, e))
			e->ifindex = 0;
	}
	pod_endpoints_follow(es);
}

void endpoints_link_gone(struct endpoints *es, uint32_t ifindex)
{
	for (size_t i = es->list.count; i > 0; i--) {
		struct endpoint *e = &es->list.items[i - 1];

		if (e->ifindex != ifindex && e->seen != ifindex)
			continue;
		log_warning("msg=\"interface is gone\" interface=%s ifindex=%u",
			    e->is_match ? e->name : e->interface, ifindex);
		datapath_detach(es->dp, ifindex);
		e->ifindex = 0;
		e->name[0] = '\0';
		e->attachment = (struct attachment){};
		if (e->is_match) {
			endpoint_release(e);
			vec_remove(&es->list, i - 1);
		}
	}
}

const char *endpoint_label(const struct endpoint *e)
{
	return e->name[0] ? e->name : e->interface;
}

static void follow_name(struct endpoint *e)
{
	char now[IF_NAMESIZE] = "";

	if (!e->ifindex || !if_indextoname(e->ifindex, now) || !strcmp(now, e->name))
		return;
	if (strcmp(now, endpoint_label(e)) != 0)
		log_info("msg=\"interface is renamed\" interface=%s ifindex=%u now=%s",
			 endpoint_label(e), e->ifindex, now);
	memcpy(e->name, now, sizeof(e->name));
}

/* An interface that was renamed stays enforced: only another one of the name takes its place. */
void endpoints_scan(struct endpoints *es)
{
	vec_foreach (e, &es->list) {
		uint32_t before = e->ifindex;
		uint32_t now = e->is_match ? 0 : if_nametoindex(e->interface);

		follow_name(e);
		if (!now || now == before)
			continue;
		e->ifindex = now;
		e->name[0] = '\0';
		if (!endpoints_try_attach(es, e))
			e->ifindex = before;
	}
	endpoint_patterns_scan(es);
}

const struct endpoint *endpoints_by_ifindex(const struct endpoints *es, uint32_t ifindex)
{
	vec_foreach (e, &es->list) {
		if (e->ifindex == ifindex)
			return e;
	}
	return NULL;
}

const char *endpoints_name(const struct endpoints *es, uint16_t id)
{
	if (id == BH_ENDPOINT_HOST)
		return "host";
	vec_foreach (e, &es->list) {
		if (e->id == id)
			return e->workload ? e->workload : e->is_match ? e->name : e->interface;
	}
	return NULL;
}
