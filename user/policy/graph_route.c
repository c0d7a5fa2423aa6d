/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_wiring.h"

#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define TRACK      10 /* between lines of a street */
#define ROW        10 /* between lanes */
#define MARGIN     24
#define STREET_MIN 36
#define NODE_MIN   104
#define FAR        1000000

static int at_least(int a, int b)
{
	return a > b ? a : b;
}

static void stretch(struct trunk *t, int y)
{
	if (y < t->top)
		t->top = y;
	if (y > t->bottom)
		t->bottom = y;
}

static size_t add_trunk(struct wiring *w, size_t wire, size_t street, enum way way, int y)
{
	vec_push(&w->trunks,
		 (struct trunk){.wire = wire, .street = street, .way = way, .top = y, .bottom = y});
	return w->trunks.count - 1;
}

static size_t lane_of(struct wiring *w, size_t wire)
{
	struct wire_end *end = &w->ends[wire];

	if (end->lane == POLICY_NONE) {
		end->lane = w->lanes.count;
		vec_push(&w->lanes, (struct lane){.wire = wire, .is_above = end->way != WAY_LEFT});
	}
	return end->lane;
}

/* The trunk in the street where a far flow starts: one for all of its wire. */
static size_t far_trunk(struct wiring *w, struct map *known, size_t wire,
			const struct wire_start *start)
{
	const size_t key[] = {wire, start->street};
	size_t lane = lane_of(w, wire);
	int far = w->lanes.items[lane].is_above ? -FAR : FAR;
	bool is_new;
	uint64_t *place = map_put(known, key, sizeof(key), w->trunks.count, &is_new);
	struct trunk *end = &w->trunks.items[w->ends[wire].trunk];

	stretch(end, far);
	end->down += far < 0 ? 1 : -1;
	if (is_new) {
		add_trunk(w, wire, start->street, w->ends[wire].way, start->y);
		stretch(&w->trunks.items[*place], far);
		w->trunks.items[*place].down = far < 0 ? -1 : 1;
	}
	return *place;
}

/* A trunk where each wire ends, and one in each other street that it starts in. */
static void find_trunks(struct wiring *w)
{
	struct graph_layout *l = w->layout;
	struct map known = {};

	for (size_t i = 0; i < l->wires.count; i++)
		w->ends[i].trunk = add_trunk(w, i, w->ends[i].street, w->ends[i].way, w->ends[i].y);
	for (size_t i = 0; i < l->graph->flows.count; i++) {
		struct wire_start *start = &w->starts[i];
		size_t wire = l->routes[i].wire;

		start->trunk = w->ends[wire].trunk;
		if (start->street != w->ends[wire].street)
			start->trunk = far_trunk(w, &known, wire, start);
		else
			w->trunks.items[start->trunk].down += w->ends[wire].y > start->y ? 1 : -1;
		stretch(&w->trunks.items[start->trunk], start->y);
	}
	map_release(&known);
}

/* The order in which trunks of one way stand beside each other, so that few cross. */
static int compare_trunks(const void *a, const void *b)
{
	const struct trunk *x = *(const struct trunk *const *)a,
			   *y = *(const struct trunk *const *)b;
	bool x_down = x->down > 0, y_down = y->down > 0;

	if (x->street != y->street)
		return x->street < y->street ? -1 : 1;
	if (x->way != y->way)
		return x->way < y->way ? -1 : 1;
	if (x->way == WAY_BACK && x->bottom - x->top != y->bottom - y->top)
		return x->bottom - x->top < y->bottom - y->top ? -1 : 1;
	if (x_down != y_down)
		return x_down ? -1 : 1;
	if (x->bottom != y->bottom)
		return (x->bottom > y->bottom) == x_down ? -1 : 1;
	if (x->top != y->top)
		return (x->top > y->top) == x_down ? -1 : 1;
	return x->wire < y->wire ? -1 : x->wire > y->wire;
}

static bool do_meet(const struct trunk *a, const struct trunk *b)
{
	return a->top <= b->bottom + GRAPH_GRID && b->top <= a->bottom + GRAPH_GRID;
}

