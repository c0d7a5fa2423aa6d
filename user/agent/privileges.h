/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent may still do once it enforces, and what it gives away for good. */
#ifndef AGENT_PRIVILEGES_H
#define AGENT_PRIVILEGES_H

#include "agent/seccomp.h"
#include "util/text.h"

/*
 * Keeps CAP_NET_ADMIN and CAP_BPF (CAP_SYS_ADMIN where there is no CAP_BPF), which attach, fill
 * tables and look into the namespaces of peers; no program that is executed later gains anything,
 * and nobody without privileges may trace or dump the agent.  To be called after the first attach:
 * loading needs more, and so does naming other programs by their ids.  -errno with a sentence in
 * @reterr.
 */
int privileges_drop(enum seccomp_mode mode, struct text *reterr);

#endif
