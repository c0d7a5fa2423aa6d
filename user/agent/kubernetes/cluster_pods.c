/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/cluster_pods.h"

#include "agent/kubernetes/pod_moves.h"

void cluster_pods_settle(struct agent *a)
{
	struct kube_pods *pods = &a->pods;

	if (pods->touched.count)
		a->last_good.is_behind = true;
	kube_pods_settle(pods);
	policy_set_follow(&a->policies);
	if (pods->is_here_touched)
		endpoints_follow(&a->endpoints, a->policies.current->loaded->policy);
	pods->is_here_touched = false;
}

bool cluster_pods_move(struct agent *a)
{
	struct kube_pods *pods = &a->pods;
	bool are_placed = true;

	vec_foreach (touched, &pods->touched)
		are_placed &= !pod_move(&a->policies, touched, kube_pods_owner(pods, touched));
	cluster_pods_settle(a);
	return are_placed;
}
