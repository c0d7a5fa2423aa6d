/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs on netfilter's hooks (Linux 6.4), which libbpf 1.1 doesn't know. */
#ifndef DATAPATH_NETFILTER_H
#define DATAPATH_NETFILTER_H

#include "datapath/pins.h"

#define PROGRAM_TYPE_NETFILTER 32
#define ATTACH_TYPE_NETFILTER  45

/*
 * Hangs @program on the hooks of what is forwarded and what is for this machine, IPv4 and IPv6, of
 * this network namespace; what hung there under these pins goes when all of it does.
 */
int netfilter_attach(struct pins *pins, int program);

/* Where nothing hangs any more, it does again; how often, or -errno. */
int netfilter_repair(struct pins *pins, int program);

void netfilter_remove(struct pins *pins);

/* Whether something hangs on every hook. */
bool netfilter_is_attached(const struct pins *pins);

#endif
