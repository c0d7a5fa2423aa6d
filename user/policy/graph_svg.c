/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_write.h"

#include <string.h>

#include "policy/graph_picture.h"
#include "policy/graph_text.h"
#include "policy/graph_wiring.h"
#include "util/xml.h"

#define CORNER    6   /* radius */
#define HEAD      7   /* length of an arrow's head */
#define WIDTH_MIN 900 /* for the legend */
#define LEGEND    44  /* height */
#define NAME_END  10  /* characters that stay of the end of a long name */
#define BADGES    3   /* marks of sets that a node has room for */

/* NULL: of no box. */
static const char *class_of_node(const struct graph *g, const struct graph_node *node)
{
	return node->box == POLICY_NONE ? NULL : role_word(g->boxes.items[node->box].role);
}

static const char *kind_class(const struct graph_node *node)
{
	switch (node->kind) {
	case GRAPH_WHOLE:
		return "whole";
	case GRAPH_WORKLOAD:
		return node->is_end ? "workload" : "workload idle";
	case GRAPH_FOLDED:
		return "folded";
	case GRAPH_SET:
		return "set";
	case GRAPH_HOST:
		return "host";
	case GRAPH_ADDRESSES:
		return "addresses";
	}
	return "";
}

void graph_flow_sentence(const struct graph *g, const struct graph_flow *flow, struct text *out)
{
	_text_ struct text from = TEXT_INIT, to = TEXT_INIT;

	graph_node_title(&g->nodes.items[flow->from], &from);
	graph_node_title(&g->nodes.items[flow->to], &to);
	text_addf(out, "%s %s %s: ", from.buf, flow->is_never ? "never to" : "to", to.buf);
	graph_services_all(&flow->services, out);
	text_add(out, flow->is_never          ? " (promise "
		      : flow->names.count > 1 ? " (rules "
					      : " (rule ");
	graph_names(flow, out);
	text_addf(out, ")%s", flow->is_logged ? ", logged" : "");
}

static void add_title(struct text *out, const char *s)
{
	text_add(out, "<title>");
	text_add_xml(out, s);
	text_add(out, "</title>");
}

/* Where the character with this number begins. */
static const char *character(const char *s, size_t number)
{
	for (; *s; s++) {
		if ((*s & 0xc0) != 0x80 && !number--)
			break;
	}
	return s;
}

/* At most GRAPH_NAME_MAX characters: the start and the end of a longer one. */
static void add_name(struct text *out, const char *s)
{
	size_t n = graph_characters(s);
	_text_ struct text cut = TEXT_INIT;

	if (n > GRAPH_NAME_MAX) {
		text_addn(&cut, s, (size_t)(character(s, GRAPH_NAME_MAX - NAME_END - 1) - s));
		text_add(&cut, "\xe2\x80\xa6");
		s = character(s, n - NAME_END);
	}
	text_add(&cut, s);
	text_add_xml(out, cut.buf);
}

static void add_box(const struct graph_layout *l, size_t i, struct text *out)
{
	const struct graph_box *box = &l->graph->boxes.items[i];
	const struct graph_place *p = &l->boxes[i];
	_text_ struct text title = TEXT_INIT;

	graph_box_title(box, &title);
	text_addf(out, "<g class=\"box %s mode-%s\" data-node=\"%zu\">", role_word(box->role),
		  mode_word(box->mode), i);
	add_title(out, title.buf);
	text_addf(out,
		  "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>"
		  "<text x=\"%d\" y=\"%d\">",
		  p->x, p->y, p->w, p->h, p->x + GRAPH_PADDING, p->y + 21);
	add_name(out, title.buf);
	text_add(out, "</text></g>\n");
}

/* "A" for the first set of a graph: its members wear it. */
static void add_mark(size_t number, struct text *out)
{
	if (number >= 26)
		add_mark(number / 26 - 1, out);
	text_addc(out, (char)('A' + number % 26));
}

static void add_badge(size_t number, int x, int y, struct text *out)
{
	text_addf(out,
		  "<rect class=\"badge\" x=\"%d\" y=\"%d\" width=\"14\" height=\"12\" rx=\"3\"/>"
		  "<text class=\"mark\" x=\"%d\" y=\"%d\">",
		  x, y, x + 7, y + 9);
	add_mark(number, out);
	text_add(out, "</text>");
}

static bool has_member(const struct graph_node *set, size_t node)
{
	vec_foreach (member, &set->members) {
		if (*member == node)
			return true;
	}
	return false;
}

