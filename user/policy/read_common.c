/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_common.h"

#include <string.h>

#include "policy/read_kubernetes.h"
#include "policy/services.h"
#include "util/mem.h"
#include "util/utf8.h"

void reader_init(struct reader *r, struct policy *p, struct diags *d)
{
	*r = (struct reader){
		.policy = p,
		.diags = d,
		.once = READ_ONCE_INIT,
		.zone = POLICY_NONE,
		.kubernetes = kubernetes_new(),
	};
	names_init(&r->names, d);
}

void reader_release(struct reader *r)
{
	kubernetes_free(r->kubernetes);
	names_release(&r->names);
	read_once_release(&r->once);
	vec_release(&r->documents);
	vec_release(&r->zones);
	vec_release(&r->prefixes);
	yaml_release(&r->entry);
}

bool read_entry_keys(struct reader *r, const struct node *n, const struct schema *s,
		     const struct node **values)
{
	arena_clear(&r->entry.arena);
	return schema_read(yaml_unfold(n, r->diags, &r->entry), s, r->diags, values);
}

const struct node *read_word(struct reader *r, const struct node *entry,
			     const struct yaml_word *word)
{
	const struct node folded = yaml_word_node(entry, word);

	return yaml_unfold(&folded, r->diags, &r->entry);
}

char *keep_text(struct reader *r, const struct node *n)
{
	return arena_text(&r->policy->memory, n->text, strlen(n->text));
}

char *keep_word(struct reader *r, const struct yaml_word *word)
{
	return arena_text(&r->policy->memory, word->text, word->len);
}

/* One character too many is enough to be refused. */
char *read_name(struct reader *r, enum name_kind kind, size_t index, const struct node *n)
{
	struct name name = {.kind = kind, .index = index};
	char *text;

	if (!n)
		return xstrdup("");
	text = xstrndup(n->text, strnlen(n->text, POLICY_NAME_MAX + 1));
	name.text = text;
	name.at = n->at;
	names_define(&r->names, &name);
	return text;
}

char *keep_name(struct reader *r, const struct name *name, size_t len)
{
	size_t most = len <= POLICY_NAME_MAX ? len : POLICY_NAME_MAX + 1;
	char *text = arena_text(&r->policy->memory, name->text, most);
	struct name kept = *name;

	kept.text = text;
	names_define(&r->names, &kept);
	return text;
}

char *keep_node_name(struct reader *r, enum name_kind kind, size_t index, const struct node *n)
{
	struct name name = {.kind = kind, .index = index};

	if (!n)
		return arena_text(&r->policy->memory, "", 0);
	name.text = n->text;
	name.at = n->at;
	return keep_name(r, &name, strnlen(n->text, POLICY_NAME_MAX + 1));
}

void read_prefixes(struct reader *r, const struct node *n, placed_prefixes *out)
{
	const struct node *item = n ? schema_items(n, r->diags) : NULL;

	for (; item; item = item->next) {
		_text_ struct text reason = TEXT_INIT;
		struct placed_prefix placed = {.at = item->at};
		char buf[SHOWN_SIZE];
		const char *wrong;

		if (!schema_is_text(item, "an address", r->diags))
			continue;
		wrong = prefix_parse(item->text, &placed.prefix, &reason);
		if (wrong)
			diag_error(r->diags, item->at, "'%s': %s", shown(item->text, buf), wrong);
		else
			vec_push(out, placed);
	}
}

bool read_has_controls(const char *s, size_t len)
{
	uint32_t point;

	for (size_t i = 0; i < len;) {
		if (s[i] >= ' ' && s[i] < 0x7f) {
			i++;
			continue;
		}
		i += utf8_next(s + i, len - i, &point);
		if (point == '\t' || utf8_is_control(point))
			return true;
	}
	return false;
}

