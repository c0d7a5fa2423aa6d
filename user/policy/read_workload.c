/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#define WORD_MAX 64 /* bytes of an address that is read from its word */

enum workload_key {
	WORKLOAD_NAME,
	WORKLOAD_ZONE,
	WORKLOAD_ADDRESSES,
	WORKLOAD_LABELS,
	WORKLOAD_MODE,
	WORKLOAD_NAMESPACES,
	WORKLOAD_PODS,
	WORKLOAD_KEYS
};

/* clang-format off */
static const struct schema_key workload_keys[] = {
	[WORKLOAD_NAME]       = { "name",              KEY_REQUIRED, FORM_TEXT },
	[WORKLOAD_ZONE]       = { "zone",              KEY_OPTIONAL, FORM_TEXT },
	[WORKLOAD_ADDRESSES]  = { "addresses",         KEY_OPTIONAL, FORM_ANY },
	[WORKLOAD_LABELS]     = { "labels",            KEY_OPTIONAL, FORM_MAP },
	[WORKLOAD_MODE]       = { "mode",              KEY_OPTIONAL, FORM_TEXT },
	[WORKLOAD_NAMESPACES] = { "namespaceSelector", KEY_OPTIONAL, FORM_MAP },
	[WORKLOAD_PODS]       = { "podSelector",       KEY_OPTIONAL, FORM_MAP },
};

static const struct schema workload_schema =
	{ "a workload", workload_keys, COUNT(workload_keys) };
/* clang-format on */

/* A workload has addresses, or pods, or both. */
static void check_members(struct reader *r, const struct node *n, const struct node **v)
{
	if (!v[WORKLOAD_ADDRESSES] && !v[WORKLOAD_NAMESPACES] && !v[WORKLOAD_PODS])
		diag_error(r->diags, n->at,
			   "missing key 'addresses'; a workload needs it, or a selector of pods");
}

static void read_labels(struct reader *r, const struct node *n, labels *out)
{
	size_t size = n ? n->count * sizeof(*out->items) : 0;

	if (!size)
		return;
	out->items = arena_take(&r->policy->memory, size, _Alignof(struct label));
	node_foreach(key, n)
	{
		if (!read_label_key(r, key) || !read_label_value(r, key->value))
			continue;
		out->items[out->count++] = (struct label){
			.key = keep_text(r, key),
			.value = keep_text(r, key->value),
			.at = key->at,
		};
	}
}

/* Of r->prefixes. */
static void copy_prefixes(struct reader *r, placed_prefixes *out)
{
	const placed_prefixes *list = &r->prefixes;

	if (!list->count)
		return;
	out->items = arena_copy(&r->policy->memory, list->items, list->count * sizeof(*list->items),
				_Alignof(struct placed_prefix));
	out->count = list->count;
}

static void keep_prefixes(struct reader *r, const struct node *n, placed_prefixes *out)
{
	r->prefixes.count = 0;
	read_prefixes(r, n, &r->prefixes);
	copy_prefixes(r, out);
}

/* POLICY_NONE if it isn't known by now. */
static size_t refer_to_zone(struct reader *r, size_t workload, const struct node *n)
{
	const struct name *name = names_find(&r->names, SCOPE_MEMBERS, n->text);

	if (name && name->kind == NAME_ZONE)
		return name->index;
	vec_push(&r->zones, (struct zone_reference){workload, keep_text(r, n), n->at});
	return POLICY_NONE;
}

static void read_workload_nodes(struct reader *r, const struct node *n)
{
	struct workload workload = {WORKLOAD_ALONE, .is_kept = true, .document_mode = r->mode,
				    .at = n->at};
	size_t index = r->policy->workloads.count, errors = r->diags->errors;
	const struct node *v[WORKLOAD_KEYS];

	if (!read_entry_keys(r, n, &workload_schema, v))
		return;
	if (r->diags->errors == errors)
		check_members(r, n, v);
	if (v[WORKLOAD_NAME])
		workload.at = v[WORKLOAD_NAME]->at;
	workload.name = keep_node_name(r, NAME_WORKLOAD, index, v[WORKLOAD_NAME]);
	if (v[WORKLOAD_ZONE])
		workload.zone = refer_to_zone(r, index, v[WORKLOAD_ZONE]);
	keep_prefixes(r, v[WORKLOAD_ADDRESSES], &workload.prefixes);
	read_labels(r, v[WORKLOAD_LABELS], &workload.labels);
	read_mode(r, v[WORKLOAD_MODE], &workload.mode);
	workload.pods = read_member_pods(r, v[WORKLOAD_NAMESPACES], v[WORKLOAD_PODS]);
	vec_push(&r->policy->workloads, workload);
}

