/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory for a tree of JSON that is made, looked at and forgotten in one go: of a large cluster
 * there are hundreds of thousands, each of a hundred pieces.
 */
#ifndef AGENT_KUBERNETES_KUBE_JSON_H
#define AGENT_KUBERNETES_KUBE_JSON_H

#include <stdbool.h>

#include "util/cleanup.h"

/*
 * From here to the end all that cJSON makes in this thread, texts that it prints included, is gone
 * at the end; nothing that was made before may be deleted meanwhile.  Not within each other.
 */
bool kube_json_begin(void);
void kube_json_end(const bool *has_begun);
#define _kube_json_ _cleanup_(kube_json_end)

/* Gives back what this thread keeps for the next time: before it ends. */
void kube_json_leave(void);

#endif