/* A set wears its own mark, a workload those of the first sets that it is in. */
static void add_badges(const struct graph_layout *l, size_t node, struct text *out)
{
	const struct graph *g = l->graph;
	const struct graph_place *p = &l->nodes[node];
	size_t number = 0, count = 0;

	for (size_t i = g->boxes.count; i < g->nodes.count && count < BADGES; i++) {
		const struct graph_node *set = &g->nodes.items[i];

		if (set->kind != GRAPH_SET || !set->is_end || set->is_all)
			continue;
		if (i == node || (set->box == g->nodes.items[node].box && has_member(set, node)))
			add_badge(number, p->x + p->w - 18 - 16 * (int)count++, p->y - 5, out);
		number++;
	}
}

/* What a set's tooltip says: its members. */
static void add_node_title(const struct graph *g, const struct graph_node *node, struct text *out)
{
	_text_ struct text title = TEXT_INIT;

	graph_node_title(node, &title);
	vec_foreach (member, &node->members)
		text_addf(&title, "%s %s", member == node->members.items ? ":" : ",",
			  g->nodes.items[*member].name);
	add_title(out, title.buf);
}

static void add_members(const struct graph_node *node, struct text *out)
{
	if (!node->members.count)
		return;
	text_add(out, " data-members=\"");
	vec_foreach (member, &node->members)
		text_addf(out, "%s%zu", member == node->members.items ? "" : " ", *member);
	text_addc(out, '"');
}

static void add_shape(const struct graph_node *node, const struct graph_place *p, struct text *out)
{
	int radius = node->kind == GRAPH_SET || node->kind == GRAPH_ADDRESSES ? p->h / 2 : 5;

	if (radius > 16)
		radius = 16;
	for (int shift = node->kind == GRAPH_FOLDED ? 6 : 0; shift >= 0; shift -= 3)
		text_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>",
			  p->x + shift, p->y - shift, p->w - (shift ? 6 : 0), p->h, radius);
}

static void add_node(const struct graph_layout *l, size_t i, struct text *out)
{
	const struct graph_node *node = &l->graph->nodes.items[i];
	const struct graph_place *p = &l->nodes[i];
	_text_ struct text title = TEXT_INIT;

	graph_node_title(node, &title);
	text_addf(out, "<g class=\"node %s\" data-node=\"%zu\"", kind_class(node), i);
	if (node->box != POLICY_NONE)
		text_addf(out, " data-box=\"%zu\"", node->box);
	add_members(node, out);
	text_add(out, ">");
	add_node_title(l->graph, node, out);
	add_shape(node, p, out);
	text_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", p->x + p->w / 2,
		  p->y + p->h / 2 + 4);
	add_name(out, title.buf);
	text_add(out, "</text>");
	add_badges(l, i, out);
	text_add(out, "</g>\n");
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int length(struct graph_point a, struct graph_point b)
{
	return abs(b.x - a.x) + abs(b.y - a.y);
}

/*
 * Straight lines with round corners, from the head back: dashes of flows that share a wire then
 * fall on each other.
 */
static void add_path(const struct graph_route *r, struct text *out)
{
	const struct graph_point *first = r->points, *p = first + r->count - 1;

	text_addf(out, "M%d %d", p->x - (HEAD - 1) * sign(p->x - p[-1].x), p->y);
	for (p--; p > first; p--) {
		int radius = least(CORNER, least(length(p[-1], *p), length(*p, p[1])) / 2);

		text_addf(out, "L%d %dQ%d %d %d %d", p->x + radius * sign(p[1].x - p->x),
			  p->y + radius * sign(p[1].y - p->y), p->x, p->y,
			  p->x - radius * sign(p->x - p[-1].x),
			  p->y - radius * sign(p->y - p[-1].y));
	}
	text_addf(out, "L%d %d", first->x, first->y);
}

static void add_flow(const struct graph_layout *l, size_t i, struct text *out)
{
	const struct graph_flow *flow = &l->graph->flows.items[i];
	const struct graph_route *r = &l->routes[i];
	const struct graph_point *end = &r->points[r->count - 1];
	const char *class = class_of_node(l->graph, &l->graph->nodes.items[flow->to]);
	int back = -HEAD * sign(end->x - end[-1].x);
	_text_ struct text path = TEXT_INIT, sentence = TEXT_INIT;

	add_path(r, &path);
	graph_flow_sentence(l->graph, flow, &sentence);
	text_addf(out,
		  "<g class=\"flow%s%s%s\" data-flow=\"%zu\" data-from=\"%zu\" data-to=\"%zu\">",
		  class ? " to-" : "", class ? class : "", flow->is_never ? " never" : "", i,
		  flow->from, flow->to);
	add_title(out, sentence.buf);
	text_addf(out,
		  "<path class=\"line\" d=\"%s\"/><path class=\"reach\" d=\"%s\"/>"
		  "<path class=\"head\" d=\"M%d %dl%d -4v8z\"/></g>\n",
		  path.buf, path.buf, end->x, end->y, back);
}

