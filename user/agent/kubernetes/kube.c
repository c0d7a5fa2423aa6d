/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube.h"

#include <string.h>

#include "agent/kubernetes/kube_watch.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define SETTLE_MS 50 /* changes come in groups */
#define SOON_MS   5
#define REST_MS   2000 /* at most, between two policies that were made */
#define REST      4    /* times what the last reading of all Services took, until the next */
#define NS_PER_MS 1000000ull
#define NAMES_MAX 16 /* of objects, in a status */

struct kube {
	struct kube_events events;
	struct kube_http *http;
	struct kube_table *tables; /* of every kind */
	struct kube_watch watches[KUBE_KIND_COUNT];
	uint64_t order;
	struct loop_timer *settle;
	struct loop_timer *soon; /* for pods alone */
	struct loop_timer *settle_services;
	bool is_settling, is_soon, is_settling_services;
	bool is_told;      /* somebody has been told of all of them */
	bool is_busy;      /* what events.changed began is not over */
	bool is_called;    /* it is to be called when that is */
	uint64_t begun_ns; /* when it was called last; CLOCK_MONOTONIC */
	uint64_t took_ms;  /* until that was over, */
	uint64_t over_ns;  /* and when it was */
	uint64_t services_took_ms;
	struct text crowded; /* names of Services */
	struct loop *loop;
};

const struct kube_table *kube_tables(const struct kube *k)
{
	return k->tables;
}

struct kube_http *kube_transport(struct kube *k)
{
	return k->http;
}

bool kube_is_listed(const struct kube *k)
{
	for (enum kube_kind i = 0; i < KUBE_KIND_COUNT; i++) {
		if (!k->watches[i].is_listed && kube_makes_policy(i))
			return false;
	}
	return true;
}

static void on_settled(void *user)
{
	struct kube *k = user;

	k->is_settling = false;
	if (!kube_is_listed(k))
		return;
	k->is_told = k->is_busy = true;
	k->begun_ns = clock_monotonic_ns();
	k->events.changed(k->events.user);
}

/* At least half of the time is for something else, unless one took very long. */
void kube_call_changed(struct kube *k)
{
	uint64_t since_ms = (clock_monotonic_ns() - k->over_ns) / NS_PER_MS;
	uint64_t took_ms = k->took_ms < REST_MS ? k->took_ms : REST_MS;
	uint64_t rest_ms = took_ms > since_ms ? took_ms - since_ms : 0;

	k->is_called = k->is_busy;
	if (k->is_settling || k->is_busy)
		return;
	k->is_settling = true;
	loop_timer_start(k->settle, rest_ms > SETTLE_MS ? rest_ms : SETTLE_MS, 0);
}

void kube_changed_over(struct kube *k)
{
	k->is_busy = false;
	k->over_ns = clock_monotonic_ns();
	k->took_ms = (k->over_ns - k->begun_ns) / NS_PER_MS;
	if (k->is_called)
		kube_call_changed(k);
}

static void on_services_settled(void *user)
{
	struct kube *k = user;

	uint64_t start_ns = clock_monotonic_ns();

	k->is_settling_services = false;
	k->events.services_changed(k->events.user);
	k->services_took_ms = (clock_monotonic_ns() - start_ns) / NS_PER_MS;
}

static void call_services_changed(struct kube *k)
{
	if (k->is_settling_services)
		return;
	k->is_settling_services = true;
	loop_timer_start(k->settle_services, SETTLE_MS + REST * k->services_took_ms, 0);
}

static void on_soon(void *user)
{
	struct kube *k = user;

	k->is_soon = false;
	k->events.moved(k->events.user);
}

static void call_moved(struct kube *k)
{
	if (k->is_soon)
		return;
	k->is_soon = true;
	loop_timer_start(k->soon, SOON_MS, 0);
}

static void on_changed(void *user, enum kube_kind kind)
{
	struct kube *k = user;

	if (kind == KUBE_ZONE_POLICY || kind == KUBE_NAMESPACE)
		k->tables[KUBE_ZONE_POLICY].zones->is_touched = true;
	if (!kube_makes_policy(kind))
		call_services_changed(k);
	else if (kind == KUBE_POD && k->is_told)
		call_moved(k);
	else
		kube_call_changed(k);
}

static void on_answered(void *user)
{
	struct kube *k = user;

	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_watch_hurry(&k->watches[i]);
}

