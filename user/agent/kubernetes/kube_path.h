/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where in an object something is, as people write it: `spec.rules[2].to`. */
#ifndef AGENT_KUBERNETES_KUBE_PATH_H
#define AGENT_KUBERNETES_KUBE_PATH_H

#include "util/text.h"

/*
 * The innermost key or item that begins at or before @column (from 1, in code points) of @line,
 * JSON up to its newline or NUL, and isn't over before it.  Empty: the object itself.
 */
void kube_path_add(const char *line, unsigned int column, struct text *out);

#endif
