/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the flow log's lines go: a file that is rotated by size, a pipe, or standard output.
 * Nothing here waits for whoever reads them. */
#ifndef AGENT_FLOWS_FLOW_FILE_H
#define AGENT_FLOWS_FLOW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_FILE_STDOUT "-"

struct flow_file {
	const char *path;
	uint64_t size_max; /* then it is rotated; 0: never */
	uint32_t keep;     /* old ones: PATH.1 is the last */
	int fd;            /* -1: not open */
	bool is_regular;   /* what can't be written whole is taken back */
	uint64_t inode;    /* of such a one */
	uint64_t size;
};

#define FLOW_FILE_CLOSED(to)                                                                       \
	{                                                                                          \
		.path = (to), .fd = -1                                                             \
	}

int flow_file_open(struct flow_file *f); /* at its end; made if there is none */
void flow_file_close(struct flow_file *f);

/* Down to @size again. */
int flow_file_cut(struct flow_file *f, uint64_t size);

/*
 * Into a regular file all or nothing: -errno.  Else as much as goes without waiting, and -EAGAIN
 * for the rest of it; *done grows by that.
 */
int flow_file_write(struct flow_file *f, const char *s, size_t len, size_t *done);

/* When it is full; -errno if it goes on as it is. */
int flow_file_rotate(struct flow_file *f);
bool flow_file_is_full(const struct flow_file *f);

#endif
