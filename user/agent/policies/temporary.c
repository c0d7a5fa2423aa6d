/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/temporary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/policies/durable.h"
#include "util/address.h"
#include "util/when.h"

static bool has_name(const struct temporaries *t, const char *name)
{
	vec_foreach (rule, &t->list) {
		if (!strcmp(rule->source.name, name))
			return true;
	}
	return false;
}

/* By the time it ends: unlikely to be the name of a rule that is there. */
static void choose_name(const struct temporaries *t, int64_t expires, struct text *out)
{
	for (size_t i = 1; i <= t->list.count + 1; i++) {
		text_reset(out);
		text_addf(out, "temporary-%" PRId64 "-%zu", expires, i);
		if (!has_name(t, out->buf))
			return;
	}
}

/* A word in double quotes is YAML as it is JSON; an address is a selector of its own. */
static void add_end(struct json *j, const char *key, const char *who)
{
	struct prefix prefix;

	if (prefix_parse(who, &prefix, NULL)) {
		json_string(j, key, who);
		return;
	}
	json_object(j, key);
	json_string(j, "cidr", who);
	json_end(j, '}');
}

void temporaries_add(struct temporaries *t, const struct temporary_request *r)
{
	_text_ struct text name = TEXT_INIT;
	_text_ struct text yaml = TEXT_INIT;
	_text_ struct text end = TEXT_INIT;
	struct json j = {.out = &yaml};

	choose_name(t, r->expires, &name);
	time_format(r->expires, &end);
	json_object(&j, NULL);
	json_string(&j, "apiVersion", "bulkhead.dev/v1");
	json_string(&j, "kind", "ZonePolicy");
	json_object(&j, "metadata");
	json_string(&j, "name", name.buf);
	json_end(&j, '}');
	json_object(&j, "spec");
	json_array(&j, "rules");
	json_object(&j, NULL);
	json_string(&j, "name", name.buf);
	add_end(&j, "from", r->from);
	add_end(&j, "to", r->to);
	json_string(&j, "services", r->service);
	json_bool(&j, "log", true);
	json_string(&j, "expires", end.buf);
	json_end(&j, '}');
	json_end(&j, ']');
	json_end(&j, '}');
	json_end(&j, '}');
	text_addc(&yaml, '\n');
	vec_push(&t->list,
		 (struct temporary){source_of(name.buf, yaml.buf, yaml.len), r->expires, 0});
}

void temporaries_drop(struct temporaries *t)
{
	source_release(&t->list.items[--t->list.count].source);
}

/* Both clocks are cut to seconds: the second one is never the first to say so. */
static bool is_over(struct temporary *rule, int64_t wall_s, int64_t boot_s)
{
	if (!rule->until_boot_s)
		rule->until_boot_s = boot_s + (rule->expires - wall_s) + 1;
	return rule->expires <= wall_s || rule->until_boot_s <= boot_s;
}

size_t temporaries_expire(struct temporaries *t, int64_t wall_s, int64_t boot_s)
{
	size_t ended = 0;

	for (size_t i = t->list.count; i > 0; i--) {
		if (!is_over(&t->list.items[i - 1], wall_s, boot_s))
			continue;
		source_release(&t->list.items[i - 1].source);
		vec_remove(&t->list, i - 1);
		ended++;
	}
	return ended;
}

void temporaries_texts(const struct temporaries *t, source_list *ret)
{
	vec_foreach (rule, &t->list)
		vec_push(ret, source_of(rule->source.name, rule->source.text, rule->source.len));
}

int temporaries_save(const struct temporaries *t, const char *state_dir)
{
	_text_ struct text out = TEXT_INIT;
	struct json j = {.out = &out};

	if (!t->list.count)
		return durable_remove(state_dir, TEMPORARY_FILE);
	json_array(&j, NULL);
	vec_foreach (rule, &t->list) {
		json_object(&j, NULL);
		json_string(&j, "name", rule->source.name);
		json_number(&j, "expires", (uint64_t)rule->expires);
		json_string(&j, "text", rule->source.text);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	text_addc(&out, '\n');
	return durable_write(state_dir, TEMPORARY_FILE, &out);
}

static void take_rule(struct temporaries *t, const cJSON *item)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "text"));
	double end = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "expires"));

	if (name && text && end > 0 && end < (double)INT64_MAX)
		vec_push(&t->list,
			 (struct temporary){source_of(name, text, strlen(text)), (int64_t)end, 0});
}

int temporaries_load(struct temporaries *t, const char *state_dir)
{
	_text_ struct text content = TEXT_INIT;
	cJSON *list;
	const cJSON *item;
	int err = durable_read(state_dir, TEMPORARY_FILE, &content);

	if (err)
		return err == -ENOENT ? 0 : err;
	list = cJSON_ParseWithLength(content.buf, content.len);
	if (!cJSON_IsArray(list)) {
		cJSON_Delete(list);
		return -EBADMSG;
	}
	cJSON_ArrayForEach(item, list) take_rule(t, item);
	cJSON_Delete(list);
	return 0;
}

void temporaries_release(struct temporaries *t)
{
	vec_foreach (rule, &t->list)
		source_release(&rule->source);
	vec_release(&t->list);
}