/* The first track behind all earlier ones that it would run into. */
static void choose_track(struct wiring *w, struct trunk *const *earlier, size_t count,
			 struct trunk *t)
{
	int *used = &w->streets.items[t->street].tracks[t->way];

	for (size_t i = 0; i < count; i++) {
		if (do_meet(earlier[i], t))
			t->track = at_least(t->track, earlier[i]->track + 1);
	}
	*used = at_least(*used, t->track + 1);
}

static void choose_tracks(struct wiring *w)
{
	size_t n = w->trunks.count, first = 0;
	_free_ struct trunk **sorted = xcalloc(n + 1, sizeof(struct trunk *));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &w->trunks.items[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), compare_trunks);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i]->street != sorted[first]->street ||
		    sorted[i]->way != sorted[first]->way)
			first = i;
		choose_track(w, sorted + first, i - first, sorted[i]);
	}
}

static int street_width(const struct wiring *w, size_t street)
{
	const struct street *s = &w->streets.items[street];
	int tracks = s->tracks[WAY_BACK] + s->tracks[WAY_RIGHT] + s->tracks[WAY_LEFT];

	if (!tracks)
		return street % 2 ? 0 : STREET_MIN;
	return s->left + s->right + (tracks + 1) * TRACK;
}

static void place_trunks(struct wiring *w)
{
	vec_foreach (t, &w->trunks) {
		const struct street *s = &w->streets.items[t->street];
		int track = t->track;

		if (t->way != WAY_BACK)
			track += s->tracks[WAY_BACK];
		/* Mirrored: the first of those that lead left stands rightmost. */
		if (t->way == WAY_LEFT)
			track = track + s->tracks[WAY_RIGHT] + s->tracks[WAY_LEFT] - 1 -
				2 * t->track;
		t->x = s->x + s->left + (track + 1) * TRACK;
	}
}

static int column_width(const struct graph_layout *l, size_t column)
{
	int width = NODE_MIN;

	for (size_t i = 0; i < l->graph->nodes.count; i++) {
		bool counts = l->nodes[i].is_drawn || i < l->graph->boxes.count;

		if (counts && l->nodes[i].column == column)
			width = at_least(width, l->nodes[i].w);
	}
	return width;
}

/* Columns and streets from left to right. */
static void place_columns(struct wiring *w)
{
	struct graph_layout *l = w->layout;
	int x = MARGIN;

	w->streets.items[0].x = x - STREET_MIN / 2;
	for (size_t k = 0; k < l->columns; k++) {
		int width = column_width(l, k), inside = street_width(w, 2 * k + 1);

		for (size_t i = 0; i < l->graph->nodes.count; i++) {
			if (l->nodes[i].column != k)
				continue;
			l->nodes[i].x = x + GRAPH_PADDING;
			l->nodes[i].w = width;
		}
		w->streets.items[2 * k + 1].x = x + GRAPH_PADDING + width;
		for (size_t i = 0; i < l->graph->boxes.count; i++) {
			if (l->boxes[i].column != k)
				continue;
			l->boxes[i].x = l->nodes[i].x = x;
			l->boxes[i].w = l->nodes[i].w = width + inside + 2 * GRAPH_PADDING;
		}
		x += width + inside + 2 * GRAPH_PADDING;
		w->streets.items[2 * k + 2].x = x;
		x += street_width(w, 2 * k + 2);
	}
	l->width = x + MARGIN;
}

static int compare_lanes(const void *a, const void *b)
{
	const struct lane *x = *(const struct lane *const *)a, *y = *(const struct lane *const *)b;
	int xlen = x->right - x->left, ylen = y->right - y->left;

	if (xlen != ylen)
		return xlen < ylen ? -1 : 1;
	return x->wire < y->wire ? -1 : x->wire > y->wire;
}

/* Lanes of one side that would touch if they had the same row. */
static bool do_touch(const struct lane *a, const struct lane *b)
{
	return a->is_above == b->is_above && a->left <= b->right + TRACK &&
	       b->left <= a->right + TRACK;
}

/* The first row that no earlier lane has where this one runs. */
static void choose_row(struct lane *const *earlier, size_t count, struct lane *lane)
{
	_free_ bool *is_taken = xcalloc(count + 1, sizeof(*is_taken));

	for (size_t i = 0; i < count; i++) {
		if (do_touch(earlier[i], lane))
			is_taken[earlier[i]->row] = true;
	}
	while (is_taken[lane->row])
		lane->row++;
}