static void add_label_flows(const struct graph_layout *l, size_t wire, struct text *out)
{
	bool has_some = false;

	for (size_t i = 0; i < l->graph->flows.count; i++) {
		if (l->routes[i].wire != wire)
			continue;
		text_addf(out, "%s%zu", has_some ? " " : "", i);
		has_some = true;
	}
}

static void add_label(const struct graph_layout *l, size_t i, struct text *out)
{
	const struct graph_wire *wire = &l->wires.items[i];
	int x = wire->anchor.x, y = wire->anchor.y;

	text_addf(out, "<g class=\"label%s\" data-flows=\"", wire->is_never ? " never" : "");
	add_label_flows(l, i, out);
	text_addf(out, "\"><text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y - 3,
		  wire->is_rightward ? "end" : "start");
	text_add_xml(out, wire->label);
	text_add(out, "</text>");
	if (wire->is_never) {
		int away = graph_label_width(wire->label) + 8;

		text_addf(out, "<path d=\"M%d %dl8 8m0 -8l-8 8\"/>",
			  wire->is_rightward ? x - away - 4 : x + away - 4, y - 4);
	}
	text_add(out, "</g>\n");
}

/* A sample of an arrow with what it means; returns where the next one goes. */
static int add_sample(const char *class, const char *words, int x, int y, struct text *out)
{
	text_addf(out,
		  "<g class=\"flow %s\"><path class=\"line\" d=\"M%d %dh34\"/>"
		  "<path class=\"head\" d=\"M%d %dl-7 -4v8z\"/></g>"
		  "<text x=\"%d\" y=\"%d\">%s</text>\n",
		  class, x, y, x + 40, y, x + 48, y + 4, words);
	return x + 48 + (int)strlen(words) * 13 / 2 + 24;
}

static void add_legend(const struct graph_layout *l, struct text *out)
{
	bool has_audit = false, has_letters = false;
	int x = 24, y = l->height + LEGEND / 2;

	vec_foreach (box, &l->graph->boxes)
		has_audit |= box->mode == MODE_AUDIT || box->mode == MODE_OFF;
	vec_foreach (node, &l->graph->nodes)
		has_letters |= node->kind == GRAPH_SET && node->is_end && !node->is_all;
	text_add(out, "<g class=\"legend\">\n");
	x = add_sample("to-internal", "allowed, coloured by where it leads", x, y, out);
	x = add_sample("never", "promised never to be", x, y, out);
	text_addf(out, "<text x=\"%d\" y=\"%d\">%s%s</text>\n</g>\n", x, y + 4,
		  has_audit ? "all else is denied, but in dashed boxes" : "all else is denied",
		  has_letters ? "; a letter marks the members of a dashed pill" : "");
}

static void add_note(struct text *out, const char *line)
{
	text_add(out, "<!-- ");
	for (; *line; line++) {
		char c[] = {*line, '\0'};

		/* Two dashes end a comment. */
		if (*line == '-' && out->buf[out->len - 1] == '-')
			text_addc(out, ' ');
		text_add_xml(out, c);
	}
	text_add(out, " -->\n");
}

static void add_contents(const struct graph_layout *l, struct text *out)
{
	const struct graph *g = l->graph;

	for (size_t i = 0; i < g->boxes.count; i++)
		add_box(l, i, out);
	/* Promises below what is allowed. */
	for (int is_never = 1; is_never >= 0; is_never--) {
		for (size_t i = 0; i < g->flows.count; i++) {
			if (g->flows.items[i].is_never == (bool)is_never)
				add_flow(l, i, out);
		}
	}
	for (size_t i = g->boxes.count; i < g->nodes.count; i++) {
		if (l->nodes[i].is_drawn)
			add_node(l, i, out);
	}
	for (size_t i = 0; i < l->wires.count; i++)
		add_label(l, i, out);
}

void graph_picture(const struct graph_layout *l, bool is_alone, struct text *out)
{
	int height = l->height + LEGEND, width = l->width < WIDTH_MIN ? WIDTH_MIN : l->width;

	text_addf(out,
		  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		  "viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"the flows of the policy\">\n",
		  width, height, width, height);
	if (is_alone)
		text_addf(out, "<style>\n%s</style>\n", graph_style);
	graph_notes(l->graph, add_note, out);
	text_addf(out, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", width, height);
	add_contents(l, out);
	add_legend(l, out);
	text_add(out, "</svg>\n");
}

void graph_write_svg(const struct graph *g, struct text *out)
{
	_graph_layout_ struct graph_layout l = {};

	graph_layout(g, &l);
	text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	graph_picture(&l, true, out);
}
