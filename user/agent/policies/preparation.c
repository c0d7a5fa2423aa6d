/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/preparation.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_texts.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "util/mem.h"

static void release_faults(policy_faults *faults)
{
	vec_foreach (fault, faults) {
		free(fault->source);
		free(fault->line);
		free(fault->message);
	}
	vec_release(faults);
}

void preparation_release(struct preparation *p)
{
	source_list_release(&p->texts);
	source_list_release(&p->temporaries);
	vec_release(&p->host);
	policy_version_free(p->version);
	text_release(&p->diagnostics);
	release_faults(&p->faults);
}

/* --- what is wrong --- */

static void diags_to_text(const struct diags *diags, struct text *out)
{
	_free_ char *buf = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&buf, &len);

	if (!stream)
		return;
	diags_print(diags, stream);
	fclose(stream);
	text_addn(out, buf, len);
}

static char *line_of(const struct span *at)
{
	const char *line = at->source->text;

	for (unsigned int i = 1; line && i < at->line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? xstrndup(line, strcspn(line, "\n")) : NULL;
}

static void tell_faults(const struct diags *diags, policy_faults *out)
{
	bool is_told = false; /* the error that notes are of */

	vec_foreach (diag, &diags->list) {
		const struct source *source = diag->at.line ? diag->at.source : NULL;
		bool is_note = diag->level == DIAG_NOTE;

		if (!is_note)
			is_told = diag->level == DIAG_ERROR && source;
		if (!is_told)
			continue;
		vec_push(out,
			 (struct policy_fault){source ? xstrdup(source->name) : NULL,
					       source ? line_of(&diag->at) : NULL, diag->at.column,
					       xstrdup(diag->message), is_note});
	}
}

/* --- reading --- */

/* It may be read again without temporary rules. */
static void add_copies(const source_list *from, source_list *out)
{
	vec_foreach (source, from)
		vec_push(out, source_of(source->name, source->text, source->len));
}

/* Of a cluster, what is known now takes the place of what was known when the input was made. */
static void add_texts(struct preparation *p, bool is_copied, source_list *out)
{
	source_list kept = {};

	vec_foreach (source, &p->texts) {
		if (p->is_listed ? is_kube_source(source) : is_pod_source(source))
			source_release(source);
		else
			vec_push(&kept, *source);
	}
	vec_release(&p->texts);
	if (is_copied) {
		add_copies(&kept, out);
		p->texts = kept;
	} else {
		vec_append(out, kept.items, kept.count);
		vec_release(&kept);
	}
	if (p->is_listed)
		kube_texts(p->objects, out);
}

struct grouping {
	const struct kube_table *objects;
	struct pod_groups *groups; /* that were made */
};

static void add_pods(void *user, struct source *const *texts, size_t count, source_list *out,
		     struct pod_addresses **ret)
{
	struct grouping *g = user;

	g->groups = pod_groups_new(g->objects, texts, count, out);
	*ret = pod_groups_addresses(g->groups);
}

static int read_texts(struct preparation *p, bool has_temporaries, struct diags *diags,
		      struct policy **ret, struct pod_groups **ret_groups)
{
	struct grouping grouping = {.objects = p->objects};
	const struct load_more more = {add_pods, &grouping,
				       has_temporaries ? p->temporaries.count : 0};
	struct load_input load = {
		.paths = p->paths,
		.path_count = p->is_of_texts ? 0 : p->path_count,
		.more = p->objects ? &more : NULL,
	};
	source_list texts = {};
	int err;

	add_texts(p, has_temporaries, &texts);
	if (has_temporaries)
		add_copies(&p->temporaries, &texts);
	load.sources = texts.items;
	load.source_count = texts.count;
	err = policy_load_input(&load, diags, ret);
	vec_release(&texts);
	if (grouping.groups)
		pod_groups_bind(grouping.groups, *ret);
	*ret_groups = grouping.groups;
	return err;
}

/* A policy given as texts goes by their names, if it isn't called anything else. */
static struct loaded_policy *name_policy(const struct preparation *p, struct policy *policy,
					 size_t temporary)
{
	struct loaded_policy *loaded;
	VEC(const char *) names = {};

	if (p->path_count)
		return loaded_policy_new(policy, temporary, p->paths, p->path_count);
	for (size_t i = 0; i + temporary < policy->sources.count; i++)
		vec_push(&names, policy->sources.items[i]->name);
	loaded = loaded_policy_new(policy, temporary, names.items, names.count);
	vec_release(&names);
	return loaded;
}

/* Diagnostics speak of @ret_policy's texts; what is read without errors is @ret's. */
static int read_policy(struct preparation *p, bool has_temporaries, struct diags *diags,
		       struct policy **ret_policy, struct loaded_policy **ret)
{
	struct pod_groups *groups = NULL;
	int err = read_texts(p, has_temporaries, diags, ret_policy, &groups);

	if (err) {
		pod_groups_free(groups);
		return err;
	}
	(*ret_policy)->is_audit = p->is_audit;
	*ret = name_policy(p, TAKE_PTR(*ret_policy), has_temporaries ? p->temporaries.count : 0);
	(*ret)->groups = groups;
	return 0;
}

/* --- compiling --- */

static int compile(struct preparation *p, struct loaded_policy *loaded, struct diags *diags)
{
	const struct environment env = {p->host.items, p->host.count, p->now};
	_compiled_ struct compiled *compiled = NULL;
	int err = policy_recompile(p->old, loaded->policy, &env, diags, &compiled);

	if (err)
		return err;
	p->version = policy_version_new(loaded, TAKE_PTR(compiled));
	vec_append(&p->version->host, p->host.items, p->host.count);
	return 0;
}

/*
 * An `expect` is a test for its author, offline: one that this machine's addresses turn wrong is no
 * reason to enforce nothing.
 */
static int check_promises(const struct preparation *p, struct diags *diags)
{
	if (p->is_released || !promise_check_never(p->version->compiled, diags))
		return 0;
	return -EINVAL;
}

static int pause_or_end(const struct preparation *p)
{
	return p->go_on && !p->go_on(p->user) ? -ECANCELED : 0;
}

static int make(struct preparation *p, bool has_temporaries, struct text *diagnostics)
{
	_loaded_policy_ struct loaded_policy *read = NULL;
	_policy_ struct policy *wrong = NULL;
	_diags_ struct diags diags = {};
	int err = p->loaded ? 0 : read_policy(p, has_temporaries, &diags, &wrong, &read);

	if (!err)
		err = pause_or_end(p);
	if (!err)
		err = compile(p, read ? read : p->loaded, &diags);
	if (!err)
		err = pause_or_end(p);
	if (!err)
		err = check_promises(p, &diags);
	if (!err)
		err = pause_or_end(p);
	diags_to_text(&diags, diagnostics);
	release_faults(&p->faults);
	tell_faults(&diags, &p->faults);
	if (err)
		policy_version_free(TAKE_PTR(p->version));
	return err;
}

void preparation_run(struct preparation *p)
{
	_text_ struct text with = TEXT_INIT;

	p->is_of_texts = p->texts.count > 0;
	if (p->temporaries.count)
		p->err = make(p, true, &with);
	if (p->temporaries.count && (!p->err || p->is_whole || p->err == -ECANCELED)) {
		text_add(&p->diagnostics, with.buf);
		return;
	}
	p->err = make(p, false, &p->diagnostics);
	if (!p->err && p->temporaries.count)
		text_addf(&p->diagnostics,
			  "%swarning: temporary rules don't fit this policy, and end "
			  "with it\n",
			  with.buf);
}
