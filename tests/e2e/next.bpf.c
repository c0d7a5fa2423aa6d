/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs as another release may have them: other code, over the same maps. */
#include <bulkhead/limits.h>

#undef BH_MAX_EXTENSIONS
#define BH_MAX_EXTENSIONS 7

#include "bpf/bulkhead.bpf.c"
