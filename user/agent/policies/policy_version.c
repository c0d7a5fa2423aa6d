/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/policy_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"

const char *policy_origin_word(enum policy_origin origin)
{
	static const char *const words[] = {
#define X(id, word) [POLICY_##id] = (word),
		POLICY_ORIGINS(X)
#undef X
	};

	return words[origin];
}

static void hash_policy(struct loaded_policy *loaded)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < loaded->own_sources; i++) {
		const struct source *source = loaded->policy->sources.items[i];

		hash = hash_bytes(source->text, source->len, hash);
	}
	snprintf(loaded->hash, POLICY_HASH_STRLEN, "%016" PRIx64, hash);
}

static char *labels_json(const struct workload *workload)
{
	_text_ struct text out = TEXT_INIT;
	struct json j = {.out = &out};

	json_object(&j, NULL);
	vec_foreach (label, &workload->labels)
		json_string(&j, label->key, label->value);
	json_end(&j, '}');
	return text_take(&out);
}

struct loaded_policy *loaded_policy_new(struct policy *policy, size_t temporary,
					const char *const *paths, size_t count)
{
	struct loaded_policy *loaded = xcalloc(1, sizeof(*loaded));

	loaded->policy = policy;
	loaded->users = 1;
	loaded->loaded_ns = clock_wall_ns();
	loaded->own_sources = policy->sources.count - temporary;
	hash_policy(loaded);
	for (size_t i = 0; i < count; i++)
		vec_push(&loaded->paths, xstrdup(paths[i]));
	vec_foreach (workload, &policy->workloads)
		vec_push(&loaded->labels, labels_json(workload));
	return loaded;
}

struct loaded_policy *loaded_policy_use(struct loaded_policy *loaded)
{
	loaded->users++;
	return loaded;
}

void loaded_policy_view(const struct loaded_policy *loaded, source_view *ret)
{
	for (size_t i = 0; i < loaded->own_sources; i++) {
		if (!is_pod_source(loaded->policy->sources.items[i]))
			vec_push(ret, loaded->policy->sources.items[i]);
	}
}

void loaded_policy_texts(const struct loaded_policy *loaded, source_list *ret)
{
	source_view view = {};

	loaded_policy_view(loaded, &view);
	vec_foreach (source, &view)
		vec_push(ret, source_of((*source)->name, (*source)->text, (*source)->len));
	vec_release(&view);
}

uint64_t loaded_policy_addresses(const struct loaded_policy *loaded)
{
	uint64_t sum = 0;

	vec_foreach (w, &loaded->policy->workloads) {
		uint64_t name = hash_bytes(w->name, strlen(w->name), 0);

		vec_foreach (placed, &w->prefixes)
			sum += hash_bytes(&placed->prefix.addr, sizeof(placed->prefix.addr),
					  name + placed->prefix.len);
	}
	return sum;
}

void loaded_policy_drop(struct loaded_policy *loaded)
{
	if (!loaded || --loaded->users)
		return;
	vec_foreach (path, &loaded->paths)
		free(*path);
	vec_release(&loaded->paths);
	vec_foreach (json, &loaded->labels)
		free(*json);
	vec_release(&loaded->labels);
	pod_groups_free(loaded->groups);
	policy_free(loaded->policy);
	free(loaded);
}

void loaded_policy_dropp(struct loaded_policy **loaded)
{
	loaded_policy_drop(*loaded);
}

struct policy_version *policy_version_new(struct loaded_policy *loaded, struct compiled *compiled)
{
	struct policy_version *v = xcalloc(1, sizeof(*v));

	v->loaded = loaded_policy_use(loaded);
	v->compiled = compiled;
	return v;
}

void policy_version_free(struct policy_version *v)
{
	if (!v)
		return;
	compiled_free(v->compiled);
	vec_release(&v->host);
	loaded_policy_drop(v->loaded);
	free(v);
}

bool policy_version_has(const struct policy_version *v, uint32_t generation)
{
	return v->generation && generation - v->generation <= v->moves;
}

void policy_version_freep(struct policy_version **v)
{
	policy_version_free(*v);
}
