/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/yaml_text.h"
#include "util/cleanup.h"
#include "util/map.h"

#define SUBSTITUTE    0x1a /* the character for what can't be there */
#define KEYS_COMPARED 16   /* larger mappings are searched for duplicates with a table */

/* A collection that isn't finished. */
struct frame {
	struct node *node;
	struct node **tail; /* where the next item or key goes */
	struct node *key;   /* a key that waits for its value */
	const char *anchor; /* NULL: none */
};

struct builder {
	const struct source *source;
	struct diags *diags;
	struct yaml *out;
	struct yaml_cursor cursor;
	struct yaml_quote quote;
	struct map anchors; /* name -> struct node *, of this document */
	size_t expanded;    /* nodes that aliases have added */
	unsigned int depth;
	bool has_rare;
	struct frame stack[YAML_DEPTH];
};

bool node_is_missing(const struct node *n)
{
	return n->kind == NODE_TEXT && n->is_plain && !n->text[0];
}

bool node_is_null(const struct node *n)
{
	static const char *const words[] = {"", "null", "~", "Null", "NULL"};

	if (n->kind != NODE_TEXT || !n->is_plain)
		return false;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(n->text, words[i]))
			return true;
	}
	return false;
}

const char *node_word(const struct node *n)
{
	static const char *const words[] = {
		[NODE_TEXT] = "text",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a mapping",
	};

	return words[n->kind];
}

/* The whole of a span on one line; of a longer one only the first character. */
static struct span span_of(const struct builder *b, yaml_mark_t from, yaml_mark_t to)
{
	bool is_one_line = from.line == to.line && to.column > from.column;

	return (struct span){
		.source = b->source,
		.line = (unsigned int)from.line + 1,
		.column = (unsigned int)from.column + 1,
		.len = is_one_line ? (unsigned int)(to.column - from.column) : 1,
	};
}

static struct node *node_new(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct node *n = arena_alloc(&b->out->arena, sizeof(*n));

	n->kind = kind;
	n->size = 1;
	n->height = kind != NODE_TEXT;
	n->at = span_of(b, event->start_mark, event->end_mark);
	return n;
}

/* libyaml's event starts at the anchor; what is meant stands behind it. */
static void skip_anchor(struct builder *b, struct node *n, const yaml_event_t *event)
{
	yaml_mark_t from;

	yaml_cursor_move(&b->cursor, event->start_mark.index);
	yaml_cursor_skip_anchor(&b->cursor);
	from = (yaml_mark_t){.line = b->cursor.line, .column = b->cursor.column};
	n->at = span_of(b, from, event->end_mark);
}

static void set_anchor(struct builder *b, const char *anchor, struct node *n)
{
	if (anchor)
		*map_put(&b->anchors, anchor, strlen(anchor), 0, NULL) = (uintptr_t)n;
}

/* A missing value has no place of its own that a caret could show. */
static void place_missing(struct node *n, const struct node *key)
{
	if (!node_is_missing(n))
		return;
	if (key)
		n->at = key->at;
	else if (n->at.column > 1)
		n->at.column--;
}

static int add_key(struct builder *b, struct frame *top, struct node *n)
{
	if (n->kind != NODE_TEXT) {
		diag_error(b->diags, n->at, "%s can't be a key; quote it if it is text",
			   node_word(n));
		return -EINVAL;
	}
	top->key = n;
	if (n->is_plain && !strcmp(n->text, "<<")) {
		diag_error(b->diags, n->at, "merge keys are not accepted; write the keys out");
		return 0; /* neither it nor its value is seen by anyone */
	}
	*top->tail = n;
	top->tail = &n->next;
	top->node->count++;
	return 0;
}

/* Puts a finished node where it belongs. */
static int attach(struct builder *b, struct node *n)
{
	struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;
	struct node *parent;

	if (!top) {
		if (!node_is_missing(n))
			vec_push(&b->out->documents, n);
		return 0;
	}
	parent = top->node;
	parent->size += n->size;
	parent->is_odd = parent->is_odd || n->is_odd;
	if (parent->height <= n->height)
		parent->height = n->height + 1;
	if (parent->kind == NODE_MAP && !top->key)
		return add_key(b, top, n);

	place_missing(n, top->key);
	if (parent->kind == NODE_MAP) {
		top->key->value = n;
		top->key = NULL;
		return 0;
	}
	*top->tail = n;
	top->tail = &n->next;
	parent->count++;
	return 0;
}

static void check_tag(struct builder *b, const void *tag, const struct node *n)
{
	if (tag)
		diag_error(b->diags, n->at, "explicit tags are not accepted; leave it out");
}

/* Rare characters up to the text are refused, and those in it unless it is quoted as in JSON. */
static bool holds_rare(struct builder *b, const yaml_event_t *event)
{
	bool is_quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	bool is_found;

	while (yaml_cursor_find_rare(&b->cursor, event->start_mark.index))
		yaml_text_refuse(&b->cursor, b->source, b->diags);
	is_found = yaml_cursor_find_rare(&b->cursor, event->end_mark.index);
	while (!is_quoted && yaml_cursor_find_rare(&b->cursor, event->end_mark.index))
		yaml_text_refuse(&b->cursor, b->source, b->diags);
	yaml_cursor_move(&b->cursor, event->end_mark.index);
	return is_found;
}

/* What no text of ours may hold is marked, in the node and in the text. */
static void set_text(struct builder *b, struct node *n, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	char *text = arena_text(&b->out->arena, (const char *)event->data.scalar.value, len);
	char *nul = text;

	n->text = text;
	if (b->has_rare && holds_rare(b, event)) {
		n->is_odd = true;
		text[0] = len ? SUBSTITUTE : '\0';
	}
	while ((nul = memchr(nul, '\0', len - (size_t)(nul - text)))) {
		n->is_odd = true;
		*nul = SUBSTITUTE;
	}
}

