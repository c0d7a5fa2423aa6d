/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two compiled policies over one another: addresses that are of one identity in each, and services
 * that are of one class in each.
 */
#ifndef POLICY_JOINT_H
#define POLICY_JOINT_H

#include "policy/compile.h"
#include "util/address_range.h"
#include "util/lists.h"

enum joint_side {
	JOINT_OLD,
	JOINT_NEW,
	JOINT_SIDES
};

/* Addresses with the same identity in either policy: at least one, but for a `host` of unknown
 * ones. */
struct joint_identity {
	uint32_t identity[JOINT_SIDES];
	uint32_t class;
	uint8_t families;
};

struct joint_class {
	uint32_t class[JOINT_SIDES];
	uint8_t families;
};

/* A piece of the address space within one joint identity. */
struct joint_range {
	struct address_range range;
	uint32_t identity;
};

struct joint_addresses {
	const struct compiled *c[JOINT_SIDES];
	VEC(struct joint_identity) identities;
	VEC(struct joint_class) classes;
	VEC(struct joint_range) ranges; /* every address there is, ascending */
	struct lists ranges_of;         /* identity -> ranges */
	struct lists members;           /* class -> identities */
};

/* Numbers with the same class in either policy, that occur in the same families. */
struct joint_service {
	uint32_t class[JOINT_SIDES];
	uint8_t families;
	services numbers;
};

struct joint_services {
	VEC(struct joint_service) items;
};

void joint_addresses_build(struct joint_addresses *j, const struct compiled *old,
			   const struct compiled *new);
void joint_addresses_release(struct joint_addresses *j);

void joint_services_build(struct joint_services *j, const struct compiled *old,
			  const struct compiled *new);
void joint_services_release(struct joint_services *j);

#endif
