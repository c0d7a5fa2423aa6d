/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/yaml_plain.h"

#include <errno.h>
#include <string.h>

#include "policy/yaml_kinds.h"
#include "policy/yaml_tree.h"

#define DEPTH_MAX 32 /* collections within each other, each of which is a call */

#define ENTRY_DEPTH 3 /* of a list in a mapping in a document's */

#define NO_INDENT (-1) /* the end of the document */

struct reader {
	struct yaml_tree tree;
	const struct source *source;
	const char *s, *end;
	const char *line_start;
	unsigned int line;
	int indent; /* of the content that is next */
	int depth;
	enum yaml_folding folding;
	bool is_dry; /* nothing is made of what is read */
};

static int read_block(struct reader *r);
static int read_flow(struct reader *r);

static bool is_at(const struct reader *r, char c)
{
	return r->s < r->end && *r->s == c;
}

static bool is_line_end(const struct reader *r, const char *s)
{
	return s == r->end || *s == '\n';
}

static bool is_blank_at(const struct reader *r, const char *s)
{
	return is_line_end(r, s) || *s == ' ';
}

static void skip_spaces(struct reader *r)
{
	while (is_at(r, ' '))
		r->s++;
}

static int column_of(const struct reader *r, const char *s)
{
	return (int)(s - r->line_start);
}

static struct span span_of(const struct reader *r, const char *from, const char *to)
{
	return (struct span){
		.source = r->source,
		.line = r->line,
		.column = (unsigned int)column_of(r, from) + 1,
		.len = (unsigned int)(to - from),
	};
}

static bool are_plain(const char *s, size_t len)
{
	unsigned char odd = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		odd |= (unsigned char)((c < ' ' && c != '\n') | (c >= 0x7f));
	}
	return !odd;
}

#define EACH_BYTE(byte) ((byte)*UINT64_C(0x0101010101010101))

/* Whether one of eight bytes is not ASCII, DEL, or a control character; line feed is one, too. */
static bool has_odd(uint64_t word)
{
	return (word | (word + EACH_BYTE(1)) | (word - EACH_BYTE(' '))) & EACH_BYTE(0x80);
}

/* Bytes of which none is a control character but line feed, and all are ASCII. */
static bool is_plain_text(const struct source *source)
{
	const char *s = source->text, *end = s + source->len;
	uint64_t word;

	for (; end - s >= (ptrdiff_t)sizeof(word); s += sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		if (has_odd(word) && !are_plain(s, sizeof(word)))
			return false;
	}
	return are_plain(s, (size_t)(end - s));
}

/* --- lines --- */

static void skip_to_line_end(struct reader *r)
{
	const char *feed = memchr(r->s, '\n', (size_t)(r->end - r->s));

	r->s = feed ? feed : r->end;
}

static void skip_line(struct reader *r)
{
	skip_to_line_end(r);
	if (r->s < r->end) {
		r->s++;
		r->line++;
	}
	r->line_start = r->s;
}

static bool is_marker(const struct reader *r)
{
	return r->end - r->s >= 3 && !memcmp(r->s, "---", 3) && is_blank_at(r, r->s + 3);
}

/* From the start of a line to the next content. */
static void seek_content(struct reader *r)
{
	for (;;) {
		skip_spaces(r);
		if (r->s == r->end)
			break;
		if (*r->s != '\n' && *r->s != '#') {
			r->indent = is_marker(r) && r->s == r->line_start ? NO_INDENT
									  : column_of(r, r->s);
			return;
		}
		skip_line(r);
	}
	r->indent = NO_INDENT;
}

/* Behind a value: nothing but a comment may follow it. */
static int end_line(struct reader *r)
{
	const char *before = r->s;

	skip_spaces(r);
	if (!is_line_end(r, r->s) && (*r->s != '#' || r->s == before))
		return -ENOTSUP;
	skip_line(r);
	seek_content(r);
	return 0;
}

/* --- texts --- */

static int add_node(struct reader *r, struct span at, const char *text, bool is_plain)
{
	struct node *n = yaml_tree_node(&r->tree, NODE_TEXT, at);

	n->text = text;
	n->is_plain = is_plain;
	return yaml_tree_attach(&r->tree, n);
}

struct part {
	const char *from, *to;
};

/* @whole is what the text takes, with its quotes if it has some. */
static int add_text(struct reader *r, struct part whole, struct part text)
{
	const char *copy;

	if (r->is_dry)
		return 0;
	copy = arena_text(&r->tree.out->arena, text.from, (size_t)(text.to - text.from));
	return add_node(r, span_of(r, whole.from, whole.to), copy, whole.from == text.from);
}

/* Without quotes or escapes inside, on one line. */
static int read_quoted(struct reader *r)
{
	const char *from = r->s, quote = *from;

	for (r->s++; !is_line_end(r, r->s) && *r->s != quote; r->s++) {
		if (*r->s == '\\' && quote == '"')
			return -ENOTSUP;
	}
	if (is_line_end(r, r->s))
		return -ENOTSUP;
	r->s++;
	if (is_at(r, quote))
		return -ENOTSUP;
	return add_text(r, (struct part){from, r->s}, (struct part){from + 1, r->s - 1});
}

