/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/last_good.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "agent/policies/durable.h"
#include "agent/work.h"
#include "util/clock.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/mem.h"

#define CLUSTER_KEPT_NS 10000000000 /* between two, where objects come and go all the time */
#define PODS_KEPT_NS    60000000000 /* the same, if only pods did */

/* Of a large cluster it is many megabytes. */
bool last_good_is_due(const struct last_good *lg, const struct loaded_policy *loaded,
		      bool is_cluster)
{
	uint64_t since_ns = clock_monotonic_ns() - lg->kept_ns;

	if (lg->job || (loaded->is_kept && !lg->is_behind))
		return false;
	if (!is_cluster || !lg->kept_ns)
		return true;
	return since_ns >= (loaded->is_kept ? PODS_KEPT_NS : CLUSTER_KEPT_NS);
}

static void write_pods(const void *user, const struct sink *out)
{
	kube_pods_write(user, out);
}

static void put(void *user, const char *bytes, size_t len)
{
	durable_put(user, bytes, len);
}

static int write_file(const char *directory, const struct loaded_policy *loaded,
		      const struct kube_table *pods)
{
	const struct made_source first = {PODS_SOURCE, write_pods, pods};
	char sum[LAST_GOOD_SUM_LEN + 1];
	struct durable_file f;
	source_view texts = {};

	durable_begin(directory, LAST_GOOD_FILE, &f);
	loaded_policy_view(loaded, &texts);
	last_good_format(&texts, pods ? &first : NULL, &(struct sink){put, &f}, sum);
	durable_put_at(&f, LAST_GOOD_SUM_AT, sum, LAST_GOOD_SUM_LEN);
	vec_release(&texts);
	return durable_end(&f);
}

/*
 * Texts are read again only to tell of an error, and to be written.  Not in the file that was
 * written just now: who put another one in its place by copying would change them, or end us.
 */
static void leave_texts(const struct last_good *lg, struct loaded_policy *loaded)
{
	_close_ int fd = durable_nameless(lg->directory);

	for (size_t i = 0; i < loaded->own_sources; i++) {
		struct source *source = loaded->policy->sources.items[i];

		if (fd >= 0 && !is_pod_source(source))
			source_leave(source, fd);
		source_rest(source);
	}
}

static void take_result(struct last_good *lg, struct loaded_policy *loaded, int err)
{
	loaded->is_kept = !err;
	if (!err)
		leave_texts(lg, loaded);
	lg->is_behind |= err;
	if (err && !lg->is_failing)
		log_error("msg=\"policy not kept for the next start\" file=\"%s/%s\" error=\"%s\"",
			  lg->directory, LAST_GOOD_FILE, strerror(-err));
	if (!err && lg->is_failing)
		log_info("msg=\"policy kept for the next start again\" file=\"%s/%s\"",
			 lg->directory, LAST_GOOD_FILE);
	lg->is_failing = err;
}

static bool is_to_be_kept(struct last_good *lg, const struct loaded_policy *loaded)
{
	if (loaded->is_kept && !lg->is_behind)
		return false;
	lg->is_behind = false;
	lg->kept_ns = clock_monotonic_ns();
	return true;
}

void last_good_keep(struct last_good *lg, struct loaded_policy *loaded,
		    const struct kube_table *pods)
{
	int err;

	last_good_finish(lg);
	if (!is_to_be_kept(lg, loaded))
		return;
	err = write_file(lg->directory, loaded, pods);
	take_result(lg, loaded, err);
}

/* --- in a thread of its own, which reads nothing that changes meanwhile --- */

struct last_good_job {
	struct last_good *keeper;
	const char *directory;
	struct loaded_policy *loaded;
	struct kube_table pods;
	struct work *work;
	int err;
};

static void run_job(void *user)
{
	struct last_good_job *job = user;

	job->err = write_file(job->directory, job->loaded, &job->pods);
}

static void drop_job(struct last_good_job *job)
{
	kube_table_release(&job->pods);
	loaded_policy_drop(job->loaded);
	free(job);
}

void last_good_finish(struct last_good *lg)
{
	struct last_good_job *job = TAKE_PTR(lg->job);

	if (!job)
		return;
	work_free(job->work);
	take_result(lg, job->loaded, job->err);
	drop_job(job);
}

static void on_over(void *user)
{
	struct last_good_job *job = user;

	last_good_finish(job->keeper);
}

void last_good_begin(struct last_good *lg, struct loop *loop, struct loaded_policy *loaded,
		     const struct kube_table *pods)
{
	struct last_good_job *job;
	int err;

	if (lg->job || !is_to_be_kept(lg, loaded))
		return;
	job = xcalloc(1, sizeof(*job));
	job->keeper = lg;
	job->directory = lg->directory;
	job->loaded = loaded_policy_use(loaded);
	kube_table_copy(pods, &job->pods);
	err = work_begin(loop, &(struct work_plan){run_job, on_over, job}, &job->work);
	if (!err) {
		lg->job = job;
		return;
	}
	take_result(lg, loaded, err);
	drop_job(job);
}

/* --- what was written --- */

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