static void choose_rows(struct wiring *w)
{
	size_t n = w->lanes.count;
	_free_ struct lane **sorted = xcalloc(n + 1, sizeof(struct lane *));

	for (size_t i = 0; i < n; i++) {
		sorted[i] = &w->lanes.items[i];
		sorted[i]->left = sorted[i]->right =
			w->trunks.items[w->ends[sorted[i]->wire].trunk].x;
	}
	vec_foreach (t, &w->trunks) {
		size_t lane = w->ends[t->wire].lane;

		if (lane == POLICY_NONE)
			continue;
		if (t->x < w->lanes.items[lane].left)
			w->lanes.items[lane].left = t->x;
		w->lanes.items[lane].right = at_least(w->lanes.items[lane].right, t->x);
	}
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), compare_lanes);
	for (size_t i = 0; i < n; i++) {
		int *rows = sorted[i]->is_above ? &w->rows_above : &w->rows_below;

		choose_row(sorted, i, sorted[i]);
		*rows = at_least(*rows, sorted[i]->row + 1);
	}
}

/* Moves all down below the lanes above, and says where the lanes are. */
static void place_lanes(struct wiring *w)
{
	struct graph_layout *l = w->layout;
	int above = MARGIN + w->rows_above * ROW, bottom;

	for (size_t i = 0; i < l->graph->nodes.count; i++)
		l->nodes[i].y += above;
	for (size_t i = 0; i < l->graph->boxes.count; i++)
		l->boxes[i].y += above;
	for (size_t i = 0; i < l->graph->flows.count; i++)
		w->starts[i].y += above;
	for (size_t i = 0; i < l->wires.count; i++)
		w->ends[i].y += above;
	bottom = above + l->height;
	vec_foreach (lane, &w->lanes)
		lane->y = lane->is_above ? above - (lane->row + 1) * ROW
					 : bottom + (lane->row + 1) * ROW;
	l->height = bottom + w->rows_below * ROW + MARGIN;
}

static void add_point(struct graph_route *r, int x, int y)
{
	r->points[r->count++] = (struct graph_point){x, y};
}

static void route(struct wiring *w, size_t flow)
{
	struct graph_layout *l = w->layout;
	struct graph_route *r = &l->routes[flow];
	const struct wire_start *start = &w->starts[flow];
	const struct wire_end *end = &w->ends[r->wire];
	const struct graph_place *from = &l->nodes[l->graph->flows.items[flow].from];
	const struct graph_place *to = &l->nodes[l->graph->flows.items[flow].to];
	int first = w->trunks.items[start->trunk].x, last = w->trunks.items[end->trunk].x;

	add_point(r, start->flank == FLANK_RIGHT ? from->x + from->w : from->x, start->y);
	add_point(r, first, start->y);
	if (start->trunk != end->trunk) {
		add_point(r, first, w->lanes.items[end->lane].y);
		add_point(r, last, w->lanes.items[end->lane].y);
	}
	add_point(r, last, end->y);
	add_point(r, end->flank == FLANK_RIGHT ? to->x + to->w : to->x, end->y);
}

/* A label stands in the street, outside of the box, where its wire ends. */
static void place_label(struct wiring *w, size_t wire)
{
	struct graph_layout *l = w->layout;
	struct graph_wire *label = &l->wires.items[wire];
	const struct wire_end *end = &w->ends[wire];
	const struct street *s = &w->streets.items[end->street];
	int x = label->is_rightward ? s->x + street_width(w, end->street) : s->x;

	label->anchor = (struct graph_point){label->is_rightward ? x - 14 : x + 14, end->y};
}

void graph_place_lines(struct wiring *w)
{
	find_trunks(w);
	choose_tracks(w);
	place_columns(w);
	place_trunks(w);
	choose_rows(w);
	place_lanes(w);
	for (size_t i = 0; i < w->layout->graph->flows.count; i++)
		route(w, i);
	for (size_t i = 0; i < w->layout->wires.count; i++)
		place_label(w, i);
}