/* --- of a workload that is folded, what is written: most are names, addresses and labels --- */

/* False for what is no address, too: the nodes tell what it is. */
static bool take_address(struct reader *r, const struct node *n, const struct yaml_item *item)
{
	struct placed_prefix placed = {.at = yaml_word_at(n, &item->whole)};
	char text[WORD_MAX];

	if (item->text.len >= sizeof(text))
		return false;
	memcpy(text, item->text.text, item->text.len);
	text[item->text.len] = '\0';
	if (prefix_parse(text, &placed.prefix, NULL))
		return false;
	vec_push(&r->prefixes, placed);
	return true;
}

static bool take_addresses(struct reader *r, const struct node *n, const struct yaml_word *word)
{
	const struct yaml_item alone = {*word, *word};
	struct yaml_items items;
	struct yaml_item item;

	r->prefixes.count = 0;
	if (yaml_word_is_text(word))
		return take_address(r, n, &alone);
	if (!yaml_items_begin(word, &items))
		return false;
	while (!yaml_items_end(&items)) {
		if (!yaml_items_next(&items, &item) || !take_address(r, n, &item))
			return false;
	}
	return r->prefixes.count;
}

/* Most workloads are in the zone of the one before. */
static size_t zone_of_word(struct reader *r, const struct node *n, const struct yaml_word *word)
{
	const size_t index = r->policy->workloads.count;

	if (!word->text)
		return POLICY_NONE;
	if (r->zone == POLICY_NONE || !yaml_word_same(&r->zone_word, word)) {
		r->zone = refer_to_zone(r, index, read_word(r, n, word));
		r->zone_word = *word;
	}
	return r->zone;
}

static void keep_labels(struct reader *r, const struct node *n, const struct label_words *from,
			labels *out)
{
	if (!from->count)
		return;
	out->items = arena_take(&r->policy->memory, from->count * sizeof(*out->items),
				_Alignof(struct label));
	for (; out->count < from->count; out->count++) {
		const struct yaml_label *label = &from->items[out->count];

		out->items[out->count] = (struct label){
			.key = keep_word(r, &label->key),
			.value = keep_word(r, &label->value.text),
			.at = yaml_word_at(n, &label->key),
		};
	}
}

/* False, and nothing is read, if it has anything else. */
static bool read_workload_words(struct reader *r, const struct node *n,
				const struct yaml_word *words)
{
	const struct name name = {
		.text = words[WORKLOAD_NAME].text,
		.kind = NAME_WORKLOAD,
		.index = r->policy->workloads.count,
		.at = yaml_word_at(n, &words[WORKLOAD_NAME]),
	};
	struct workload workload = {WORKLOAD_ALONE, .is_kept = true, .document_mode = r->mode,
				    .at = name.at};
	struct label_words given;

	given.count = 0;
	if (!words[WORKLOAD_ADDRESSES].text || words[WORKLOAD_MODE].text ||
	    words[WORKLOAD_NAMESPACES].text || words[WORKLOAD_PODS].text ||
	    !take_addresses(r, n, &words[WORKLOAD_ADDRESSES]) ||
	    (words[WORKLOAD_LABELS].text && !read_label_words(&words[WORKLOAD_LABELS], &given)))
		return false;
	arena_clear(&r->entry.arena);
	workload.name = keep_name(r, &name, words[WORKLOAD_NAME].len);
	workload.zone = zone_of_word(r, n, &words[WORKLOAD_ZONE]);
	copy_prefixes(r, &workload.prefixes);
	keep_labels(r, n, &given, &workload.labels);
	vec_push(&r->policy->workloads, workload);
	return true;
}

void read_workload(struct reader *r, const struct node *n)
{
	struct yaml_word words[WORKLOAD_KEYS];

	if (!schema_read_words(n, &workload_schema, words) || !read_workload_words(r, n, words))
		read_workload_nodes(r, n);
}