static int take_scalar(struct builder *b, const yaml_event_t *event)
{
	struct node *n = node_new(b, NODE_TEXT, event);

	check_tag(b, event->data.scalar.tag, n);
	if (event->data.scalar.anchor)
		skip_anchor(b, n, event);
	set_text(b, n, event);
	n->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (!n->is_plain)
		b->quote = (struct yaml_quote){event->start_mark, event->end_mark};
	set_anchor(b, (const char *)event->data.scalar.anchor, n);
	return attach(b, n);
}

static int too_deep(struct builder *b, struct span at)
{
	diag_error(b->diags, at, "nested more than %d levels deep", YAML_DEPTH);
	return -EINVAL;
}

static int start_collection(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	bool is_map = kind == NODE_MAP;
	const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor
					   : event->data.sequence_start.anchor;
	struct node *n = node_new(b, kind, event);
	struct frame *top;

	check_tag(b, is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag, n);
	if (anchor)
		skip_anchor(b, n, event);
	if (b->depth == YAML_DEPTH)
		return too_deep(b, n->at);
	top = &b->stack[b->depth++];
	*top = (struct frame){.node = n, .tail = &n->first};
	if (anchor)
		top->anchor = arena_text(&b->out->arena, (const char *)anchor,
					 strlen((const char *)anchor));
	return 0;
}

static void duplicate_key(struct builder *b, const struct node *first, const struct node *second)
{
	bool begins_document = !strcmp(second->text, "apiVersion");

	diag_error(b->diags, second->at, "the key '%.40s' is given twice%s", second->text,
		   begins_document ? "; a line '---' begins another document" : "");
	diag_note(b->diags, first->at, "first given here");
}

static void check_large_map(struct builder *b, const struct node *map)
{
	struct map seen = {};

	node_foreach(key, map)
	{
		uint64_t *place;
		bool is_new;

		place = map_put(&seen, key->text, strlen(key->text), (uintptr_t)key, &is_new);
		if (!is_new)
			duplicate_key(b, (const struct node *)(uintptr_t)*place, key);
	}
	map_release(&seen);
}

static void check_keys(struct builder *b, const struct node *map)
{
	if (map->count > KEYS_COMPARED) {
		check_large_map(b, map);
		return;
	}
	node_foreach(key, map)
	{
		const struct node *first = map->first;

		while (first != key && strcmp(first->text, key->text) != 0)
			first = first->next;
		if (first != key)
			duplicate_key(b, first, key);
	}
}

static int end_collection(struct builder *b)
{
	struct frame *top;

	assert(b->depth);
	top = &b->stack[--b->depth];
	if (top->node->kind == NODE_MAP)
		check_keys(b, top->node);
	set_anchor(b, top->anchor, top->node);
	return attach(b, top->node);
}

static int take_alias(struct builder *b, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const uint64_t *place = map_get(&b->anchors, name, strlen(name));
	struct node *n = node_new(b, NODE_TEXT, event);
	struct span at = n->at;

	if (!place) {
		diag_error(b->diags, at, "no anchor '&%.40s' is finished before this alias", name);
		return -EINVAL;
	}
	*n = *(const struct node *)(uintptr_t)*place;
	n->at = at;
	n->next = NULL;
	n->value = NULL;
	b->expanded += n->size;
	if (b->expanded > YAML_EXPANSION) {
		diag_error(b->diags, at, "the aliases of this file expand to more than %d nodes",
			   YAML_EXPANSION);
		return -EINVAL;
	}
	return b->depth + n->height > YAML_DEPTH ? too_deep(b, at) : attach(b, n);
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(b, event);
	case YAML_ALIAS_EVENT:
		return take_alias(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return start_collection(b, NODE_LIST, event);
	case YAML_MAPPING_START_EVENT:
		return start_collection(b, NODE_MAP, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end_collection(b);
	case YAML_DOCUMENT_END_EVENT:
		map_release(&b->anchors);
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return 0;
	}
	return 0;
}

static int build(struct builder *b, yaml_parser_t *parser)
{
	yaml_event_t event;
	bool is_end;
	int err;

	do {
		if (!yaml_parser_parse(parser, &event)) {
			yaml_text_error(b->source, parser, &b->quote, b->diags);
			return -EINVAL;
		}
		is_end = event.type == YAML_STREAM_END_EVENT;
		err = take_event(b, &event);
		yaml_event_delete(&event);
		if (!err && b->diags->errors >= DIAG_KEPT)
			err = -EINVAL;
	} while (!err && !is_end);
	return err;
}

int yaml_parse(const struct source *source, struct diags *d, struct yaml *ret)
{
	struct builder b = {.source = source, .diags = d, .out = ret};
	struct yaml_cursor fed;
	yaml_parser_t parser;
	int err;

	err = yaml_text_check(source, d, &b.has_rare);
	if (err)
		return err;
	if (!yaml_parser_initialize(&parser)) {
		diag_error(d, (struct span){.source = source}, "out of memory");
		return -EINVAL;
	}
	b.cursor = yaml_cursor_of(source);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	fed = b.cursor;
	yaml_parser_set_input(&parser, yaml_text_feed, &fed);
	err = build(&b, &parser);
	while (!err && b.has_rare && yaml_cursor_find_rare(&b.cursor, SIZE_MAX))
		yaml_text_refuse(&b.cursor, source, d);
	yaml_parser_delete(&parser);
	map_release(&b.anchors);
	return err;
}

void yaml_release(struct yaml *y)
{
	arena_release(&y->arena);
	vec_release(&y->documents);
}
