/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who stands where in a lab, what is probed, and what the policy says of it.  Pure: made from the
 * compiled policy alone, before anything is built.
 */
#ifndef LAB_PLAN_H
#define LAB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/compile.h"
#include "util/text.h"
#include "util/vec.h"

#define LAB_MAX_STATIONS 64
#define LAB_MAX_PROBES   1000000
#define LAB_INTERFACE    16 /* bytes of an interface's name, with NUL */

#define LAB_ECHO  (8 << 8)   /* icmp/echo-request as a service number */
#define LAB_ECHO6 (128 << 8) /* icmp6/echo-request */

enum lab_family {
	LAB_V4,
	LAB_V6,
	LAB_FAMILIES
};

/* A namespace with at most one address of each family. */
struct lab_station {
	char *name;  /* unique */
	char *netns; /* its namespace's: the name, with '.' for the '/' of a pod's */
	/* Unique: the host side of its veth, and what its agent's files are named after. */
	char interface[LAB_INTERFACE];
	const char *zone; /* NULL: none */
	size_t workload;  /* POLICY_NONE: it is a stand-in */
	bool is_stand_in; /* for a zone without workloads, or for addresses outside every zone */
	bool has[LAB_FAMILIES];
	struct bh_addr addr[LAB_FAMILIES];
};

struct lab_service {
	enum bh_service_table table; /* TCP and UDP in both families, ICMP and ICMP6 in theirs */
	uint16_t number;
};

/* clang-format off */
#define LAB_OUTCOMES(X)                                                           \
	X(SILENT,      "silent")      /* no answer within the timeout */          \
	X(ANSWERED,    "answered")    /* data went there and came back */         \
	X(REFUSED,     "refused")     /* a reset or port unreachable came back */ \
	X(UNREACHABLE, "unreachable") /* some other ICMP error came back */       \
	X(FAILED,      "failed")      /* it could not be sent at all */

enum lab_outcome {
#define X(id, word) LAB_##id,
	LAB_OUTCOMES(X)
#undef X
	LAB_OUTCOME_COUNT
};
/* clang-format on */

struct lab_probe {
	uint16_t from, to; /* stations */
	uint32_t service;
	uint8_t family; /* enum lab_family */
	uint8_t seen;   /* enum lab_outcome; of several, one that was not as expected */
	struct decision expected;
	uint64_t drops; /* events of dropped packets that name it */
};

struct lab_plan {
	VEC(struct lab_station) stations;
	VEC(struct lab_service) services; /* by table and number; ICMP and ICMP6 last */
	VEC(struct lab_probe) probes;     /* by from, to, family, service */
	services not_probed;              /* that rules name, but that a lab can't send */
};

/* Told of every step that takes a while. */
typedef void lab_progress_fn(const char *what, size_t done, size_t of, void *user);

/* 0; -E2BIG or -ENOENT (nothing to probe) with a sentence in @reterr. */
int lab_plan(const struct compiled *c, struct lab_plan *ret, struct text *reterr);
void lab_plan_release(struct lab_plan *plan);
#define _lab_plan_ _cleanup_(lab_plan_release)

const char *lab_outcome_word(enum lab_outcome outcome);
bool lab_service_is_of(const struct lab_service *s, enum lab_family family);

/* Whether the policy lets it through: allowed, audited, or not enforced. */
bool lab_probe_expects_answer(const struct lab_probe *p);

/*
 * Whether what came back is what the policy says; drop events are another matter.  A reject is a
 * refusal, or silence: answers have a rate.
 */
bool lab_probe_is_as_expected(const struct lab_probe *p);

#endif
