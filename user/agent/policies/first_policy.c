/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/first_policy.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "util/diag.h"
#include "util/log.h"

#define EVERYTHING "zones: [{name: everything, cidrs: [0.0.0.0/0, '::/0']}]"
#define STANCE(name, spec)                                                                         \
	"apiVersion: bulkhead.dev/v1\n"                                                            \
	"kind: ZonePolicy\n"                                                                       \
	"metadata: {name: fallback-" name "}\n"                                                    \
	"spec: {" spec EVERYTHING "}\n"

static const char closed_text[] = STANCE(FALLBACK_CLOSED, "");
static const char open_text[] = STANCE(FALLBACK_OPEN, "mode: audit, ");

/* Why not, in a line of @reason. */
static int prepare_or_tell(struct policy_set *set, const struct policy_input *input,
			   enum policy_origin origin, struct text *reason,
			   struct policy_version **ret)
{
	_text_ struct text diagnostics = TEXT_INIT;
	int err = policy_set_prepare(set, input, &diagnostics, ret);
	const char *why = diags_first_error(diagnostics.buf);

	fputs(diagnostics.buf, stderr);
	text_addn(reason, why, strcspn(why, "\n"));
	if (err)
		return -EINVAL;
	(*ret)->loaded->origin = origin;
	(*ret)->loaded->is_kept = origin != POLICY_GIVEN;
	return 0;
}

static int prepare(struct policy_set *set, const struct policy_input *input,
		   enum policy_origin origin, struct policy_version **ret)
{
	_text_ struct text reason = TEXT_INIT;

	return prepare_or_tell(set, input, origin, &reason, ret);
}

static int prepare_stance(struct policy_set *set, bool is_open, struct policy_version **ret)
{
	const char *text = is_open ? open_text : closed_text;
	struct source source = source_of(is_open ? "fallback: " FALLBACK_OPEN
						 : "fallback: " FALLBACK_CLOSED,
					 text, strlen(text));
	const struct policy_input input = {.sources = &source, .source_count = 1};

	return prepare(set, &input, is_open ? POLICY_OPEN : POLICY_FALLBACK, ret);
}

static int prepare_fallback(struct policy_set *set, const char *fallback,
			    struct policy_version **ret)
{
	const struct policy_input file = {.paths = &fallback, .path_count = 1};

	if (!fallback)
		fallback = FALLBACK_CLOSED;
	log_error("msg=\"no policy to enforce: the fallback is in force\" fallback=\"%s\"",
		  fallback);
	if (!strcmp(fallback, FALLBACK_OPEN))
		return prepare_stance(set, true, ret);
	if (!strcmp(fallback, FALLBACK_CLOSED))
		return prepare_stance(set, false, ret);
	if (!prepare(set, &file, POLICY_FALLBACK, ret))
		return 0;
	log_error("msg=\"the fallback does not load either: closed\" fallback=\"%s\"", fallback);
	return prepare_stance(set, false, ret);
}

/* They are no document. */
static void drop_pods(source_list *texts)
{
	for (size_t i = texts->count; i > 0; i--) {
		if (strcmp(texts->items[i - 1].name, PODS_SOURCE) != 0)
			continue;
		source_release(&texts->items[i - 1]);
		vec_remove(texts, i - 1);
	}
}

/* @reason: why it is asked for. */
static int prepare_last_good(struct policy_set *set, const struct last_good *lg,
			     const struct text *reason, struct policy_version **ret)
{
	_source_list_ source_list texts = {};
	_text_ struct text why = TEXT_INIT;
	struct policy_input input = {};
	int err = last_good_read(lg, &why, &texts);

	if (err == -ENOENT)
		return err;
	drop_pods(&texts);
	if (!err) {
		input.sources = texts.items;
		input.source_count = texts.count;
		texts.count = 0; /* their contents are taken over */
		err = prepare(set, &input, POLICY_LAST_GOOD, ret);
		if (err)
			text_add(&why, "it does not compile");
	}
	if (err)
		log_error("msg=\"last good policy refused\" file=\"%s/%s\" error=\"%s\"",
			  lg->directory, LAST_GOOD_FILE, why.buf);
	else
		log_warning("msg=\"policy not loaded: the last good one is in force\" hash=%s "
			    "error=\"%s\"",
			    (*ret)->loaded->hash, reason->buf);
	return err;
}

int first_policy_prepare(struct policy_set *set, const struct first_policy_input *input,
			 struct text *reterr, struct policy_version **ret)
{
	_text_ struct text reason = TEXT_INIT;
	int err = -ENOENT;

	if (input->is_cluster)
		text_add(&reason, "the cluster has not been listed yet");
	else
		err = prepare_or_tell(set, &input->given, POLICY_GIVEN, &reason, ret);
	if (!err)
		return 0;
	err = prepare_last_good(set, input->last_good, &reason, ret);
	if (!err)
		return 0;
	if (err == -ENOENT && !input->fallback && !input->is_cluster) {
		text_add(reterr, "the policy is not valid");
		return -EINVAL;
	}
	if (input->is_in_force && !input->is_cluster) {
		text_add(reterr, "the policy is not valid; the one in force stays");
		return -EINVAL;
	}
	return prepare_fallback(set, input->fallback, ret);
}
