/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ZonePolicies that are in force: they stand for those that are wrong, one by one or all. */
#ifndef AGENT_KUBERNETES_KUBE_ZONES_H
#define AGENT_KUBERNETES_KUBE_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "util/source.h"
#include "util/text.h"
#include "util/vec.h"

struct kube_entry;
struct kube_table;

struct kube_zone {
	char *key;
	char *text;
	uint64_t generation; /* 0: it is not known, as after a start */
};

typedef VEC(struct kube_zone) kube_zone_list;

struct kube_zones {
	kube_zone_list list; /* by key */
	bool is_known;       /* the list is; empty or not */
	bool is_held;        /* they count, whatever the API server has */
	bool is_all_held;    /* nothing else counts, either */
	struct text why;     /* one of both; empty: neither */
	bool is_touched;     /* what was refused may be right now */
};

/* clang-format off */
#define KUBE_ZONES_INIT {.why = TEXT_INIT}
/* clang-format on */

void kube_zones_release(struct kube_zones *z);

/* NULL: no version of it is in force. */
const struct kube_zone *kube_zones_find(const struct kube_zones *z, const char *key);

/* Whether it is in force as it is. */
bool kube_zones_has(const struct kube_zones *z, const struct kube_entry *entry);

/*
 * Nothing of it is or was in force, so that it may be left out: as if the API server had never let
 * it in.  Where that isn't known here, other nodes' status tells.
 */
bool kube_zones_can_do_without(const struct kube_zones *z, const struct kube_entry *entry);

/* Those of @policies have come into force.  Whether they are others than before. */
bool kube_zones_take(struct kube_zones *z, const struct kube_table *policies);

/* From the text of an earlier start, an object a line. */
void kube_zones_recall(struct kube_zones *z, const struct source *source);

/* As texts of a policy, which don't say what they are of. */
void kube_zones_write(const struct kube_zones *z, struct text *out);

#endif
