/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/policy_job.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "agent/kubernetes/kube_json.h"
#include "agent/policies/policy_set.h"
#include "agent/work.h"
#include "util/log.h"
#include "util/mem.h"

struct policy_job {
	struct policy_set *set;
	struct policy_job_plan plan; /* its input has been taken over */
	const struct policy_version *basis;
	struct compiled old; /* the basis, as it was */
	struct preparation preparation;
	struct work *work;
	atomic_bool is_stopped;
};

static bool is_wanted(void *user)
{
	struct policy_job *job = user;

	return !job->is_stopped;
}

static void run(void *user)
{
	struct policy_job *job = user;

	preparation_run(&job->preparation);
	kube_json_leave();
}

static void cancel(struct preparation *p)
{
	policy_version_free(TAKE_PTR(p->version));
	p->err = -ECANCELED;
}

/* What the thread can't know: another policy has come into force, or who `host` is. */
static bool is_outdated(const struct policy_job *job)
{
	struct policy_version *v = job->preparation.version;

	return job->is_stopped || job->set->current != job->basis ||
	       (v && policy_set_move_host(job->set, v));
}

static void on_over(void *user)
{
	struct policy_job *job = user;

	work_free(TAKE_PTR(job->work));
	job->set->job = NULL;
	if (is_outdated(job))
		cancel(&job->preparation);
	job->plan.over(job->plan.user, &job->preparation);
	policy_job_free(job);
}

void policy_job_begin(struct policy_set *set, const struct policy_job_plan *plan)
{
	struct policy_job *job = xcalloc(1, sizeof(*job));
	int err;

	job->set = set;
	job->plan = *plan;
	job->basis = set->current;
	job->preparation = (struct preparation)PREPARATION_INIT;
	policy_set_describe(set, plan->input, &job->preparation);
	compiled_freeze(set->current->compiled, &job->old);
	job->preparation.old = &job->old;
	job->preparation.objects = plan->objects;
	job->preparation.go_on = is_wanted;
	job->preparation.user = job;
	set->job = job;
	err = work_begin(plan->loop, &(struct work_plan){run, on_over, job}, &job->work);
	if (!err)
		return;
	log_warning("msg=\"no thread to compile in: addresses wait for it\" error=\"%s\"",
		    strerror(-err));
	run(job);
	on_over(job);
}

void policy_job_stop(struct policy_job *job)
{
	if (!job)
		return;
	job->is_stopped = true;
	work_wait(job->work);
	cancel(&job->preparation);
}

void policy_job_free(struct policy_job *job)
{
	if (!job)
		return;
	job->is_stopped = true;
	work_free(job->work);
	preparation_release(&job->preparation);
	compiled_thaw(&job->old);
	free(job);
}
