/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The YAML that policies are mostly written in, read quickly: ASCII, each text, list in brackets
 * and mapping in braces on one line, no anchors, escapes, tags or text blocks.
 */
#ifndef POLICY_YAML_PLAIN_H
#define POLICY_YAML_PLAIN_H

#include "policy/yaml.h"

/*
 * What yaml_parse_in_full() makes of it, or -ENOTSUP and nothing in *ret: it holds something else,
 * or an error, which only the other one can tell of.  Errors in what is folded are told when it is
 * unfolded.
 */
int yaml_plain_parse(const struct source *source, enum yaml_folding folding, struct yaml *ret);

/* Of a folded node, in the memory of @out.  Of what is no mapping, with an error, an empty text. */
struct node *yaml_plain_unfold(const struct node *n, struct diags *d, struct yaml *out);

#endif
