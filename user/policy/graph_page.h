/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fixed parts of the page that `graph -o html` writes. */
#ifndef POLICY_GRAPH_PAGE_H
#define POLICY_GRAPH_PAGE_H

extern const char graph_page_head[];     /* up to <head>'s own tags */
extern const char graph_page_style[];    /* CSS behind graph_style: the page, and the dark */
extern const char graph_page_controls[]; /* the filter and the switches */
extern const char graph_page_legend[];
extern const char graph_page_script[];

#endif
