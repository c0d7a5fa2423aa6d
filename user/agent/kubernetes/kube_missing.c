/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_missing.h"

#include <string.h>

#include "agent/kubernetes/kube_texts.h"
#include "policy/kube_names.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/text.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-."

struct search {
	const struct kube_table *tables;
	struct map found;
	struct text pods;
};

static bool is_name_char(char c)
{
	return c && strchr(NAME_CHARS, c);
}

static void add_pod(struct search *s, const char *space, const char *name)
{
	const struct kube_entry *there;
	_text_ struct text key = TEXT_INIT;
	bool is_new;

	text_addf(&key, "%s/%s", space, name);
	there = kube_table_get(&s->tables[KUBE_POD], key.buf);
	if (there && !there->refusals)
		return;
	map_put(&s->found, key.buf, key.len, 0, &is_new);
	if (is_new)
		text_addf(&s->pods,
			  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":"
			  "{\"name\":\"%s\",\"namespace\":\"%s\"},\"status\":"
			  "{\"phase\":\"Failed\"}}\n---\n",
			  name, space);
}

/* As long as namespaces aren't listed, anything may be one. */
static bool is_space(const struct search *s, const char *name)
{
	const struct kube_table *spaces = &s->tables[KUBE_NAMESPACE];

	if (!spaces->entries.count)
		return !kube_label_fault(name);
	return kube_table_get(spaces, name) != NULL;
}

/* Around a slash.  "tcp/80" is one, too, if there is a namespace tcp: it does no harm. */
static void look_at(struct search *s, const char *begin, const char *slash)
{
	const char *first = slash;
	_text_ struct text space = TEXT_INIT;
	_text_ struct text name = TEXT_INIT;

	while (first > begin && is_name_char(first[-1]))
		first--;
	text_addn(&space, first, (size_t)(slash - first));
	text_addn(&name, slash + 1, strspn(slash + 1, NAME_CHARS));
	if (is_space(s, space.buf) && !kube_name_fault(name.buf))
		add_pod(s, space.buf, name.buf);
}

static void search_text(struct search *s, const struct source *source)
{
	const char *slash = source->text;

	while ((slash = memchr(slash, '/', source->len - (size_t)(slash - source->text)))) {
		look_at(s, source->text, slash);
		slash++;
	}
}

void kube_add_missing(const struct kube_table tables[KUBE_KIND_COUNT], struct source *const *texts,
		      size_t count, source_list *out)
{
	struct search s = {.tables = tables, .pods = TEXT_INIT};

	for (size_t i = 0; i < count; i++) {
		if (!is_kube_source(texts[i]) || is_kube_source_of(texts[i], KUBE_ZONE_POLICY))
			search_text(&s, texts[i]);
	}
	if (s.pods.len)
		vec_push(out, source_of(KUBE_SOURCE "missing", s.pods.buf, s.pods.len));
	text_release(&s.pods);
	map_release(&s.found);
}
