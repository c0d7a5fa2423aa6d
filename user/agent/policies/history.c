/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/history.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/policies/durable.h"
#include "util/clock.h"

#define NAME_FORMAT "%08" PRIu64 ".json"
#define NAME_DIGITS 8

typedef VEC(uint64_t) number_list;

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static int number_cmp(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* The newest first. */
static int list_numbers(const char *directory, number_list *ret)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		char digits[NAME_DIGITS + 1] = "";

		if (strspn(name, "0123456789") != NAME_DIGITS ||
		    strcmp(name + NAME_DIGITS, ".json") != 0)
			continue;
		memcpy(digits, name, NAME_DIGITS);
		vec_push(ret, strtoull(digits, NULL, 10));
	}
	closedir(dir);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), number_cmp);
	return 0;
}

static int read_entry(const char *directory, uint64_t number, cJSON **ret)
{
	_text_ struct text name = TEXT_INIT;
	_text_ struct text content = TEXT_INIT;
	int err;

	text_addf(&name, NAME_FORMAT, number);
	err = durable_read(directory, name.buf, &content);
	if (err)
		return err;
	*ret = cJSON_ParseWithLength(content.buf, content.len);
	return *ret ? 0 : -EBADMSG;
}

static bool is_entry_of(const char *directory, uint64_t number, const char *hash)
{
	_cleanup_(free_json)
	cJSON *entry = NULL;
	const char *found;

	if (read_entry(directory, number, &entry))
		return false;
	found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "hash"));
	return found && !strcmp(found, hash);
}

static void write_entry(const struct loaded_policy *loaded, const struct caller *who,
			struct text *out)
{
	struct json j = {.out = out};
	char time[CLOCK_STRLEN];

	json_object(&j, NULL);
	json_string(&j, "time", clock_format(clock_wall_ns(), time));
	json_string(&j, "hash", loaded->hash);
	caller_json(&j, "who", who);
	json_array(&j, "sources");
	for (size_t i = 0; i < loaded->own_sources; i++) {
		const struct source *source = loaded->policy->sources.items[i];

		json_object(&j, NULL);
		json_string(&j, "name", source->name);
		json_string(&j, "text", source->text);
		json_end(&j, '}');
		source_rest(source);
	}
	json_end(&j, ']');
	json_end(&j, '}');
	text_addc(out, '\n');
}

static void remove_oldest(const char *directory, const number_list *numbers)
{
	for (size_t i = HISTORY_BACK; i < numbers->count; i++) {
		_text_ struct text name = TEXT_INIT;

		text_addf(&name, NAME_FORMAT, numbers->items[i]);
		durable_remove(directory, name.buf);
	}
}

int history_add(const char *state_dir, const struct loaded_policy *loaded, const struct caller *who)
{
	_text_ struct text directory = TEXT_INIT;
	_text_ struct text content = TEXT_INIT;
	_text_ struct text name = TEXT_INIT;
	number_list numbers = {};
	int err = durable_directory(state_dir, HISTORY_DIRECTORY, &directory);

	if (!err)
		err = list_numbers(directory.buf, &numbers);
	if (err)
		return err;
	if (!numbers.count || !is_entry_of(directory.buf, numbers.items[0], loaded->hash)) {
		write_entry(loaded, who, &content);
		text_addf(&name, NAME_FORMAT, numbers.count ? numbers.items[0] + 1 : 1);
		err = durable_write(directory.buf, name.buf, &content);
		if (!err)
			remove_oldest(directory.buf, &numbers);
	}
	vec_release(&numbers);
	return err;
}

static int take_sources(const cJSON *entry, source_list *ret)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(entry, "sources");
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *name =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
		const char *text =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "text"));

		if (!name || !text)
			return -EBADMSG;
		vec_push(ret, source_of(name, text, strlen(text)));
	}
	return ret->count ? 0 : -EBADMSG;
}

static int say_too_far(size_t count, unsigned int back, struct text *reterr)
{
	if (count > 1)
		text_addf(reterr, "there is no policy %u back: %zu are kept", back, count - 1);
	else
		text_add(reterr, "no policy before this one is kept");
	return -ENOENT;
}

int history_read(const char *state_dir, unsigned int back, source_list *ret, struct text *reterr)
{
	_cleanup_(free_json)
	cJSON *entry = NULL;
	_text_ struct text directory = TEXT_INIT;
	number_list numbers = {};
	int err;

	text_addf(&directory, "%s/" HISTORY_DIRECTORY, state_dir);
	err = list_numbers(directory.buf, &numbers);
	if (!err && back >= numbers.count)
		err = say_too_far(numbers.count, back, reterr);
	if (!err)
		err = read_entry(directory.buf, numbers.items[back], &entry);
	if (!err)
		err = take_sources(entry, ret);
	if (err && !reterr->len)
		text_addf(reterr, "cannot read '%s': %s", directory.buf, strerror(-err));
	if (err)
		source_list_release(ret);
	vec_release(&numbers);
	return err;
}
