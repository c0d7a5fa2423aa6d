/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/last_good.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "agent/policies/durable.h"
#include "util/clock.h"
#include "util/log.h"

#define CLUSTER_KEPT_NS 10000000000 /* between two, where objects come and go all the time */
#define PODS_KEPT_NS    60000000000 /* the same, if only pods did */

/* Of a large cluster it is many megabytes. */
bool last_good_is_due(const struct last_good *lg, const struct loaded_policy *loaded,
		      bool is_cluster)
{
	uint64_t since_ns = clock_monotonic_ns() - lg->kept_ns;

	if (loaded->is_kept && !lg->is_behind)
		return false;
	if (!is_cluster || !lg->kept_ns)
		return true;
	return since_ns >= (loaded->is_kept ? PODS_KEPT_NS : CLUSTER_KEPT_NS);
}

static void write_pods(const void *user, struct text *out)
{
	kube_pods_write(user, out);
}

void last_good_keep(struct last_good *lg, struct loaded_policy *loaded,
		    const struct kube_table *pods)
{
	_text_ struct text content = TEXT_INIT;
	source_view texts = {};
	const struct made_source first = {PODS_SOURCE, write_pods, pods};
	int err;

	if (loaded->is_kept && !lg->is_behind)
		return;
	loaded_policy_view(loaded, &texts);
	last_good_format(&texts, pods ? &first : NULL, &content);
	vec_release(&texts);
	err = durable_write(lg->directory, LAST_GOOD_FILE, &content);
	loaded->is_kept = !err;
	lg->is_behind = err;
	lg->kept_ns = clock_monotonic_ns();
	if (err && !lg->is_failing)
		log_error("msg=\"policy not kept for the next start\" file=\"%s/%s\" error=\"%s\"",
			  lg->directory, LAST_GOOD_FILE, strerror(-err));
	if (!err && lg->is_failing)
		log_info("msg=\"policy kept for the next start again\" file=\"%s/%s\"",
			 lg->directory, LAST_GOOD_FILE);
	lg->is_failing = err;
}

static int say_unreadable(int err, struct text *reterr)
{
	if (err == -EPERM)
		text_add(reterr, "it is not a file that only the agent's user may write");
	else
		text_addf(reterr, "it cannot be read: %s", strerror(-err));
	return err;
}

int last_good_read(const struct last_good *lg, struct text *reterr, source_list *ret)
{
	_text_ struct text content = TEXT_INIT;
	int err = durable_read(lg->directory, LAST_GOOD_FILE, &content);

	if (err)
		return err == -ENOENT ? err : say_unreadable(err, reterr);
	return last_good_parse(&content, reterr, ret);
}
