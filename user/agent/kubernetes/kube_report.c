/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_report.h"

#include <string.h>

#include "agent/kubernetes/kube_drops.h"
#include "agent/kubernetes/kube_events.h"
#include "agent/kubernetes/kube_retry.h"
#include "agent/kubernetes/kube_status.h"
#include "agent/kubernetes/kube_writer.h"
#include "util/clock.h"
#include "util/diag.h"
#include "util/mem.h"

#define APPLY     "application/apply-patch+yaml"
#define MERGE     "application/merge-patch+json"
#define JSON_TYPE "application/json"

#define NS_PER_MS   1000000ull
#define LEAST_MS    1000 /* between two rounds */
#define SETTLE_MS   100  /* what is put right at once is not told */
#define OF_NODE_MS  10   /* by which a change is spread, for each node */
#define SPREAD_MS   60000
#define AGAIN_MS    600000 /* until all is written again, and too much taken away */
#define DROPS_MS    5000
#define CLEANED_MAX 20

struct kube_report {
	struct kube *kube;
	const struct kube_config *config;
	struct kube_writer writer;
	struct kube_faults faults;
	struct kube_status status;
	struct kube_drops drops;
	struct kube_retry refusals;
	struct loop_timer *soon, *again, *retry, *tick;
	bool is_soon;
	bool is_retrying;  /* a round is due, as something was refused */
	uint64_t round_ns; /* the last one; CLOCK_MONOTONIC */
};

static const struct kube_table *table(const struct kube_report *r, enum kube_kind kind)
{
	return &kube_tables(r->kube)[kind];
}

/* --- who speaks --- */

static size_t rank_of(const struct kube_table *nodes, const char *node)
{
	size_t rank = 0;

	vec_foreach (entry, &nodes->entries)
		rank += strcmp((*entry)->object.key, node) < 0;
	return rank;
}

bool kube_report_is_speaker(const struct kube_table *nodes, const char *node)
{
	return nodes->entries.count <= KUBE_REPORT_ALL || rank_of(nodes, node) < KUBE_REPORT_SOME;
}

static bool has_line(const char *lines, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = lines; at && *at; at = strchr(at, '\n') + 1) {
		if (!strncmp(at, line, len) && at[len] == '\n')
			return true;
	}
	return false;
}

/* --- status --- */

/* Whoever may not write now may be allowed to at any moment; nobody tells. */
static void retry_later(struct kube_report *r)
{
	uint64_t ms;

	if (r->is_retrying)
		return;
	r->is_retrying = true;
	ms = kube_retry_wait(&r->refusals, clock_monotonic_ns());
	loop_timer_start(r->retry, kube_about(ms), 0);
}

static void on_status_written(void *user, const char *key, enum kube_outcome outcome, long status)
{
	struct kube_report *r = user;
	struct kube_state *state = kube_status_find(&r->status, key);

	(void)status;
	if (outcome == KUBE_DONE)
		return;
	if (state)
		free(TAKE_PTR(state->sent)); /* it is written with the next round */
	retry_later(r);
}

static bool put_status(struct kube_report *r, const char *key, const char *node, const char *body)
{
	bool is_own = !strcmp(node, r->config->node);
	_text_ struct text path = TEXT_INIT;

	kube_status_path(key, node, &path);
	return kube_writer_put(&r->writer, &(struct kube_write){
						   .key = is_own ? key : NULL,
						   .message = {"PATCH", path.buf, APPLY, body},
						   .fn = is_own ? on_status_written : NULL,
						   .user = r,
					   });
}

static void write_status(struct kube_report *r)
{
	vec_foreach (state, &r->status.states) {
		if (state->sent && !strcmp(state->sent, state->text))
			continue;
		free(TAKE_PTR(state->sent));
		if (put_status(r, state->key, r->config->node, state->text))
			state->sent = xstrdup(state->text);
	}
}

static void withdraw(struct kube_report *r, const char *key, const char *node)
{
	_text_ struct text body = TEXT_INIT;

	kube_status_empty(key, &body);
	(void)put_status(r, key, node, body.buf);
}

