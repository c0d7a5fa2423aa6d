/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every prefix that a policy names, nested: who owns the addresses between one prefix and the next.
 * The IPv4 range is always a node of its own, and takes nothing from the IPv6 prefixes around it.
 */
#ifndef POLICY_ADDRESS_TREE_H
#define POLICY_ADDRESS_TREE_H

#include "policy/atoms.h"
#include "policy/compile.h"
#include "util/lists.h"

#define ADDRESS_NONE UINT32_MAX

struct address_node {
	struct prefix prefix;
	uint32_t end;    /* one past the last node within this one */
	uint32_t parent; /* the nearest node around it, or ADDRESS_NONE */
	/* Of the addresses in no inner node: */
	uint32_t zone;         /* or ADDRESS_NONE */
	uint32_t workload;     /* or ADDRESS_NONE */
	uint32_t longest_zone; /* with the longest prefix here, whatever workload there is */
	uint32_t identity;
	bool is_host;
	bool is_claimed; /* a zone or workload names just this prefix */
	bool has_free;   /* there are such addresses; without, the identity means nothing */
};

struct address_tree {
	VEC(struct address_node) nodes; /* by prefix_cmp; the first is ::/0 */
};
typedef VEC(uint32_t) node_numbers;

/* Nodes from every prefix of zones, workloads, @a and @env; identities are left 0. */
void address_tree_build(struct address_tree *t, const struct policy *p, const struct atoms *a,
			const struct environment *env);
void address_tree_release(struct address_tree *t);

/* The innermost node around an address. */
uint32_t address_tree_lookup(const struct address_tree *t, const struct bh_addr *a);

/* Where an address of a workload is, if that is the zone with the longest prefix around it. */
uint32_t address_tree_zone(const struct policy *p, uint32_t workload, uint32_t longest_zone);

/*
 * Appends the nodes whose free addresses a SELECT_CIDR contains; for one that is no node itself,
 * also the node around it.
 */
void address_tree_select(const struct address_tree *t, const struct selector *cidr,
			 node_numbers *ret);

/* An address of the node and of none within it: one that looks like a real one, if there is. */
bool address_tree_example(const struct address_tree *t, uint32_t node, struct bh_addr *ret);

#endif
