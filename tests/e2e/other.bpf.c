/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs of a release that has a map of another layout, though not of another size. */
#define spent_ns used_ns /* of struct answer_bucket */

#include "bpf/bulkhead.bpf.c"
