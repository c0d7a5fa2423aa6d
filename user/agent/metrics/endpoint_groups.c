/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/endpoint_groups.h"

#include <string.h>

#include "agent/metrics/readiness.h"

static struct endpoint_group *find(endpoint_groups *groups, const char *interface,
				   enum bh_endpoint_kind kind)
{
	vec_foreach (group, groups) {
		if (!strcmp(group->interface, interface))
			return group;
	}
	if (groups->count >= ENDPOINT_GROUPS_MAX)
		return NULL;
	vec_push(groups, (struct endpoint_group){.interface = interface, .kind = kind});
	return &groups->items[groups->count - 1];
}

static void count(struct endpoint_group *group, const struct endpoint *e)
{
	group->degraded += watchdog_trouble(e) != NULL;
	if (endpoint_is_missing(e)) {
		group->missing++;
		return;
	}
	group->attached++;
	group->methods[BH_INGRESS][e->attachment.ingress]++;
	group->methods[BH_EGRESS][e->attachment.egress]++;
}

void endpoint_groups_find(const struct endpoints *es, endpoint_groups *ret)
{
	/* A pattern is told also while nothing matches it. */
	for (size_t i = 0; i < es->config->attach_count; i++) {
		const struct agent_attach *attach = &es->config->attach[i];

		find(ret, attach->interface,
		     attach->workload ? BH_ENDPOINT_WORKLOAD : BH_ENDPOINT_IS_HOST);
	}
	vec_foreach (e, &es->list) {
		struct endpoint_group *group = find(ret, e->interface, e->kind);

		if (group)
			count(group, e);
	}
}