static bool is_quote(const struct reader *r)
{
	return is_at(r, '"') || is_at(r, '\'');
}

/* Up to the colon, behind which there must be a blank. */
static int read_key(struct reader *r)
{
	const struct part key = {r->s, yaml_skip_kind(r->s, YAML_IN_KEY)};
	int err = 0;

	if (is_quote(r)) {
		err = read_quoted(r);
	} else {
		if (!yaml_is_kind(r->s, YAML_BEGINS))
			return -ENOTSUP;
		r->s = key.to;
		err = add_text(r, key, key);
	}
	if (err || !is_at(r, ':') || r->s - key.from > YAML_KEY_MAX || !is_blank_at(r, r->s + 1))
		return -ENOTSUP;
	r->s++;
	return 0;
}

/* The text from @from to r->s, without the spaces at its end. */
static int add_plain(struct reader *r, const char *from)
{
	const char *to = r->s;

	while (to[-1] == ' ')
		to--;
	return add_text(r, (struct part){from, to}, (struct part){from, to});
}

/* Outside of brackets: to the end of the line, or a comment. */
static int read_plain(struct reader *r)
{
	const char *from = r->s;

	if (!yaml_is_kind(from, YAML_BEGINS))
		return -ENOTSUP;
	for (; !is_line_end(r, r->s); r->s++) {
		if (*r->s == ':' && is_blank_at(r, r->s + 1))
			return -ENOTSUP;
		if (*r->s == '#' && r->s[-1] == ' ')
			break;
	}
	if (is_at(r, '#'))
		r->s--; /* end_line() wants to see the space */
	return add_plain(r, from);
}

static int read_plain_in_flow(struct reader *r)
{
	const char *from = r->s, *to = yaml_skip_text(from);

	if (!to)
		return -ENOTSUP;
	r->s = to;
	if (!is_at(r, ',') && !is_at(r, ']') && !is_at(r, '}'))
		return -ENOTSUP;
	return add_plain(r, from);
}

/* --- brackets and braces --- */

static int begin(struct reader *r, enum node_kind kind)
{
	if (r->depth++ == DEPTH_MAX)
		return -ENOTSUP;
	if (r->is_dry)
		return 0;
	return yaml_tree_begin(&r->tree,
			       yaml_tree_node(&r->tree, kind, span_of(r, r->s, r->s + 1)));
}

static int end(struct reader *r)
{
	r->depth--;
	return r->is_dry ? 0 : yaml_tree_end(&r->tree);
}

static int read_entry(struct reader *r, enum node_kind kind)
{
	int err = 0;

	if (kind == NODE_MAP) {
		err = read_key(r);
		skip_spaces(r);
	}
	return err ? err : read_flow(r);
}

static int read_entries(struct reader *r, enum node_kind kind, char bracket)
{
	int err = begin(r, kind);

	r->s++;
	skip_spaces(r);
	while (!err && !is_at(r, bracket)) {
		err = read_entry(r, kind);
		skip_spaces(r);
		if (is_at(r, bracket))
			break;
		if (!is_at(r, ','))
			return -ENOTSUP;
		r->s++;
		skip_spaces(r);
		if (is_at(r, bracket)) /* after a comma */
			return -ENOTSUP;
	}
	r->s++;
	return err ? err : end(r);
}

static int read_flow(struct reader *r)
{
	if (is_at(r, '['))
		return read_entries(r, NODE_LIST, ']');
	if (is_at(r, '{'))
		return read_entries(r, NODE_MAP, '}');
	return is_quote(r) ? read_quoted(r) : read_plain_in_flow(r);
}

/* --- lines that belong together by their indentation --- */

/* Of a list that is in a mapping in the document's. */
static bool is_entry(const struct reader *r)
{
	const struct yaml_tree *t = &r->tree;

	return t->depth == ENTRY_DEPTH && t->stack[0].node->kind == NODE_MAP &&
	       t->stack[1].node->kind == NODE_MAP && t->stack[2].node->kind == NODE_LIST;
}

static int look_through(struct reader *r)
{
	int err;

	r->is_dry = true;
	err = read_flow(r);
	r->is_dry = false;
	return err;
}

/* A mapping in braces of which no more is kept than where it begins. */
static int fold(struct reader *r)
{
	struct node *n = yaml_tree_node(&r->tree, NODE_MAP, span_of(r, r->s, r->s + 1));
	int err = 0;

	n->is_folded = true;
	n->rest = r->s;
	r->tree.out->folded++;
	if (r->folding == YAML_FOLDED_UNSEEN)
		skip_to_line_end(r);
	else
		err = look_through(r);
	return err ? err : yaml_tree_attach(&r->tree, n);
}

/* A value that is on this line as a whole; it and what is around it begin at @column. */
static int read_value(struct reader *r, int column)
{
	bool is_flow = is_at(r, '[') || is_at(r, '{') || is_quote(r);
	int err;

	if (r->folding && is_at(r, '{') && is_entry(r))
		err = fold(r);
	else
		err = is_flow ? read_flow(r) : read_plain(r);
	if (!err)
		err = end_line(r);
	/* More of it might be on the next line. */
	return err ? err : r->indent > column ? -ENOTSUP : 0;
}