static void start_watches(struct kube *k)
{
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		k->watches[kind] = (struct kube_watch){
			.kind = kind,
			.http = k->http,
			.events = {on_changed, on_answered, k},
			.table = &k->tables[kind],
			.order = &k->order,
		};
		if (kind != KUBE_ENDPOINT_SLICE)
			kube_watch_start(&k->watches[kind], k->loop);
	}
}

int kube_new(struct loop *loop, const struct kube_config *config, struct kube_table *tables,
	     const struct kube_events *events, struct kube **ret)
{
	const struct kube_server server = {
		.url = config->server,
		.ca_file = config->ca_file,
		.token_file = config->token_file,
		.silence_s = config->silence_s,
	};
	struct kube *k = xcalloc(1, sizeof(*k));
	int err = kube_http_new(loop, &server, &k->http);

	if (err) {
		free(k);
		return err;
	}
	k->events = *events;
	k->crowded = (struct text)TEXT_INIT;
	k->tables = tables;
	k->order = tables[KUBE_POD].entries.count; /* those of an earlier start are older */
	k->soon = loop_timer_new(loop, on_soon, k);
	k->settle = loop_timer_new(loop, on_settled, k);
	k->settle_services = loop_timer_new(loop, on_services_settled, k);
	k->loop = loop;
	start_watches(k);
	*ret = k;
	return 0;
}

void kube_free(struct kube *k)
{
	if (!k)
		return;
	kube_http_free(k->http);
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_watch_release(&k->watches[i]);
	text_release(&k->crowded);
	free(k);
}

void kube_fronts_now(const struct kube *k, kube_fronts *ret)
{
	kube_services_fronts(&k->tables[KUBE_SERVICE], ret);
}

void kube_follow_endpoints(struct kube *k)
{
	kube_watch_start(&k->watches[KUBE_ENDPOINT_SLICE], k->loop);
}

/* Once for each that there are. */
static void tell_crowded(struct kube *k, const kube_backends *backends)
{
	_text_ struct text names = TEXT_INIT;

	kube_endpoints_crowded(&k->tables[KUBE_SERVICE], backends, &names);
	if (names.len && strcmp(names.buf, k->crowded.buf) != 0)
		log_warning("msg=\"Services with too many backends to ask are denied\" most=%d "
			    "services=\"%s\"",
			    BH_BACKENDS_MAX, names.buf);
	text_reset(&k->crowded);
	text_add(&k->crowded, names.buf);
}

const char *kube_crowded(const struct kube *k)
{
	return k->crowded.buf;
}

bool kube_backends_now(struct kube *k, kube_backends *ret)
{
	const struct kube_watch *slices = &k->watches[KUBE_ENDPOINT_SLICE];

	if (!k->watches[KUBE_SERVICE].is_listed || !slices->is_listed || slices->is_absent)
		return false;
	kube_endpoints_backends(&k->tables[KUBE_SERVICE], &k->tables[KUBE_ENDPOINT_SLICE], ret);
	tell_crowded(k, ret);
	return true;
}

static const char *state_word(const struct kube_watch *w)
{
	if (w->is_absent)
		return "not served";
	if (w->trouble.len)
		return "failing";
	return w->is_watching ? "watched" : "listed";
}

static void tell_left_out(const struct kube_table *table, struct json *j)
{
	size_t count = 0;

	json_array(j, "left_out");
	vec_foreach (entry, &table->entries) {
		if ((*entry)->is_left_out && count++ < NAMES_MAX)
			json_string(j, NULL, (*entry)->object.key);
	}
	json_end(j, ']');
}

static void tell_kind(const struct kube_watch *w, struct json *j)
{
	uint64_t refused = 0;

	vec_foreach (entry, &w->table->entries)
		refused += (*entry)->refusals > 0;
	json_object(j, NULL);
	json_string(j, "kind", kube_kinds[w->kind].name);
	json_string(j, "state", state_word(w));
	json_number(j, "objects", w->table->entries.count);
	json_number(j, "refused", refused);
	tell_left_out(w->table, j);
	json_string(j, "error", w->trouble.len ? w->trouble.buf : NULL);
	json_end(j, '}');
}

void kube_tell(const struct kube *k, struct json *j, const char *key)
{
	json_array(j, key);
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++) {
		if (k->watches[i].retry)
			tell_kind(&k->watches[i], j);
	}
	json_end(j, ']');
}
