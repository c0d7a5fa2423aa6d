/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_events.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "util/clock.h"
#include "util/json.h"
#include "util/map.h"

#define VERSION     "events.k8s.io/v1"
#define CONTROLLER  "bulkhead.dev/agent"
#define SPACE       "default" /* of Events about what is in none */
#define NOTE_MAX    1000      /* an API server takes 1024 */
#define INSTANCE    128       /* the same */
#define NAME_MAX_OF 230       /* of an object's name, in an Event's: 253 with what follows */

static size_t space_len(const char *key)
{
	const char *slash = strchr(key, '/');

	return slash ? (size_t)(slash - key) : 0;
}

static const char *name_of(const char *key)
{
	size_t len = space_len(key);

	return len ? key + len + 1 : key;
}

static void add_name(const struct kube_notice *n, struct text *out)
{
	const char *name = name_of(n->key);
	size_t len = strlen(name);

	if (len > NAME_MAX_OF)
		len = NAME_MAX_OF;
	while (len && !isalnum((unsigned char)name[len - 1]))
		len--;
	text_addn(out, name, len);
	text_addf(out, ".%016" PRIx64, n->hash);
}

static void add_space(const struct kube_notice *n, struct text *out)
{
	size_t len = space_len(n->key);

	text_addn(out, len ? n->key : SPACE, len ? len : strlen(SPACE));
}

void kube_events_path(const struct kube_notice *n, struct text *out)
{
	text_add(out, "/apis/" VERSION "/namespaces/");
	add_space(n, out);
	text_add(out, "/events");
}

void kube_event_path(const struct kube_notice *n, struct text *out)
{
	kube_events_path(n, out);
	text_addc(out, '/');
	add_name(n, out);
}

static void add_metadata(const struct kube_notice *n, struct json *j)
{
	_text_ struct text name = TEXT_INIT, space = TEXT_INIT;

	add_name(n, &name);
	add_space(n, &space);
	json_object(j, "metadata");
	json_string(j, "name", name.buf);
	json_string(j, "namespace", space.buf);
	json_end(j, '}');
}

static void add_regarding(const struct kube_notice *n, struct json *j)
{
	_text_ struct text space = TEXT_INIT;
	char uid[KUBE_UID_STRLEN];

	text_addn(&space, n->key, space_len(n->key));
	json_object(j, "regarding");
	json_string(j, "apiVersion", kube_kinds[n->kind].version);
	json_string(j, "kind", kube_kinds[n->kind].name);
	if (space.len)
		json_string(j, "namespace", space.buf);
	json_string(j, "name", name_of(n->key));
	if (kube_uid_format(n->uid, uid))
		json_string(j, "uid", uid);
	json_end(j, '}');
}

void kube_event_add(const struct kube_notice *n, struct text *out)
{
	_text_ struct text note = TEXT_INIT, instance = TEXT_INIT;
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	kube_sentence_add(n->note, NOTE_MAX, &note);
	text_addn(&instance, n->node, strnlen(n->node, INSTANCE));
	json_object(&j, NULL);
	json_string(&j, "apiVersion", VERSION);
	json_string(&j, "kind", "Event");
	add_metadata(n, &j);
	json_string(&j, "eventTime", clock_format(n->wall_ns, time));
	json_string(&j, "reportingController", CONTROLLER);
	json_string(&j, "reportingInstance", instance.buf);
	json_string(&j, "type", "Warning");
	json_string(&j, "reason", n->reason);
	json_string(&j, "action", n->action);
	json_string(&j, "note", note.buf);
	add_regarding(n, &j);
	json_end(&j, '}');
}

void kube_event_series(uint64_t count, uint64_t wall_ns, struct text *out)
{
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	json_object(&j, NULL);
	json_object(&j, "series");
	json_number(&j, "count", count);
	json_string(&j, "lastObservedTime", clock_format(wall_ns, time));
	json_end(&j, '}');
	json_end(&j, '}');
}

/* --- what was refused --- */

static const char *consequence_of_zones(const struct kube_entry *entry)
{
	if (entry->is_left_out)
		return "nothing of it is in force; all else goes on";
	return entry->refusals ? "its last good version stays in force"
			       : "no change of any ZonePolicy comes into force before it is put "
				 "right or deleted";
}

static const char *consequence(enum kube_kind kind, const struct kube_entry *entry)
{
	switch (kind) {
	case KUBE_ZONE_POLICY:
		return consequence_of_zones(entry);
	case KUBE_NETWORK_POLICY:
		return entry->refusals > 1 ? "it isolates its whole namespace"
					   : "it isolates the pods that it selects";
	case KUBE_CLUSTER_NETWORK_POLICY:
		return "it denies its subject everything";
	case KUBE_POD:
		return "its addresses are nobody's";
	case KUBE_NAMESPACE:
	case KUBE_NODE:
		return "only its name counts";
	case KUBE_SERVICE: /* no policy speaks of it, so none is refused for it */
	case KUBE_ENDPOINT_SLICE:
	case KUBE_KIND_COUNT:
		break;
	}
	return "it does not count";
}

void kube_refusal_note(const struct kube_faulty *faulty, const struct kube_entry *entry,
		       struct text *out)
{
	const struct kube_fault *first = faulty->list.items;
	size_t others = faulty->list.count - 1 + faulty->more;

	text_addf(out, "%s%s%s", first->path, *first->path ? ": " : "", first->message);
	text_add(out, " (");
	if (others)
		text_addf(out, "and %zu more; ", others);
	text_addf(out, "%s)", consequence(faulty->kind, entry));
}

uint64_t kube_refusal_hash(const struct kube_faulty *faulty, const struct kube_entry *entry)
{
	const struct kube_identity *id = &entry->object.identity;
	uint64_t hash = hash_bytes(id->uid.bytes, sizeof(id->uid.bytes), faulty->kind);

	hash = hash_bytes(entry->object.text, strlen(entry->object.text), hash);
	return hash_bytes(&id->generation, sizeof(id->generation), hash);
}
