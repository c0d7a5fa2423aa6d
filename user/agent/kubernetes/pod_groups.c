/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/pod_groups.h"

#include <errno.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/kubernetes/kube_json.h"
#include "agent/kubernetes/kube_missing.h"
#include "agent/kubernetes/kube_texts.h"
#include "util/mem.h"

#define SEPARATOR  "\n---\n"
#define CHUNK_SIZE (256ul * 1024)
#define HEAD       "{\"metadata\":{"
#define SEEN_MAX   8192 /* by their strings, once the policy has been read; then others again */

/* What labels, ports and pods are called, and labels' values: of nothing else. */
#define WORD_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/"

/* Of an entry: equal numbers mean equal strings. */
struct strings_key {
	uint64_t labels, text;
};

void pod_groups_free(struct pod_groups *g)
{
	if (!g)
		return;
	vec_foreach (group, &g->list) {
		free(group->name);
		vec_release(&group->addresses);
	}
	vec_release(&g->list);
	map_release(&g->words);
	map_release(&g->by_strings);
	map_release(&g->by_sight);
	text_release(&g->other);
	free(g);
}

/* --- what a policy speaks of --- */

static void add_words(struct pod_groups *g, const struct source *source)
{
	const char *at = source->text, *end = source->text + source->len;

	while (at < end) {
		size_t len = strspn(at, WORD_CHARS);

		if (len)
			map_put(&g->words, at, len, 1, NULL);
		at += len + 1;
	}
}

static bool has_word(const struct pod_groups *g, const char *word)
{
	return map_get(&g->words, word, strlen(word));
}

/* In the texts of a cluster, words stand as they are. */
static void read_words(struct pod_groups *g, struct source *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct source *source = texts[i];

		if (is_kube_source_of(source, KUBE_NAMESPACE) ||
		    is_kube_source_of(source, KUBE_NODE))
			continue;
		add_words(g, source);
		if (!is_kube_source(source) && memchr(source->text, '\\', source->len))
			g->is_exact = true;
	}
	for (unsigned int i = 0; !g->other.len || has_word(g, g->other.buf); i++) {
		text_reset(&g->other);
		text_addf(&g->other, "other-%u", i);
	}
}

static bool is_named(const struct pod_groups *g, const struct kube_entry *entry)
{
	return has_word(g, entry->object.key);
}

/* --- what it sees of a pod --- */

static int by_name(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

/* In the order of their keys: those that are spoken of, with values that are. */
static cJSON *see_labels(const struct pod_groups *g, const cJSON *all)
{
	cJSON *seen = cJSON_CreateObject();
	VEC(cJSON *) sorted = {};
	cJSON *label;

	cJSON_ArrayForEach(label, all)
	{
		if (g->is_exact || has_word(g, label->string))
			vec_push(&sorted, label);
	}
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(cJSON *), by_name);
	vec_foreach (kept, &sorted) {
		const char *value = (*kept)->valuestring;
		bool is_kept = g->is_exact || !*value || has_word(g, value);

		cJSON_AddStringToObject(seen, (*kept)->string, is_kept ? value : g->other.buf);
	}
	vec_release(&sorted);
	return seen;
}

static void see_ports(const struct pod_groups *g, cJSON *containers)
{
	cJSON *container, *next;

	cJSON_ArrayForEach(container, containers)
	{
		cJSON *ports = cJSON_GetObjectItemCaseSensitive(container, "ports");

		for (cJSON *port = ports ? ports->child : NULL; port; port = next) {
			const char *name = cJSON_GetStringValue(
				cJSON_GetObjectItemCaseSensitive(port, "name"));

			next = port->next;
			if (!name || !has_word(g, name))
				cJSON_Delete(cJSON_DetachItemViaPointer(ports, port));
		}
		if (ports && !ports->child)
			cJSON_DeleteItemFromObjectCaseSensitive(container, "ports");
	}
}

/* Without its name, so that it is the same for pods that are alike.  To be freed. */
static char *see(const struct pod_groups *g, const struct kube_entry *entry, bool is_whole)
{
	_kube_json_ bool has_begun = kube_json_begin();
	cJSON *pod = cJSON_Parse(entry->object.text);
	cJSON *all = cJSON_Parse(entry->object.labels);
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(pod, "metadata");
	cJSON *spec = cJSON_GetObjectItemCaseSensitive(pod, "spec");

	cJSON_AddItemToObject(metadata, "labels", is_whole ? all : see_labels(g, all));
	if (is_whole && entry->object.node) {
		if (!spec)
			spec = cJSON_AddObjectToObject(pod, "spec");
		cJSON_AddStringToObject(spec, "nodeName", entry->object.node);
	} else if (!is_whole && !g->is_exact) {
		see_ports(g, cJSON_GetObjectItemCaseSensitive(spec, "containers"));
		see_ports(g, cJSON_GetObjectItemCaseSensitive(spec, "initContainers"));
	}
	cJSON_InsertItemInArray(pod, 0, cJSON_DetachItemViaPointer(pod, metadata));
	return xstrdup(cJSON_PrintUnformatted(pod));
}

/* A pod that is spoken of by its name is a group of its own. */
static char *sight_of(const struct pod_groups *g, const struct kube_entry *entry)
{
	_text_ struct text own = TEXT_INIT;

	if (!is_named(g, entry))
		return see(g, entry, false);
	text_addf(&own, "=%s %s %s %s", entry->object.key, entry->object.text, entry->object.labels,
		  entry->object.node ? entry->object.node : "");
	return text_take(&own);
}

static struct strings_key strings_of(const struct kube_entry *entry)
{
	return (struct strings_key){
		.labels = intern_number(entry->object.labels),
		.text = intern_number(entry->object.text),
	};
}

