/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs as another release may have them: other code, over the same maps. */
#include <bulkhead/limits.h>
#include <bulkhead/tables.h>

/* On the whole way, and at a first look, where an old decision holds for half as long. */
#undef BH_MAX_EXTENSIONS
#define BH_MAX_EXTENSIONS 7
#undef BH_GENERATIONS_KEPT
#define BH_GENERATIONS_KEPT (1u << 29)

#include "bpf/bulkhead.bpf.c"
