/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_status.h"

#include <inttypes.h>
#include <string.h>

#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"

#define MANAGER     "bulkhead-"
#define MANAGER_MAX 128 /* what an API server takes */
#define HASH_STRLEN 16

static void release(struct kube_state *state)
{
	free(state->key);
	free(state->text);
	free(state->sent);
}

void kube_status_release(struct kube_status *s)
{
	vec_foreach (state, &s->states)
		release(state);
	vec_release(&s->states);
}

struct kube_state *kube_status_find(const struct kube_status *s, const char *key)
{
	vec_foreach (state, &s->states) {
		if (!strcmp(state->key, key))
			return state;
	}
	return NULL;
}

/* --- what is written --- */

void kube_status_path(const char *key, const char *node, struct text *out)
{
	size_t len = strlen(node), max = MANAGER_MAX - strlen(MANAGER);

	text_addf(out, "%s/%s/status?force=true&fieldManager=" MANAGER,
		  kube_kinds[KUBE_ZONE_POLICY].path, key);
	if (len <= max)
		text_add(out, node);
	else
		text_addf(out, "%.*s-%016" PRIx64, (int)(max - HASH_STRLEN - 1), node,
			  hash_bytes(node, len, 0));
}

static struct json begin(const char *key, struct text *out)
{
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_string(&j, "apiVersion", kube_kinds[KUBE_ZONE_POLICY].version);
	json_string(&j, "kind", kube_kinds[KUBE_ZONE_POLICY].name);
	json_object(&j, "metadata");
	json_string(&j, "name", key);
	json_end(&j, '}');
	return j;
}

void kube_status_empty(const char *key, struct text *out)
{
	struct json j = begin(key, out);

	json_end(&j, '}');
}

static void add_error(struct json *j, const char *path, const char *message)
{
	json_object(j, NULL);
	json_string(j, "path", path);
	json_string(j, "message", message);
	json_end(j, '}');
}

static void add_faults(struct json *j, const struct kube_faulty *faulty)
{
	_text_ struct text more = TEXT_INIT;

	vec_foreach (fault, &faulty->list)
		add_error(j, fault->path, fault->message);
	if (!faulty->more)
		return;
	text_addf(&more, "and %zu more", faulty->more);
	add_error(j, "", more.buf);
}

/* What the node says of one. */
struct said {
	const struct kube_entry *entry;
	const struct kube_faulty *faulty;
	const char *why; /* nothing has come into force; NULL: it has */
	const char *node;
};

static char *text_of(const struct kube_state *state, const struct said *said)
{
	/* What is in force already is not held up. */
	const char *why = state->enforced == state->observed ? NULL : said->why;
	bool is_in_force = !said->faulty && !why && state->enforced == state->observed;
	_text_ struct text out = TEXT_INIT;
	struct json j = begin(state->key, &out);

	json_object(&j, "status");
	json_array(&j, "nodes");
	json_object(&j, NULL);
	json_string(&j, "name", said->node);
	json_number(&j, "observedGeneration", state->observed);
	json_number(&j, "enforcedGeneration", state->enforced);
	json_bool(&j, "inForce", is_in_force);
	if (said->entry->is_left_out)
		json_bool(&j, "leftOut", true);
	json_array(&j, "errors"); /* even if there are none: what somebody else wrote there goes */
	if (!is_in_force && said->faulty)
		add_faults(&j, said->faulty);
	else if (!is_in_force && why)
		add_error(&j, "", why);
	json_end(&j, ']');
	json_end(&j, '}');
	json_end(&j, ']');
	json_end(&j, '}');
	json_end(&j, '}');
	return text_take(&out);
}

/* --- what is known --- */

static struct kube_state *state_of(struct kube_status *s, const struct kube_entry *entry)
{
	const struct kube_uid *uid = &entry->object.identity.uid;
	struct kube_state *state = kube_status_find(s, entry->object.key);

	if (state && !memcmp(&state->uid, uid, sizeof(*uid)))
		return state;
	if (state) { /* another object of that name */
		free(TAKE_PTR(state->sent));
		state->enforced = 0;
		state->uid = *uid;
		return state;
	}
	vec_push(&s->states, (struct kube_state){.key = xstrdup(entry->object.key), .uid = *uid});
	return &s->states.items[s->states.count - 1];
}

static uint64_t enforced_of(const struct kube_table *policies, const struct kube_entry *entry)
{
	const struct kube_zone *zone;

	if (!entry->refusals)
		return entry->object.identity.generation;
	zone = kube_zones_find(policies->zones, entry->object.key);
	return zone ? zone->generation : 0;
}

/* Who is wrong and holds up the others, if it is an object. */
static void add_culprit(const struct kube_table *policies, const struct kube_faults *faults,
			struct text *out)
{
	vec_foreach (faulty, &faults->objects) {
		const struct kube_entry *entry;

		if (faulty->kind != KUBE_ZONE_POLICY || !(faulty->list.count || faulty->more))
			continue;
		entry = kube_table_get(policies, faulty->key);
		if (!entry || entry->refusals)
			continue;
		text_addf(out, "held up by ZonePolicy '%s', which is refused", faulty->key);
		return;
	}
}

static void update(struct kube_state *state, const struct kube_table *policies,
		   const struct said *said)
{
	state->is_there = true;
	state->observed = said->entry->object.identity.generation;
	if (!said->why)
		state->enforced = enforced_of(policies, said->entry);
	free(state->text);
	state->text = text_of(state, said);
}

static void forget_gone(struct kube_status *s)
{
	for (size_t i = s->states.count; i-- > 0;) {
		struct kube_state *state = &s->states.items[i];

		if (!state->is_there) {
			release(state);
			vec_remove(&s->states, i);
		}
	}
}

void kube_status_update(struct kube_status *s, const struct kube_table *policies,
			const struct kube_faults *faults, const struct kube_result *result,
			const char *node)
{
	_text_ struct text why = TEXT_INIT;

	if (!result->is_in_force)
		add_culprit(policies, faults, &why);
	if (!result->is_in_force && !why.len)
		kube_sentence_add(result->why && *result->why ? result->why : "not in force",
				  KUBE_FAULT_LENGTH, &why);
	vec_foreach (state, &s->states)
		state->is_there = false;
	vec_foreach (entry, &policies->entries)
		update(state_of(s, *entry), policies,
		       &(struct said){*entry, kube_faults_find(faults, *entry),
				      why.len ? why.buf : NULL, node});
	forget_gone(s);
}
