/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the API server is, and which node of its cluster this machine is. */
#ifndef AGENT_KUBERNETES_KUBE_CONFIG_H
#define AGENT_KUBERNETES_KUBE_CONFIG_H

#include <stdint.h>

#include "util/text.h"

#define KUBE_SILENCE_S 90 /* bookmarks come once a minute */

#define KUBE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

/* NULL: as a pod of the cluster finds it. */
struct kube_config {
	char *node;
	char *server;
	char *ca_file;
	char *token_file;
	uint32_t silence_s;  /* 0: KUBE_SILENCE_S */
	bool has_status;     /* ZonePolicies get one, and Events say what is refused */
	bool has_pod_events; /* others say what is dropped at pods */
};

void kube_config_release(struct kube_config *c);

/* What isn't given becomes what a pod finds; false with a sentence in @reterr. */
bool kube_config_complete(struct kube_config *c, struct text *reterr);

#endif
