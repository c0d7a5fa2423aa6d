/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The partition of services: numbers of the six tables that the same service lists mention. */
#ifndef POLICY_SERVICE_CLASS_H
#define POLICY_SERVICE_CLASS_H

#include "policy/atoms.h"
#include "util/lists.h"

#define SERVICE_CLASSES_MAX 65536 /* a line of bh_services has 16 bits for one */

/* Where a packet of one family can have a service of the class: icmp is IPv4's, icmp6 IPv6's. */
#define FAMILY_V4 1
#define FAMILY_V6 2

/* Numbers lo..hi of one table; places count over all tables. */
struct service_interval {
	uint32_t lo, hi;
	uint32_t class;
};

struct service_partition {
	VEC(struct service_interval) intervals; /* every number there is, in order */
	uint32_t classes;  /* class 0 is what nothing mentions, and may be empty */
	uint8_t *families; /* of each class: FAMILY_* */
};

void service_partition_build(struct service_partition *p, const struct atoms *a);
void service_partition_release(struct service_partition *p);

/*
 * Adds to @set, of classes, those that @s mentions; for a list that cuts one, that too.  A protocol
 * number stands for all of the protocol's own table also.
 */
void service_partition_add(const struct service_partition *p, const services *s, uint64_t *set);

/* Adds to @families, one for each class, those in which a number of @s occurs there. */
void service_partition_families(const struct service_partition *p, const services *s,
				uint8_t *families);

/* Whether a service list has a number of a table, by whichever name. */
bool services_have(const services *s, enum bh_service_table table, uint16_t number);

struct service_number {
	enum bh_service_table table;
	uint16_t number;
};

/* What a place stands for. */
struct service_number service_at(uint32_t place);

/* A number of @s that is in the class and occurs in one of the families; false if none does. */
bool service_partition_example(const struct service_partition *p, uint32_t class, const services *s,
			       uint8_t families, struct service_number *ret);

/*
 * The numbers of every class, normalised; a protocol with a table of its own is there, not under
 * its number.  @ret has p->classes of them, zeroed. */
void service_partition_numbers(const struct service_partition *p, services *ret);

/* Fills BH_SERVICE_LINES lines. */
void service_partition_lines(const struct service_partition *p, struct bh_service_line *lines);

/* In which families a packet can be looked up under a table's number: FAMILY_*, or 0. */
uint8_t service_families(enum bh_service_table table, uint16_t number);

#endif
