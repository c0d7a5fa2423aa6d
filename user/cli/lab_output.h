/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a lab found, as tables for people and as JSON. */
#ifndef CLI_LAB_OUTPUT_H
#define CLI_LAB_OUTPUT_H

#include "lab/lab.h"
#include "util/json.h"

/* The truth table, the drop events, the totals; with @is_verbose each probe as well. */
void lab_print(const struct lab_result *result, bool is_verbose);

/* An object without a key. */
void lab_json(const struct lab_result *result, struct json *j);

#endif
