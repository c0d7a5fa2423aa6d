/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/reference.h"

#include "util/mem.h"

int reference_longest(const placed_prefixes *prefixes, const struct bh_addr *a)
{
	int len = -1;

	vec_foreach (placed, prefixes) {
		const struct prefix *p = &placed->prefix;

		if (prefix_is_v4(p) == addr_is_v4(a) && prefix_has(p, a) && p->len > len)
			len = p->len;
	}
	return len;
}

/* Of all zone and workload prefixes the longest decides. */
static void resolve(const struct policy *p, struct reference_end *end)
{
	int zone_len = -1, workload_len = -1;

	for (size_t i = 0; i < p->zones.count; i++) {
		int len = reference_longest(&p->zones.items[i].prefixes, &end->addr);

		if (len > zone_len) {
			zone_len = len;
			end->zone = i;
		}
	}
	for (size_t i = 0; i < p->workloads.count; i++) {
		int len = reference_longest(&p->workloads.items[i].prefixes, &end->addr);

		if (len > workload_len && len > zone_len) {
			workload_len = len;
			end->workload = i;
		}
	}
}

/* Until here end->zone is that of the address; whose address it is may say another. */
static void join(const struct policy *p, struct reference_end *end)
{
	const struct workload *w;
	size_t own = POLICY_NONE;

	if (end->workload == POLICY_NONE)
		return;
	w = &p->workloads.items[end->workload];
	switch (w->kind) {
	case WORKLOAD_NODE:
		return;
	case WORKLOAD_GROUP:
		end->group = end->workload;
		own = w->zone;
		break;
	case WORKLOAD_POD:
		end->group = w->group;
		own = w->group != POLICY_NONE ? p->workloads.items[w->group].zone : POLICY_NONE;
		if (own == POLICY_NONE)
			own = w->zone;
		break;
	}
	if (own != POLICY_NONE)
		end->zone = own;
}

static enum mode mode_of(const struct policy *p, const struct reference_end *end)
{
	const struct workload *w = end->workload != POLICY_NONE ? &p->workloads.items[end->workload]
								: NULL;
	bool is_node = w && w->kind == WORKLOAD_NODE, is_pod = w && w->kind == WORKLOAD_POD;

	if (w && !is_node && w->mode != MODE_UNSET)
		return w->mode;
	if (end->group != POLICY_NONE && p->workloads.items[end->group].mode != MODE_UNSET)
		return p->workloads.items[end->group].mode;
	if (end->zone != POLICY_NONE)
		return p->zones.items[end->zone].mode;
	if (!w || is_node)
		return MODE_UNSET;
	if (is_pod && p->namespaces.items[w->space].mode != MODE_UNSET)
		return p->namespaces.items[w->space].mode;
	if (w->document_mode != MODE_UNSET)
		return w->document_mode;
	if (end->group != POLICY_NONE && p->workloads.items[end->group].document_mode != MODE_UNSET)
		return p->workloads.items[end->group].document_mode;
	return MODE_ENFORCE;
}

static unsigned int isolated(const struct policy *p, const struct reference_end *end)
{
	if (end->zone != POLICY_NONE || end->group != POLICY_NONE)
		return SIDE_BOTH;
	if (end->workload == POLICY_NONE)
		return 0;
	return p->workloads.items[end->workload].isolated;
}

static bool is_host(const struct reference *r, const struct bh_addr *a)
{
	for (size_t i = 0; i < r->host_count; i++) {
		if (!addr_cmp(&r->hosts[i], a))
			return true;
	}
	return false;
}

void reference_end_make(const struct reference *r, const struct bh_addr *a,
			struct reference_end *ret)
{
	const struct policy *p = r->policy;
	size_t n = p->rules.count;

	*ret = (struct reference_end){
		.addr = *a,
		.workload = POLICY_NONE,
		.group = POLICY_NONE,
		.zone = POLICY_NONE,
		.is_host = is_host(r, a),
		.is_from = xcalloc(n + 1, sizeof(bool)),
		.is_to = xcalloc(n + 1, sizeof(bool)),
	};
	resolve(p, ret);
	join(p, ret);
	ret->mode = mode_of(p, ret);
	ret->isolated = isolated(p, ret);
	for (size_t i = 0; i < n; i++) {
		ret->is_from[i] = reference_selects(p, p->rules.items[i].from, ret);
		ret->is_to[i] = reference_selects(p, p->rules.items[i].to, ret);
	}
}

void reference_end_release(struct reference_end *end)
{
	free(end->is_from);
	free(end->is_to);
}
