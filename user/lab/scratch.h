/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A private mount namespace with a directory in it for sockets, state, logs and pins.  Whatever is
 * mounted or written there is gone with the last process of the lab.
 */
#ifndef LAB_SCRATCH_H
#define LAB_SCRATCH_H

#include <stdbool.h>

#include "util/text.h"

#define SCRATCH_STRLEN 64
#define SCRATCH_NETNS  "/run/netns"

struct scratch {
	char path[SCRATCH_STRLEN]; /* "": not open */
	int lock;                  /* tells other labs that the directory is in use */
	bool is_private;           /* the process is in its own mount namespace */
	bool has_made_netns;       /* /run/netns was not there before */
};

/* clang-format off */
#define SCRATCH_INIT { .lock = -1 }
/* clang-format on */

/*
 * Moves the process into the namespace and removes what killed labs left.  -errno with a sentence
 * in @reterr; to be closed in either case.
 */
int scratch_open(struct scratch *s, struct text *reterr);
void scratch_close(struct scratch *s);

/* Makes /run/netns/NAME lead to a namespace, for this lab's processes only. */
int scratch_name_netns(const char *name, int netns_fd);

/* PATH/NAME and SUFFIX, in @out, which is emptied first. */
const char *scratch_path(const struct scratch *s, const char *name, const char *suffix,
			 struct text *out);

#endif
