/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "util/text.h"

#define REPORTERS_MAX 4096
#define EXACT_MAX     9007199254740992.0 /* of a JSON number here */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Where four groups begin: 8-4-4-4-12 digits. */
static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool kube_uid_parse(const char *text, struct kube_uid *ret)
{
	struct kube_uid uid = {};
	size_t digits = 0;

	if (!text || strlen(text) != KUBE_UID_STRLEN - 1)
		return false;
	for (size_t i = 0; text[i]; i++) {
		int value = hex_value(text[i]);

		if (is_dash(i) && text[i] == '-')
			continue;
		if (is_dash(i) || value < 0)
			return false;
		uid.bytes[digits / 2] |= (uint8_t)(digits % 2 ? value : value << 4);
		digits++;
	}
	*ret = uid;
	return true;
}

bool kube_uid_format(const struct kube_uid *uid, char buf[static KUBE_UID_STRLEN])
{
	static const struct kube_uid none;
	static const char hex[] = "0123456789abcdef";
	size_t digits = 0;

	if (!memcmp(uid, &none, sizeof(none)))
		return false;
	for (size_t i = 0; i < KUBE_UID_STRLEN - 1; i++) {
		if (is_dash(i)) {
			buf[i] = '-';
			continue;
		}
		buf[i] =
			hex[digits % 2 ? uid->bytes[digits / 2] & 15 : uid->bytes[digits / 2] >> 4];
		digits++;
	}
	buf[KUBE_UID_STRLEN - 1] = '\0';
	return true;
}

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void read_reporters(const cJSON *object, struct kube_identity *ret)
{
	const cJSON *nodes = member(member(object, "status"), "nodes"), *node;
	_text_ struct text names = TEXT_INIT;
	size_t count = 0;

	cJSON_ArrayForEach(node, nodes)
	{
		const char *name = cJSON_GetStringValue(member(node, "name"));

		if (name && *name && !strchr(name, '\n') && count++ < REPORTERS_MAX)
			text_addf(&names, "%s\n", name);
		ret->is_enforced |= cJSON_GetNumberValue(member(node, "enforcedGeneration")) >= 1;
		ret->is_left_out |= cJSON_IsTrue(member(node, "leftOut"));
	}
	ret->reporters = names.len ? text_take(&names) : NULL;
}

void kube_identity_read(const cJSON *object, bool has_reporters, struct kube_identity *ret)
{
	const cJSON *metadata = member(object, "metadata");
	double generation = cJSON_GetNumberValue(member(metadata, "generation"));

	*ret = (struct kube_identity){};
	if (generation >= 1 && generation <= EXACT_MAX)
		ret->generation = (uint64_t)generation;
	(void)kube_uid_parse(cJSON_GetStringValue(member(metadata, "uid")), &ret->uid);
	if (has_reporters)
		read_reporters(object, ret);
}

void kube_identity_release(struct kube_identity *i)
{
	free(i->reporters);
	*i = (struct kube_identity){};
}
