/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/detect/detect_quiet.h"

#include <string.h>

#define DENIED UINT64_MAX

void quiet_update(struct quiet *q, const struct policy *policy, uint64_t now_ns)
{
	struct map fresh = {};

	vec_foreach (w, &policy->workloads) {
		size_t len = strlen(w->name);
		const uint64_t *known = map_get(&q->since, w->name, len);

		if (fresh.count == QUIET_MAX)
			break;
		map_put(&fresh, w->name, len, known ? *known : now_ns, NULL);
	}
	map_release(&q->since);
	q->since = fresh;
}

uint64_t quiet_end(struct quiet *q, const char *workload, uint64_t now_ns)
{
	uint64_t *since = map_get(&q->since, workload, strlen(workload));
	uint64_t quiet_ns;

	if (!since || *since == DENIED)
		return 0;
	quiet_ns = now_ns > *since ? now_ns - *since : 0;
	*since = DENIED;
	return quiet_ns;
}

void quiet_release(struct quiet *q)
{
	map_release(&q->since);
}
