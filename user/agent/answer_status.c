/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/answer.h"
#include "agent/version.h"
#include "agent/words.h"
#include "policy/model.h"
#include "util/clock.h"

#define TABLES_MAX 64
#define BTF_PATH   "/sys/kernel/btf/vmlinux"

static void add_policy(struct json *j, const struct policy_version *v)
{
	const struct loaded_policy *loaded = v->loaded;

	json_object(j, "policy");
	json_array(j, "paths");
	vec_foreach (path, &loaded->paths)
		json_string(j, NULL, *path);
	json_end(j, ']');
	json_string(j, "hash", loaded->hash);
	json_number(j, "rules", loaded->policy->rules.count);
	json_number(j, "workloads", loaded->policy->workloads.count);
	answer_time(j, "loaded_at", loaded->loaded_ns);
	json_end(j, '}');
}

static void add_events(struct json *j, const struct events_hub *hub)
{
	json_object(j, "events");
	json_number(j, "history", hub_count(hub));
	json_number(j, "size", hub_size(hub));
	json_end(j, '}');
}

static void add_books(struct json *j, struct datapath *dp)
{
	struct bh_books books[BH_VERDICT_COUNT] = {};

	datapath_read_books(dp, books);
	json_object(j, "books");
	for (unsigned int v = 0; v < BH_VERDICT_COUNT; v++) {
		json_object(j, verdict_word(v));
		json_number(j, "produced", books[v].produced);
		json_number(j, "delivered", books[v].delivered);
		json_number(j, "suppressed", books[v].suppressed);
		json_number(j, "lost", books[v].lost);
		json_end(j, '}');
	}
	json_end(j, '}');
}

static void add_rejects(struct json *j, struct datapath *dp)
{
	struct bh_rejects rejects = {};

	datapath_read_rejects(dp, &rejects);
	json_object(j, "rejects");
	json_number(j, "answered", rejects.answered);
	json_number(j, "suppressed", rejects.suppressed);
	json_number(j, "silent", rejects.silent);
	json_end(j, '}');
}

static void add_drops(struct json *j, struct datapath *dp)
{
	struct bh_count drops[BH_REASON_COUNT] = {};
	uint64_t dropped = 0;

	datapath_read_drops(dp, drops);
	json_object(j, "drops");
	for (unsigned int r = BH_REASON_NONE + 1; r < BH_REASON_COUNT; r++) {
		if (drops[r].packets)
			answer_count(j, reason_word(r), &drops[r]);
		dropped += drops[r].packets;
	}
	json_end(j, '}');
	json_number(j, "dropped", dropped);
}

static void add_tables(struct json *j, struct datapath *dp)
{
	struct table_fill tables[TABLES_MAX];
	size_t count = datapath_tables(dp, tables, TABLES_MAX);

	json_array(j, "tables");
	for (size_t i = 0; i < count && i < TABLES_MAX; i++) {
		json_object(j, NULL);
		json_string(j, "name", tables[i].name);
		if (tables[i].used == UINT64_MAX)
			json_string(j, "used", NULL);
		else
			json_number(j, "used", tables[i].used);
		json_number(j, "capacity", tables[i].capacity);
		json_number(j, "bytes", tables[i].bytes);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static bool is_xdp(enum attach_method method)
{
	return method == ATTACH_XDP_NATIVE || method == ATTACH_XDP_GENERIC;
}

static const char *method_in_use(const struct endpoints *es, bool is_xdp_wanted)
{
	vec_foreach (e, &es->list) {
		enum attach_method methods[] = {e->attachment.ingress, e->attachment.egress};

		for (size_t i = 0; i < COUNT(methods); i++) {
			if (methods[i] != ATTACH_NONE && is_xdp(methods[i]) == is_xdp_wanted)
				return attach_method_word(methods[i]);
		}
	}
	return NULL;
}

static void add_method(struct json *j, const char *key, const char *method)
{
	if (method)
		json_string(j, key, method);
	else
		json_bool(j, key, false);
}

static void add_kernel(struct json *j, const struct endpoints *es)
{
	json_object(j, "kernel");
	add_method(j, "xdp", method_in_use(es, true));
	add_method(j, "tc", method_in_use(es, false));
	json_bool(j, "btf", !access(BTF_PATH, R_OK));
	json_bool(j, "ringbuf", true); /* the programs would not have loaded without it */
	json_end(j, '}');
}

/* What was decided by whenAgentIsDown, by us or while nobody was there. */
static void add_stances(struct json *j, const struct rule_stats *stats)
{
	const struct bh_count total = rule_stats_total(stats, BH_BUILTIN_DOWN);

	answer_count(j, "agent_down", &total);
}

void answer_status(struct agent *a, struct text *out)
{
	struct json j = answer_ok_begin(out);

	json_string(&j, "version", BULKHEAD_VERSION);
	json_number(&j, "pid", (uint64_t)getpid());
	answer_time(&j, "started", a->started_ns);
	add_policy(&j, a->policies.current);
	json_number(&j, "generation", datapath_generation(a->dp));
	json_bool(&j, "adopting", clock_monotonic_ns() < a->adopt_until_ns);
	add_stances(&j, &a->policies.stats);
	json_number(&j, "endpoints", a->endpoints.list.count);
	add_events(&j, a->hub);
	add_books(&j, a->dp);
	add_rejects(&j, a->dp);
	add_drops(&j, a->dp);
	add_tables(&j, a->dp);
	add_kernel(&j, &a->endpoints);
	json_end(&j, '}');
	text_addc(out, '\n');
}
