/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/yaml_plain.h"
#include "policy/yaml_text.h"
#include "policy/yaml_tree.h"
#include "util/cleanup.h"
#include "util/map.h"

#define SUBSTITUTE 0x1a /* the character for what can't be there */

struct builder {
	const struct source *source;
	struct yaml_tree tree;
	struct yaml_cursor cursor;
	struct yaml_quote quote;
	struct map anchors; /* name -> struct node *, of this document */
	size_t expanded;    /* nodes that aliases have added */
	bool has_rare;
};

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
	return yaml_tree_node(&b->tree, kind, span_of(b, event->start_mark, event->end_mark));
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

static void check_tag(struct builder *b, const void *tag, const struct node *n)
{
	if (tag)
		diag_error(b->tree.diags, n->at, "explicit tags are not accepted; leave it out");
}

/* Rare characters up to the text are refused, and those in it unless it is quoted as in JSON. */
static bool holds_rare(struct builder *b, const yaml_event_t *event)
{
	bool is_quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	bool is_found;

	while (yaml_cursor_find_rare(&b->cursor, event->start_mark.index))
		yaml_text_refuse(&b->cursor, b->source, b->tree.diags);
	is_found = yaml_cursor_find_rare(&b->cursor, event->end_mark.index);
	while (!is_quoted && yaml_cursor_find_rare(&b->cursor, event->end_mark.index))
		yaml_text_refuse(&b->cursor, b->source, b->tree.diags);
	yaml_cursor_move(&b->cursor, event->end_mark.index);
	return is_found;
}

/* What no text of ours may hold is marked, in the node and in the text. */
static void set_text(struct builder *b, struct node *n, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	char *text = arena_text(&b->tree.out->arena, (const char *)event->data.scalar.value, len);
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
	return yaml_tree_attach(&b->tree, n);
}

static int start_collection(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	bool is_map = kind == NODE_MAP;
	const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor
					   : event->data.sequence_start.anchor;
	struct node *n = node_new(b, kind, event);
	int err;

	check_tag(b, is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag, n);
	if (anchor)
		skip_anchor(b, n, event);
	err = yaml_tree_begin(&b->tree, n);
	if (!err && anchor)
		b->tree.stack[b->tree.depth - 1].anchor = arena_text(
			&b->tree.out->arena, (const char *)anchor, strlen((const char *)anchor));
	return err;
}

static int end_collection(struct builder *b)
{
	const struct yaml_frame *top;

	assert(b->tree.depth);
	top = &b->tree.stack[b->tree.depth - 1];
	set_anchor(b, top->anchor, top->node);
	return yaml_tree_end(&b->tree);
}

static int take_alias(struct builder *b, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const uint64_t *place = map_get(&b->anchors, name, strlen(name));
	struct node *n = node_new(b, NODE_TEXT, event);
	struct span at = n->at;

	if (!place) {
		diag_error(b->tree.diags, at, "no anchor '&%.40s' is finished before this alias",
			   name);
		return -EINVAL;
	}
	*n = *(const struct node *)(uintptr_t)*place;
	n->at = at;
	n->next = NULL;
	n->value = NULL;
	b->expanded += n->size;
	if (b->expanded > YAML_EXPANSION) {
		diag_error(b->tree.diags, at,
			   "the aliases of this file expand to more than %d nodes", YAML_EXPANSION);
		return -EINVAL;
	}
	return b->tree.depth + n->height > YAML_DEPTH ? yaml_tree_too_deep(&b->tree, at)
						      : yaml_tree_attach(&b->tree, n);
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
			yaml_text_error(b->source, parser, &b->quote, b->tree.diags);
			return -EINVAL;
		}
		is_end = event.type == YAML_STREAM_END_EVENT;
		err = take_event(b, &event);
		yaml_event_delete(&event);
		if (!err && b->tree.diags->errors >= DIAG_KEPT)
			err = -EINVAL;
	} while (!err && !is_end);
	return err;
}

int yaml_parse_in_full(const struct source *source, struct diags *d, struct yaml *ret)
{
	struct builder b = {.source = source, .tree = {.diags = d, .out = ret}};
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

int yaml_parse(const struct source *source, struct diags *d, struct yaml *ret)
{
	if (!yaml_plain_parse(source, YAML_UNFOLDED, ret))
		return 0;
	return yaml_parse_in_full(source, d, ret);
}

int yaml_parse_folded(const struct source *source, enum yaml_folding folding, struct diags *d,
		      struct yaml *ret)
{
	if (!yaml_plain_parse(source, folding, ret))
		return 0;
	return yaml_parse_in_full(source, d, ret);
}

const struct node *yaml_unfold(const struct node *n, struct diags *d, struct yaml *room)
{
	return n->is_folded ? yaml_plain_unfold(n, d, room) : n;
}

static void unfold_list(struct yaml *y, struct node *list, struct diags *d)
{
	for (struct node **item = &list->first; *item; item = &(*item)->next) {
		struct node *folded = *item;

		if (!folded->is_folded)
			continue;
		*item = yaml_plain_unfold(folded, d, y);
		(*item)->next = folded->next;
		y->folded--;
	}
}

void yaml_unfold_all(struct yaml *y, struct node *document, struct diags *d)
{
	struct node *key, *inner;

	for (key = document->kind == NODE_MAP ? document->first : NULL; key; key = key->next) {
		inner = key->value->kind == NODE_MAP ? key->value->first : NULL;
		for (; inner; inner = inner->next) {
			if (inner->value->kind == NODE_LIST)
				unfold_list(y, inner->value, d);
		}
	}
}

void yaml_release(struct yaml *y)
{
	arena_release(&y->arena);
	vec_release(&y->documents);
}
