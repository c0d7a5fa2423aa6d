/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs as another release may have them: other code, over the same maps. */
#include <bulkhead/connection.h>
#include <bulkhead/limits.h>

/* On the whole way, and at a first look: whoever is silent is so for a tick longer. */
#undef BH_MAX_EXTENSIONS
#define BH_MAX_EXTENSIONS 7
#undef BH_TICKS_OF_S
#define BH_TICKS_OF_S(s) (BH_TICKS((__u64)(s)*1000000000ull) + 1)

#include "bpf/bulkhead.bpf.c"
