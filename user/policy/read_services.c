/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#include "policy/services.h"

/* The ranges that are held in all stay bounded, whatever named services multiply to. */
static bool take_ranges(struct reader *r, const struct node *n, size_t count)
{
	if (r->ranges > POLICY_MAX_RANGES)
		return false;
	r->ranges += count;
	if (r->ranges <= POLICY_MAX_RANGES)
		return true;
	diag_error(r->diags, n->at, "the rules span more than %d ranges of services",
		   POLICY_MAX_RANGES);
	return false;
}

static void add_named(struct reader *r, const struct node *n, size_t index, services *out)
{
	const services *named = &r->policy->services.items[index].services;

	if (!take_ranges(r, n, named->count))
		return;
	vec_foreach (range, named)
		vec_push(out, *range);
	r->policy->services.items[index].is_used = true;
}

static void add_literal(struct reader *r, const struct node *n, services *out)
{
	_text_ struct text reason = TEXT_INIT;
	char buf[SHOWN_SIZE];
	size_t count = out->count;

	if (!services_parse(n->text, out, &reason))
		diag_error(r->diags, n->at, "'%s': %s", shown(n->text, buf), reason.buf);
	else
		take_ranges(r, n, out->count - count);
}

/* Whether it was a service.  What has a slash is no name: no table needs to be asked. */
static bool add_service(struct reader *r, const struct node *n, services *out)
{
	const struct name *name = NULL, *member;
	size_t errors = r->diags->errors;

	if (!strchr(n->text, '/'))
		name = names_find(&r->names, SCOPE_SERVICES, n->text);
	if (name) {
		add_named(r, n, name->index, out);
		return true;
	}
	if (services_is_literal(n->text)) {
		add_literal(r, n, out);
		return r->diags->errors == errors;
	}
	member = names_find(&r->names, SCOPE_MEMBERS, n->text);
	if (member)
		diag_error(r->diags, n->at, "'%s' is %s; a service is wanted here", member->text,
			   name_kind_word(member->kind));
	else
		names_unknown(&r->names, SCOPE_SERVICES, "service", n->text, n->at);
	return false;
}

void read_services(struct reader *r, const struct node *n, services *out, struct text *written)
{
	const struct node *item = n ? schema_items(n, r->diags) : NULL;

	for (; item; item = item->next) {
		if (!schema_is_text(item, "a service", r->diags))
			continue;
		if (!add_service(r, item, out) || !written)
			continue;
		text_add(written, written->len ? ", " : "");
		text_add(written, item->text);
	}
	services_normalise(out);
}

/* What was read, in the policy's memory. */
static struct services_once keep_services(struct reader *r, const services *list,
					  const struct text *written)
{
	struct arena *memory = &r->policy->memory;
	struct services_once kept = {.text = arena_text(memory, written->buf, written->len)};

	if (!list->count)
		return kept;
	kept.services.items = arena_copy(memory, list->items, list->count * sizeof(*list->items),
					 _Alignof(struct service_range));
	kept.services.count = list->count;
	return kept;
}

/* @key: how it is written, if it has one. */
static struct services_once read_services_anew(struct reader *r, const struct node *n,
					       const struct yaml_word *key)
{
	_text_ struct text written = TEXT_INIT;
	size_t errors = r->diags->errors, ranges = r->ranges;
	struct services_once kept;
	services list = {};

	read_services(r, n, &list, &written);
	kept = keep_services(r, &list, &written);
	kept.ranges = r->ranges - ranges;
	if (key && r->diags->errors == errors)
		read_once_note_services(&r->once, key, &kept);
	vec_release(&list);
	return kept;
}

/* What is known of a list; NULL, too, where the bound is reached: the one at fault is told then. */
static const struct services_once *known_services(struct reader *r, const struct yaml_word *key)
{
	const struct services_once *known = read_once_services(&r->once, key);

	if (!known || r->ranges + known->ranges > POLICY_MAX_RANGES)
		return NULL;
	r->ranges += known->ranges;
	return known;
}

struct services_once read_rule_services(struct reader *r, const struct node *n)
{
	const struct services_once *known;
	struct yaml_word key;

	if (!n || !read_once_services_key(&r->once, n, &key))
		return read_services_anew(r, n, NULL);
	known = known_services(r, &key);
	return known ? *known : read_services_anew(r, n, &key);
}

struct services_once read_services_word(struct reader *r, const struct node *entry,
					const struct yaml_word *word)
{
	const struct services_once *known = known_services(r, word);

	return known ? *known : read_services_anew(r, read_word(r, entry, word), word);
}
