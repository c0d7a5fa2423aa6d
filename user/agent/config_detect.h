/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `detect` of agent.yaml. */
#ifndef AGENT_CONFIG_DETECT_H
#define AGENT_CONFIG_DETECT_H

#include "agent/detect/detect_config.h"
#include "policy/yaml.h"
#include "util/diag.h"

void config_detect_init(struct detect_config *c); /* the defaults */

/* A mapping: window, cooldown, and a threshold for each detection; 0 turns one off. */
void config_detect_read(struct detect_config *c, const struct node *map, struct diags *d);

#endif