/* Nodes that are gone can't withdraw what they said; the first one does that for them. */
static void withdraw_gone(struct kube_report *r, const struct kube_entry *policy)
{
	const char *at = policy->object.identity.reporters;
	size_t cleaned = 0;

	while (at && *at && cleaned < CLEANED_MAX) {
		_text_ struct text node = TEXT_INIT;
		size_t len = strcspn(at, "\n");

		text_addn(&node, at, len);
		at += len + 1;
		if (kube_table_get(table(r, KUBE_NODE), node.buf))
			continue;
		withdraw(r, policy->object.key, node.buf);
		cleaned++;
	}
}

static void check_status(struct kube_report *r, bool is_speaker)
{
	bool is_first = rank_of(table(r, KUBE_NODE), r->config->node) == 0;

	vec_foreach (entry, &table(r, KUBE_ZONE_POLICY)->entries) {
		const struct kube_object *o = &(*entry)->object;
		struct kube_state *state = kube_status_find(&r->status, o->key);
		bool is_said = has_line(o->identity.reporters, r->config->node);

		/* Somebody else may have written over it; if not, the server writes nothing. */
		if (state)
			free(TAKE_PTR(state->sent));
		if (!is_speaker && is_said)
			withdraw(r, o->key, r->config->node);
		if (is_first)
			withdraw_gone(r, *entry);
	}
}

/* --- Events --- */

/* Those that are there already say so, and nothing else comes of it. */
static void on_event_written(void *user, const char *key, enum kube_outcome outcome, long status)
{
	struct kube_report *r = user;

	(void)key;
	(void)status;
	if (outcome == KUBE_DONE || outcome == KUBE_EXISTS)
		return;
	vec_foreach (faulty, &r->faults.objects)
		faulty->is_told = false;
	retry_later(r);
}

static bool put_event(struct kube_report *r, const struct kube_notice *notice, kube_written_fn *fn)
{
	_text_ struct text path = TEXT_INIT, body = TEXT_INIT;

	kube_events_path(notice, &path);
	kube_event_add(notice, &body);
	return kube_writer_put(&r->writer,
			       &(struct kube_write){
				       .message = {"POST", path.buf, JSON_TYPE, body.buf},
				       .fn = fn,
				       .user = r,
			       });
}

static void tell_refusal(struct kube_report *r, struct kube_faulty *faulty)
{
	const struct kube_entry *entry = kube_table_get(table(r, faulty->kind), faulty->key);
	_text_ struct text note = TEXT_INIT;

	if (!entry || entry->order != faulty->order)
		return;
	kube_refusal_note(faulty, entry, &note);
	faulty->is_told = put_event(r,
				    &(struct kube_notice){
					    .kind = faulty->kind,
					    .key = faulty->key,
					    .uid = &entry->object.identity.uid,
					    .node = r->config->node,
					    .reason = "Refused",
					    .action = "Read",
					    .note = note.buf,
					    .hash = kube_refusal_hash(faulty, entry),
					    .wall_ns = clock_wall_ns(),
				    },
				    on_event_written);
}

static void tell_refusals(struct kube_report *r)
{
	vec_foreach (faulty, &r->faults.objects) {
		if (faulty->list.count && !faulty->is_told)
			tell_refusal(r, faulty);
	}
}

static void on_drop(void *user, const struct kube_drop *drop)
{
	struct kube_report *r = user;
	const struct kube_entry *pod = kube_table_get(table(r, KUBE_POD), drop->pod);
	_text_ struct text path = TEXT_INIT, body = TEXT_INIT;
	struct kube_notice notice = {
		.kind = KUBE_POD,
		.key = drop->pod,
		.node = r->config->node,
		.reason = "Dropped",
		.action = "Drop",
		.note = drop->note,
		.hash = drop->hash,
		.wall_ns = drop->wall_ns,
	};

	if (!pod) /* it is gone */
		return;
	notice.uid = &pod->object.identity.uid;
	if (!drop->told) {
		put_event(r, &notice, NULL);
		return;
	}
	kube_event_path(&notice, &path);
	kube_event_series(drop->count, drop->wall_ns, &body);
	kube_writer_put(&r->writer, &(struct kube_write){
					    .key = path.buf,
					    .message = {"PATCH", path.buf, MERGE, body.buf},
				    });
}

