/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy as a picture: boxes, what is in them, and an arrow for each flow that is really allowed
 * and for each promise.  Knows no format and no coordinates.
 */
#ifndef POLICY_GRAPH_H
#define POLICY_GRAPH_H

#include "policy/compile.h"

/* Beyond this many workloads those of a box are one node, where that saves much. */
#define GRAPH_WORKLOADS_SHOWN 150

/* Workloads of one box that share a flow: from this many on one arrow stands for them. */
#define GRAPH_SET_MIN 5

enum graph_box_kind {
	GRAPH_ZONE,
	GRAPH_NAMESPACE,
	GRAPH_LOOSE, /* workloads that are in no zone, or in several */
};

struct graph_box {
	enum graph_box_kind kind;
	const char *name;
	enum zone_role role; /* never ROLE_UNSET */
	enum mode mode;
};

enum graph_node_kind {
	GRAPH_WHOLE, /* a zone, all of it: node number and box number are the same */
	GRAPH_WORKLOAD,
	GRAPH_FOLDED,    /* the workloads of a box, too many to show each */
	GRAPH_SET,       /* several workloads of a box, by an arrow that they share */
	GRAPH_HOST,      /* this machine */
	GRAPH_ADDRESSES, /* any, outside, a cidr, all but something: whoever owns the addresses */
};

struct graph_node {
	enum graph_node_kind kind;
	char *name;
	size_t box;          /* POLICY_NONE: of none */
	enum mode mode;      /* where it is not that of the box; else MODE_UNSET */
	bool is_end;         /* of some flow */
	size_t count;        /* workloads that a folded one stands for, pods behind a workload */
	bool is_all;         /* a set of every workload of its box */
	VEC(size_t) members; /* of a set: nodes, ascending */
};

struct graph_flow {
	size_t from, to; /* nodes */
	bool is_never;
	bool is_logged;
	services services;       /* that are allowed, or that never may be; normalised */
	VEC(const char *) names; /* of the rules or promises */
};

struct graph {
	VEC(struct graph_box) boxes;
	VEC(struct graph_node) nodes; /* the first ones are GRAPH_WHOLE, one a box */
	VEC(struct graph_flow) flows;
	VEC(const char *) idle; /* rules that allow nothing: denied elsewhere, or without address */
	size_t folded;          /* workloads without a node of their own */
};

/* Points into the policy of @c.  The same policy gives the same graph. */
void graph_build(const struct compiled *c, struct graph *ret);
/* Whether a picture has it: a workload always, what stands for others if some flow ends there. */
bool graph_shows(const struct graph_node *node);

void graph_release(struct graph *g);
#define _graph_ _cleanup_(graph_release)

#endif
