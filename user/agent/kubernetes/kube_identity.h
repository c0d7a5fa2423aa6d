/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which object it is, and which of its versions: what is needed to tell the cluster about it. */
#ifndef AGENT_KUBERNETES_KUBE_IDENTITY_H
#define AGENT_KUBERNETES_KUBE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

#define KUBE_UID_STRLEN 37

/* All zero: none that we could read. */
struct kube_uid {
	uint8_t bytes[16];
};

/* Not of an object's text: it may change while all that is enforced stays the same. */
struct kube_identity {
	uint64_t generation; /* of its spec; 0: none is said */
	struct kube_uid uid;
	char *reporters;  /* the nodes that its status is of, a line each; NULL: none */
	bool is_enforced; /* by one of them, in some version */
	bool is_left_out; /* by one of them, as none was ever in force */
};

void kube_identity_read(const struct cJSON *object, bool has_reporters, struct kube_identity *ret);
void kube_identity_release(struct kube_identity *i);

/* False if it is none, or not written as all of them are. */
bool kube_uid_parse(const char *text, struct kube_uid *ret);
bool kube_uid_format(const struct kube_uid *uid, char buf[static KUBE_UID_STRLEN]);

#endif