void kube_report_drop(struct kube_report *r, const struct bh_event *event,
		      const struct event_names *names)
{
	if (r && r->config->has_pod_events)
		kube_drops_add(&r->drops, event, names, clock_monotonic_ns());
}

static void on_tick(void *user)
{
	struct kube_report *r = user;

	kube_drops_tick(&r->drops, clock_monotonic_ns());
}

/* --- when --- */

static void speak(struct kube_report *r)
{
	r->round_ns = clock_monotonic_ns();
	if (!kube_report_is_speaker(table(r, KUBE_NODE), r->config->node))
		return;
	write_status(r);
	tell_refusals(r);
}

static void on_soon(void *user)
{
	struct kube_report *r = user;

	r->is_soon = false;
	speak(r);
}

static void on_retry(void *user)
{
	struct kube_report *r = user;

	r->is_retrying = false;
	speak(r);
}

static void on_again(void *user)
{
	struct kube_report *r = user;

	loop_timer_start(r->again, AGAIN_MS / 2 + kube_chance(AGAIN_MS), 0);
	if (!kube_is_listed(r->kube) || !table(r, KUBE_NODE)->entries.count)
		return;
	check_status(r, kube_report_is_speaker(table(r, KUBE_NODE), r->config->node));
	speak(r);
}

/* All nodes see a change at once, and don't tell of it at once. */
static void speak_soon(struct kube_report *r)
{
	uint64_t spread = table(r, KUBE_NODE)->entries.count * OF_NODE_MS;
	uint64_t ms = SETTLE_MS + kube_chance(spread < SPREAD_MS ? spread : SPREAD_MS);
	uint64_t since = (clock_monotonic_ns() - r->round_ns) / NS_PER_MS;

	if (r->is_soon)
		return;
	if (since < LEAST_MS)
		ms += LEAST_MS - since;
	r->is_soon = true;
	loop_timer_start(r->soon, ms, 0);
}

/* --- what is known --- */

void kube_report_begin(struct kube_report *r)
{
	kube_faults_tidy(&r->faults, kube_tables(r->kube));
}

/* What stands for one that is refused is ours, and who wrote the object can't put that right. */
void kube_report_fault(struct kube_report *r, const struct kube_blamed *blamed)
{
	const struct policy_fault *at = blamed->at;

	if (blamed->entry && !blamed->entry->refusals)
		kube_faults_add(&r->faults, blamed->kind, blamed->entry, at->line, at->column,
				blamed->message);
}

void kube_report_end(struct kube_report *r, bool is_in_force, const char *why)
{
	const struct kube_result result = {is_in_force, why ? diags_first_error(why) : NULL};

	if (!r->config->has_status)
		return;
	kube_status_update(&r->status, table(r, KUBE_ZONE_POLICY), &r->faults, &result,
			   r->config->node);
	speak_soon(r);
}

struct kube_report *kube_report_new(struct loop *loop, struct kube *k,
				    const struct kube_config *config)
{
	struct kube_report *r = xcalloc(1, sizeof(*r));

	r->kube = k;
	r->config = config;
	kube_writer_init(&r->writer, loop, kube_transport(k));
	r->drops.fn = on_drop;
	r->drops.user = r;
	r->soon = loop_timer_new(loop, on_soon, r);
	r->again = loop_timer_new(loop, on_again, r);
	r->retry = loop_timer_new(loop, on_retry, r);
	r->tick = loop_timer_new(loop, on_tick, r);
	if (config->has_status)
		loop_timer_start(r->again, AGAIN_MS / 2 + kube_chance(AGAIN_MS), 0);
	if (config->has_pod_events)
		loop_timer_start(r->tick, DROPS_MS, DROPS_MS);
	return r;
}

void kube_report_free(struct kube_report *r)
{
	if (!r)
		return;
	kube_writer_release(&r->writer);
	kube_faults_release(&r->faults);
	kube_status_release(&r->status);
	kube_drops_release(&r->drops);
	free(r);
}

void kube_report_tell(const struct kube_report *r, struct json *j, const char *key)
{
	if (r)
		kube_writer_tell(&r->writer, j, key);
}
