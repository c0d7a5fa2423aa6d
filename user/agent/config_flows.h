/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The key flowLog of agent.yaml. */
#ifndef AGENT_CONFIG_FLOWS_H
#define AGENT_CONFIG_FLOWS_H

#include "agent/config.h"
#include "policy/yaml.h"

/* A path, or {file, format, interval, size, keep}.  What is wrong goes to @d. */
void settings_read_flows(struct settings *s, const struct node *n, struct diags *d);

#endif