static bool read_label_text(struct reader *r, const struct node *n, const char *what)
{
	char buf[SHOWN_SIZE];
	size_t len;

	if (!schema_is_text(n, what, r->diags))
		return false;
	len = strnlen(n->text, LABEL_MAX + 1);
	if (len > LABEL_MAX) {
		diag_error(r->diags, n->at, "%s is longer than %d bytes: '%s'", what, LABEL_MAX,
			   shown(n->text, buf));
		return false;
	}
	if (read_has_controls(n->text, len)) {
		diag_error(r->diags, n->at, "%s can't hold control characters: '%s'", what,
			   shown(n->text, buf));
		return false;
	}
	return true;
}

bool read_label_key(struct reader *r, const struct node *n)
{
	if (n->kind == NODE_TEXT && !n->text[0]) {
		diag_error(r->diags, n->at, "a label's key can't be empty");
		return false;
	}
	return read_label_text(r, n, "a label's key");
}

bool read_label_value(struct reader *r, const struct node *n)
{
	return read_label_text(r, n, "a label's value");
}

static bool is_given_twice(const struct yaml_label *list, size_t last)
{
	const struct yaml_word *key = &list[last].key;

	for (size_t i = 0; i < last; i++) {
		if (yaml_word_same(&list[i].key, key))
			return true;
	}
	return false;
}

bool read_label_words(const struct yaml_word *word, struct label_words *ret)
{
	struct yaml_items items;

	if (!yaml_labels_begin(word, &items))
		return false;
	for (ret->count = 0; !yaml_items_end(&items); ret->count++) {
		struct yaml_label *label = &ret->items[ret->count];

		if (ret->count == LABEL_WORDS_MAX || !yaml_labels_next(&items, label) ||
		    label->key.len > LABEL_MAX || label->value.text.len > LABEL_MAX ||
		    is_given_twice(ret->items, ret->count))
			return false;
	}
	return true;
}

void read_mode(struct reader *r, const struct node *n, enum mode *ret)
{
	static const char *const list[] = {"enforce", "audit", "off"};
	static const enum mode modes[] = {MODE_ENFORCE, MODE_AUDIT, MODE_OFF};
	static const struct words words = {"a mode", list, COUNT(list)};
	size_t i;

	if (n && schema_word(n, &words, r->diags, &i))
		*ret = modes[i];
}

bool read_operator(struct reader *r, const struct node *n, enum requirement_kind *ret)
{
	static const char *const list[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	static const enum requirement_kind kinds[] = {REQUIRE_IN, REQUIRE_NOT_IN, REQUIRE_EXISTS,
						      REQUIRE_NOT_EXISTS};
	static const struct words words = {"an operator", list, COUNT(list)};
	size_t i;

	if (!schema_word(n, &words, r->diags, &i))
		return false;
	*ret = kinds[i];
	return true;
}

size_t read_zone_name(struct reader *r, const char *text, struct span at)
{
	const struct name *name = names_find(&r->names, SCOPE_MEMBERS, text);

	if (name && name->kind == NAME_ZONE)
		return name->index;
	if (name)
		diag_error(r->diags, at, "'%s' is %s; a zone is wanted here", name->text,
			   name_kind_word(name->kind));
	else
		names_unknown(&r->names, SCOPE_MEMBERS, "zone", text, at);
	return POLICY_NONE;
}

void read_ports(struct reader *r, const struct node *n, services *out)
{
	const struct node *item = n ? schema_items(n, r->diags) : NULL;

	for (; item; item = item->next) {
		_text_ struct text reason = TEXT_INIT;
		char buf[SHOWN_SIZE];

		if (!schema_is_text(item, "a service", r->diags))
			continue;
		if (!services_is_literal(item->text))
			diag_error(r->diags, item->at,
				   "'%s' is no port; a named service lists ports such as tcp/443",
				   shown(item->text, buf));
		else if (!services_parse(item->text, out, &reason))
			diag_error(r->diags, item->at, "'%s': %s", shown(item->text, buf),
				   reason.buf);
	}
	services_normalise(out);
}