/* --- groups --- */

/* Index into the list. */
static int find(struct pod_groups *g, const struct kube_entry *entry, size_t *ret)
{
	struct strings_key key = strings_of(entry);
	bool is_apart = is_named(g, entry);
	const uint64_t *place = is_apart ? NULL : map_get(&g->by_strings, &key, sizeof(key));
	_free_ char *sight = NULL;

	if (place) {
		*ret = *place;
		return 0;
	}
	sight = sight_of(g, entry);
	place = map_get(&g->by_sight, sight, strlen(sight));
	if (!place)
		return -ENOENT;
	*ret = *place;
	if (g->is_bound && g->by_strings.count >= SEEN_MAX)
		map_release(&g->by_strings);
	if (!is_apart)
		map_put(&g->by_strings, &key, sizeof(key), *ret, NULL);
	return 0;
}

static struct pod_group *group_of(struct pod_groups *g, const struct kube_entry *entry)
{
	_free_ char *sight = NULL;
	size_t i;

	if (!find(g, entry, &i))
		return &g->list.items[i];
	sight = sight_of(g, entry);
	map_put(&g->by_sight, sight, strlen(sight), g->list.count, NULL);
	vec_push(&g->list, (struct pod_group){.workload = POLICY_NONE});
	return &g->list.items[g->list.count - 1];
}

static void add_pod(struct pod_groups *g, const struct kube_pods *pods,
		    const struct kube_entry *entry)
{
	struct pod_group *group = group_of(g, entry);

	if (!group->name || strcmp(entry->object.key, group->name) < 0) {
		free(group->name);
		group->name = xstrdup(entry->object.key);
	}
	for (unsigned int i = 0; i < entry->object.address_count; i++) {
		const struct bh_addr *a = &entry->object.addresses[i];

		if (kube_pods_owner(pods, a) == entry)
			vec_push(&group->addresses, *a);
	}
}

/* --- texts --- */

static void write_group(const struct pod_groups *g, const struct kube_table *pods,
			const struct pod_group *group, struct text *out)
{
	const struct kube_entry *entry = kube_table_get(pods, group->name);
	_free_ char *sight = see(g, entry, is_named(g, entry));
	const char *slash = strchr(group->name, '/');

	text_addf(out, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",%s",
		  slash ? slash + 1 : group->name, sight + strlen(HEAD));
	text_add(out, SEPARATOR);
}

static int group_cmp(const void *a, const void *b)
{
	const struct pod_group *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* A text is one tree when it is read, and then none any more. */
static void close_chunk(struct text *text, source_list *out)
{
	if (text->len)
		vec_push(out, source_of(POD_SOURCE, text->buf, text->len));
	text_reset(text);
}

/* In the order of names, so that the same pods give the same text. */
static void write_groups(const struct pod_groups *g, const struct kube_table *pods,
			 source_list *out)
{
	_text_ struct text text = TEXT_INIT;
	VEC(const struct pod_group *) sorted = {};

	vec_foreach (group, &g->list)
		vec_push(&sorted, group);
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), group_cmp);
	vec_foreach (group, &sorted) {
		write_group(g, pods, *group, &text);
		if (text.len >= CHUNK_SIZE)
			close_chunk(&text, out);
	}
	vec_release(&sorted);
	close_chunk(&text, out);
}

struct pod_groups *pod_groups_new(const struct kube_table tables[KUBE_KIND_COUNT],
				  struct source *const *texts, size_t count, source_list *out)
{
	const struct kube_table *pods = &tables[KUBE_POD];
	struct pod_groups *g = xcalloc(1, sizeof(*g));

	g->other = (struct text)TEXT_INIT;
	read_words(g, texts, count);
	vec_foreach (entry, &pods->entries) {
		if ((*entry)->refusals)
			continue;
		if ((*entry)->object.address_count || is_named(g, *entry))
			add_pod(g, pods->pods, *entry);
	}
	write_groups(g, pods, out);
	kube_add_missing(tables, texts, count, out);
	return g;
}

struct pod_addresses *pod_groups_addresses(const struct pod_groups *g)
{
	struct pod_addresses *list = xcalloc(g->list.count + 1, sizeof(*list));

	for (size_t i = 0; i < g->list.count; i++)
		list[i] = (struct pod_addresses){
			.pod = g->list.items[i].name,
			.addresses = g->list.items[i].addresses.items,
			.count = g->list.items[i].addresses.count,
		};
	return list;
}

void pod_groups_bind(struct pod_groups *g, const struct policy *policy)
{
	struct map places = {};

	for (size_t i = 0; i < policy->workloads.count; i++) {
		const struct workload *w = &policy->workloads.items[i];

		if (w->kind == WORKLOAD_POD)
			map_put(&places, w->name, strlen(w->name), i, NULL);
	}
	vec_foreach (group, &g->list) {
		const uint64_t *place = map_get(&places, group->name, strlen(group->name));

		group->workload = place ? *place : POLICY_NONE;
		vec_release(&group->addresses);
	}
	map_release(&places);
	map_release(&g->by_strings);
	g->is_bound = true;
}

int pod_groups_find(struct pod_groups *g, const struct kube_entry *pod, size_t *ret)
{
	size_t i;
	int err = find(g, pod, &i);

	if (!err && g->list.items[i].workload == POLICY_NONE)
		err = -ENOENT;
	if (!err)
		*ret = g->list.items[i].workload;
	return err;
}

bool is_pod_source(const struct source *source)
{
	return !strcmp(source->name, POD_SOURCE) || !strcmp(source->name, MISSING_SOURCE);
}
