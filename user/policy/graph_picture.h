/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The picture that a file and a page share. */
#ifndef POLICY_GRAPH_PICTURE_H
#define POLICY_GRAPH_PICTURE_H

#include "policy/graph_layout.h"
#include "util/text.h"

/* How the classes of a picture look on light ground: CSS. */
extern const char graph_style[];

/* <svg>…</svg>; with the style inside if it has to stand alone. */
void graph_picture(const struct graph_layout *l, bool is_alone, struct text *out);

/* "internet -> edge-lb: tcp/80, tcp/443 (rules: internet-to-edge)" */
void graph_flow_sentence(const struct graph *g, const struct graph_flow *flow, struct text *out);

#endif