static bool is_item(const struct reader *r)
{
	return is_at(r, '-') && is_blank_at(r, r->s + 1);
}

/* Whether a key is here: a text, and a colon before a blank. */
static bool is_key(const struct reader *r)
{
	const char *s = r->s;

	if (is_quote(r)) {
		for (s++; !is_line_end(r, s) && *s != *r->s; s++)
			;
		s += !is_line_end(r, s);
	} else {
		s = yaml_skip_kind(s, YAML_IN_KEY);
	}
	return s < r->end && *s == ':' && is_blank_at(r, s + 1);
}

static bool is_rest_empty(struct reader *r)
{
	const char *before = r->s;

	skip_spaces(r);
	return is_line_end(r, r->s) || (*r->s == '#' && r->s > before);
}

static int read_items(struct reader *r, int column)
{
	int err = begin(r, NODE_LIST);

	while (!err && r->indent == column && is_item(r)) {
		r->s++;
		if (is_rest_empty(r)) {
			skip_line(r);
			seek_content(r);
			if (r->indent <= column) /* an item without anything */
				return -ENOTSUP;
			err = read_block(r);
		} else {
			r->indent = column_of(r, r->s);
			err = is_item(r) || is_key(r) ? read_block(r) : read_value(r, column);
		}
		if (!err && r->indent > column)
			return -ENOTSUP;
	}
	return err ? err : end(r);
}

/* Nothing behind the key, on this line. */
static int read_below(struct reader *r, int column, struct span key)
{
	skip_line(r);
	seek_content(r);
	if (r->indent > column)
		return read_block(r);
	if (r->indent == column && is_item(r))
		return read_items(r, column);
	return add_node(r, key, "", true);
}

static int read_keys(struct reader *r, int column)
{
	int err = begin(r, NODE_MAP);

	while (!err && r->indent == column) {
		struct span key = span_of(r, r->s, r->s + 1);

		if (is_item(r))
			return -ENOTSUP;
		err = read_key(r);
		if (err)
			return err;
		err = is_rest_empty(r) ? read_below(r, column, key) : read_value(r, column);
		if (!err && r->indent > column)
			return -ENOTSUP;
	}
	return err ? err : end(r);
}

/* What begins at r->indent. */
static int read_block(struct reader *r)
{
	if (is_item(r))
		return read_items(r, r->indent);
	return is_key(r) ? read_keys(r, r->indent) : -ENOTSUP;
}

static int read_documents(struct reader *r)
{
	int err = 0;

	seek_content(r);
	while (!err && r->s < r->end) {
		if (r->indent == NO_INDENT) {
			r->s += 3;
			err = end_line(r);
		} else {
			err = r->indent ? -ENOTSUP : read_block(r);
			if (!err && r->indent != NO_INDENT)
				return -ENOTSUP;
		}
	}
	return err;
}

int yaml_plain_parse(const struct source *source, enum yaml_folding folding, struct yaml *ret)
{
	_diags_ struct diags d = {};
	struct reader r = {
		.tree = {.diags = &d, .out = ret},
		.source = source,
		.s = source->text,
		.end = source->text + source->len,
		.line_start = source->text,
		.line = 1,
		.folding = folding,
	};
	int err = -ENOTSUP;

	if (is_plain_text(source)) {
		ret->arena.is_brief = true;
		err = read_documents(&r);
	}
	if (!err && !d.errors)
		return 0;
	yaml_release(ret);
	*ret = (struct yaml){};
	return -ENOTSUP;
}

/* Whether nothing of a folded node is left. */
static bool is_all_read(struct reader *r, const struct node *n)
{
	const char *end = r->s;

	if (!n->count)
		return is_rest_empty(r);
	while (end[-1] == ' ')
		end--;
	return (size_t)(end - n->rest) == n->count;
}

static struct node *misread(struct reader *r, const struct node *n)
{
	struct node *nothing = yaml_tree_node(&r->tree, NODE_TEXT, n->at);

	diag_error(r->tree.diags, n->at, "this is not well formed");
	nothing->text = "";
	nothing->is_plain = true;
	return nothing;
}

/* There are many of them: the frames of the tree aren't zeroed each time. */
struct node *yaml_plain_unfold(const struct node *n, struct diags *d, struct yaml *out)
{
	const struct source *source = n->at.source;
	size_t documents = out->documents.count;
	struct node *whole = NULL;
	struct reader r;

	r.tree.diags = d;
	r.tree.out = out;
	r.tree.depth = 0;
	r.source = source;
	r.s = n->rest;
	r.end = source->text + source->len;
	r.line_start = n->rest - (n->at.column - 1);
	r.line = n->at.line;
	r.depth = 0;
	r.folding = YAML_UNFOLDED;
	r.is_dry = false;
	if (!read_flow(&r) && is_all_read(&r, n) && out->documents.count > documents)
		whole = out->documents.items[documents];
	out->documents.count = documents;
	return whole ? whole : misread(&r, n);
}
